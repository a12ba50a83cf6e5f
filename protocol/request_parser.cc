#include "protocol/request_parser.h"

#include <algorithm>
#include <cstring>

#include "protocol/numbers.h"
#include "protocol/split_arguments.h"
#include "protocol/text.h"

namespace cloakroom {
namespace {

constexpr int64_t kUnauthenticatedCount = 10;
constexpr int64_t kUnauthenticatedLength = 16384;
// "$0\r\n\r\n": no argument is shorter on the wire.
constexpr size_t kSmallestArgument = 6;
// Arguments for which memory is kept after the request that needed it.
constexpr size_t kKeptSlices = 1024;

/// The line of a length if all of it is there and plain; otherwise `end` is null.
struct Length {
  const char* end;
  uint64_t value;
};

Length ScanLength(const char* at, const char* end) {
  constexpr Length kNotPlain = {nullptr, 0};
  // Nine digits cannot overflow, and longer numbers need not be fast.
  const char* digits_end = end - at > 9 ? at + 9 : end;
  const char* start = at;
  uint64_t value = 0;
  while (at < digits_end && *at >= '0' && *at <= '9') {
    value = value * 10 + static_cast<uint64_t>(*at++ - '0');
  }
  bool canonical = at > start && (*start != '0' || at == start + 1);
  if (!canonical || end - at < 2 || *at != '\r') return kNotPlain;
  return {at + 2, value};
}

}  // namespace

void RequestParser::set_limits(const ParserLimits& limits) {
  limits_ = limits;
  int64_t count = limits.max_multibulk;
  int64_t length = limits.proto_max_bulk_len;
  if (!limits.authenticated) {
    count = std::min(count, kUnauthenticatedCount);
    length = std::min(length, kUnauthenticatedLength);
  }
  count_limit_ = static_cast<uint64_t>(count);
  length_limit_ = static_cast<uint64_t>(length);
}

size_t RequestParser::TakeConsumed() {
  size_t consumed = request_start_;
  request_start_ = 0;
  position_ -= consumed;
  scanned_ -= consumed;
  return consumed;
}

RequestParser::Status RequestParser::Parse(std::span<char> buffer, Arguments& arguments) {
  std::string_view bytes(buffer.data(), buffer.size());
  bytes_wanted_ = 0;
  for (;;) {
    if (state_ == State::kFailed) return Status::kError;
    if (state_ == State::kStart) {
      if (position_ == bytes.size()) return Status::kNeedMore;
      if (ParseWhole(bytes, arguments)) return Status::kRequest;
      Start(bytes);
    }
    size_t before = arguments.size();
    Status status = state_ == State::kInline ? ParseInline(buffer, arguments)
                                             : ParseMultibulk(bytes, arguments);
    bool empty = status == Status::kRequest && arguments.size() == before;
    if (!empty) return status;
  }
}

/// The path of nearly all requests: multibulk, well formed and complete. The state machine parses
/// all others from their first byte. True if it appended a request.
bool RequestParser::ParseWhole(std::string_view buffer, Arguments& arguments) {
  const char* at = buffer.data() + request_start_;
  const char* end = buffer.data() + buffer.size();
  if (*at != '*') return false;
  Length count = ScanLength(at + 1, end);
  if (count.end == nullptr || count.value == 0 || count.value > count_limit_) return false;
  at = count.end;
  if (static_cast<uint64_t>(end - at) / kSmallestArgument < count.value) return false;

  size_t before = arguments.size();
  arguments.resize(before + count.value);
  std::string_view* argument = arguments.data() + before;
  for (uint64_t i = 0; i < count.value; ++i) {
    Length length = at < end && *at == '$' ? ScanLength(at + 1, end) : Length{nullptr, 0};
    bool whole = length.end != nullptr && length.value <= length_limit_ &&
                 length.value + 2 <= static_cast<uint64_t>(end - length.end);
    if (!whole) {
      arguments.resize(before);
      return false;
    }
    *argument++ = {length.end, length.value};
    at = length.end + length.value + 2;
  }
  request_start_ = position_ = static_cast<size_t>(at - buffer.data());
  return true;
}

void RequestParser::Start(std::string_view buffer) {
  state_ = buffer[position_] == '*' ? State::kCount : State::kInline;
  scanned_ = position_;
}

RequestParser::Status RequestParser::ParseInline(std::span<char> buffer, Arguments& arguments) {
  std::string_view bytes(buffer.data(), buffer.size());
  std::optional<std::string_view> line = FindLine(bytes, '\n', "too big inline request");
  if (!line) return state_ == State::kFailed ? Status::kError : Status::kNeedMore;
  size_t start = static_cast<size_t>(line->data() - bytes.data());
  if (line->ends_with('\r')) line->remove_suffix(1);
  if (!limits_.inline_requests && !line->empty()) {
    Fail(kInlineRefused);
    return Status::kError;
  }
  size_t before = arguments.size();
  if (!SplitArguments(buffer.subspan(start, line->size()), arguments)) {
    arguments.resize(before);
    Fail("unbalanced quotes in request");
    return Status::kError;
  }
  FinishRequest();
  return Status::kRequest;
}

RequestParser::Status RequestParser::ParseMultibulk(std::string_view buffer, Arguments& arguments) {
  bool advanced = true;
  while (advanced) {
    switch (state_) {
      case State::kCount:
        advanced = ParseCount(buffer);
        break;
      case State::kLength:
        advanced = ParseLength(buffer);
        break;
      case State::kBody:
        advanced = ParseBody(buffer);
        break;
      default:
        return Status::kError;
    }
    if (!advanced || remaining_ > 0 || state_ == State::kBody) continue;
    for (const Slice& slice : slices_) {
      arguments.emplace_back(buffer.data() + request_start_ + slice.offset, slice.length);
    }
    FinishRequest();
    return Status::kRequest;
  }
  return state_ == State::kFailed ? Status::kError : Status::kNeedMore;
}

bool RequestParser::ParseCount(std::string_view buffer) {
  std::optional<std::string_view> line = FindLine(buffer, '\r', "too big mbulk count string");
  if (!line) return false;
  std::optional<int64_t> count = ParseInteger(line->substr(1));
  if (!count || *count > limits_.max_multibulk) return Fail("invalid multibulk length");
  if (*count > 0 && static_cast<uint64_t>(*count) > count_limit_) {
    return Fail("unauthenticated multibulk length");
  }
  remaining_ = *count > 0 ? static_cast<size_t>(*count) : 0;
  state_ = State::kLength;
  return true;
}

bool RequestParser::ParseLength(std::string_view buffer) {
  size_t start = position_;
  std::optional<std::string_view> line = FindLine(buffer, '\r', "too big bulk count string");
  if (!line) return false;
  // An empty line's first byte is its end; Redis reports that byte.
  char type = buffer[start];
  if (type != '$') return Fail(Concat({"expected '$', got '", std::string_view(&type, 1), "'"}));
  std::optional<int64_t> length = ParseInteger(line->substr(1));
  if (!length || *length < 0 || *length > limits_.proto_max_bulk_len) {
    return Fail("invalid bulk length");
  }
  if (static_cast<uint64_t>(*length) > length_limit_) return Fail("unauthenticated bulk length");
  length_ = static_cast<size_t>(*length);
  state_ = State::kBody;
  return true;
}

bool RequestParser::ParseBody(std::string_view buffer) {
  size_t available = buffer.size() - position_;
  if (available < 2 || available - 2 < length_) {
    bytes_wanted_ = length_ - available + 2;
    return false;
  }
  slices_.push_back({position_ - request_start_, length_});
  position_ += length_ + 2;
  scanned_ = position_;
  --remaining_;
  state_ = State::kLength;
  return true;
}

/// The line at position_, without its end, which it steps over; nullopt if the end is not there
/// yet, or too far away. A line that ends with '\r' has one more byte, whatever it is.
std::optional<std::string_view> RequestParser::FindLine(std::string_view buffer, char last,
                                                        const char* too_big) {
  size_t end = std::min(buffer.find(last, scanned_), buffer.size());
  // As in Redis a zero byte hides the line end behind it: the line is never whole.
  size_t zero = buffer.substr(0, end).find('\0', scanned_);
  bool hidden = zero != std::string_view::npos;
  size_t length = (hidden ? buffer.size() : end) - position_;
  // Redis accepts a long line if it happens to arrive in one read. We always refuse it.
  if (length > limits_.inline_max) {
    Fail(too_big);
    return std::nullopt;
  }
  if (hidden) {
    scanned_ = zero;
    return std::nullopt;
  }
  scanned_ = end;
  size_t line_end = last == '\r' ? 2 : 1;
  if (buffer.size() - scanned_ < line_end) return std::nullopt;
  std::string_view line = buffer.substr(position_, length);
  position_ = scanned_ = scanned_ + line_end;
  return line;
}

void RequestParser::FinishRequest() {
  request_start_ = position_;
  state_ = State::kStart;
  slices_.clear();
  if (slices_.capacity() > kKeptSlices) slices_.shrink_to_fit();
}

bool RequestParser::Fail(std::string_view problem) {
  state_ = State::kFailed;
  error_ = Concat({"ERR Protocol error: ", problem});
  return false;
}

}  // namespace cloakroom
