#include "replication/aof_reader.h"

#include <algorithm>
#include <cstring>

#include "protocol/numbers.h"
#include "protocol/text.h"

namespace cloakroom {
namespace {

constexpr size_t kReadBytes = 1 << 20;
constexpr size_t kMaxAnnotation = 1024;
constexpr std::string_view kTimestamp = "#TS:";

ParserLimits LimitsOfLog() {
  ParserLimits limits;
  // A value may be as large as any server has ever been allowed to take.
  limits.proto_max_bulk_len = int64_t{4} << 30;
  return limits;
}

}  // namespace

AofReader::AofReader(ByteSource& source, int64_t offset)
    : source_(source),
      parser_(LimitsOfLog()),
      offset_(offset),
      next_offset_(offset),
      whole_offset_(offset) {}

bool AofReader::Fill() {
  // What was parsed goes; the rest, the beginning of a command, moves to the front.
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, filled_ - begin_);
    filled_ -= begin_;
    begin_ = 0;
  }
  // At most twice what has arrived.
  if (buffer_.size() - filled_ < kReadBytes) {
    buffer_.resize(
        std::max(filled_ + kReadBytes, std::min(2 * filled_, filled_ + (size_t{64} << 20))));
  }
  const size_t n = source_.Read(std::span(buffer_).subspan(filled_));
  filled_ += n;
  return n > 0;
}

bool AofReader::SkipLine() {
  const std::string_view rest(buffer_.data() + begin_, filled_ - begin_);
  const size_t end = rest.find('\n');
  if (end == rest.npos) return false;
  const std::string_view line = rest.substr(0, end);
  if (line.starts_with(kTimestamp)) {
    std::string_view number = line.substr(kTimestamp.size());
    if (number.ends_with('\r')) number.remove_suffix(1);
    timestamp_s_ = ParseInteger(number).value_or(timestamp_s_);
  }
  begin_ += end + 1;
  next_offset_ += static_cast<int64_t>(end + 1);
  if (!in_transaction_) whole_offset_ = next_offset_;
  return true;
}

AofReader::Item AofReader::Fail(std::string error) {
  error_ = std::move(error);
  return Item::kError;
}

void AofReader::NoteWhole() {
  if (EqualsIgnoreCase(words_[0], "multi")) in_transaction_ = true;
  if (EqualsIgnoreCase(words_[0], "exec")) in_transaction_ = false;
  if (!in_transaction_) whole_offset_ = next_offset_;
}

AofReader::Item AofReader::Next() {
  words_.clear();
  while (true) {
    offset_ = next_offset_;
    const std::span<char> rest = Unparsed();
    if (!rest.empty() && rest[0] == '#') {
      if (SkipLine()) continue;
      if (rest.size() > kMaxAnnotation) return Fail("an annotation that does not end");
    } else if (!rest.empty() && rest[0] != '*') {
      return Fail("neither a command nor an annotation begins here");
    } else if (!rest.empty()) {
      const RequestParser::Status status = parser_.Parse(rest, words_);
      if (status == RequestParser::Status::kError) return Fail(parser_.error());
      if (status == RequestParser::Status::kRequest) {
        const size_t size = parser_.TakeConsumed();
        begin_ += size;
        next_offset_ += static_cast<int64_t>(size);
        NoteWhole();
        return Item::kCommand;
      }
    }
    if (Fill()) continue;
    return Unparsed().empty() && !in_transaction_ ? Item::kEnd : Item::kTruncated;
  }
}

}  // namespace cloakroom
