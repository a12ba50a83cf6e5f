#include "clients/reply_counter.h"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace cloakroom {
namespace {

constexpr std::string_view kWholeInOneLine = "+:_#,(";
// More than a server ever sends, and far below where the arithmetic would overflow.
constexpr int64_t kMaxLength = int64_t{1} << 40;

/// The length in a header line, without its type; -2 if it is not sensible.
int64_t LengthOf(std::string_view digits) {
  int64_t length = 0;
  auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  bool whole = code == std::errc() && end == digits.data() + digits.size();
  return whole && length >= -1 && length <= kMaxLength ? length : -2;
}

}  // namespace

size_t ReplyCounter::Feed(std::string_view* bytes, size_t limit) {
  size_t done = 0;
  while (!bytes->empty() && done < limit && !broken_) {
    if (skip_ > 0) {
      size_t n = std::min(skip_, bytes->size());
      skip_ -= n;
      bytes->remove_prefix(n);
    } else {
      size_t end = bytes->find('\n');
      line_.append(bytes->substr(0, end));
      if (end == std::string_view::npos) {
        bytes->remove_prefix(bytes->size());
        return done;
      }
      bytes->remove_prefix(end + 1);
      if (line_.ends_with('\r')) line_.pop_back();
      if (open_ == 0) open_ = 1;
      TakeLine(line_);
      line_.clear();
    }
    if (skip_ == 0 && open_ == 0 && !broken_) ++done;
  }
  return done;
}

void ReplyCounter::TakeLine(std::string_view line) {
  const char kind = line.empty() ? '?' : line[0];
  --open_;
  if (kWholeInOneLine.find(kind) != std::string_view::npos) return;
  if (kind == '-') {
    ++errors_;
    last_error_ = line.substr(1);
    return;
  }
  const int64_t length = LengthOf(line.substr(std::min<size_t>(line.size(), 1)));
  broken_ = length < -1;
  if (length < 0 && !broken_) return;  // a null
  switch (kind) {
    case '!':
      ++errors_;
      last_error_ = "a long error";
      [[fallthrough]];
    case '$':
    case '=':
      skip_ = static_cast<size_t>(length) + 2;
      break;
    case '*':
    case '~':
    case '>':
      open_ += length;
      break;
    case '%':
      open_ += 2 * length;
      break;
    case '|':  // annotates the value that comes next
      open_ += 2 * length + 1;
      break;
    default:
      broken_ = true;
  }
}

}  // namespace cloakroom
