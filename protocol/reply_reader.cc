#include "protocol/reply_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "protocol/numbers.h"
#include "protocol/text.h"

namespace cloakroom {
namespace {

using Kind = ReplyValue::Kind;

// Items for which a length may reserve room before they have arrived: a false one costs nothing.
constexpr size_t kTrustedItems = 16;
constexpr size_t kVerbatimFormat = 4;  // "txt:"

Kind AggregateKind(char type) {
  switch (type) {
    case '%':
      return Kind::kMap;
    case '~':
      return Kind::kSet;
    case '>':
      return Kind::kPush;
    default:  // '*', and '|', which is decoded when complete
      return Kind::kArray;
  }
}

Kind BodyKind(char type) {
  if (type == '!') return Kind::kError;
  return type == '=' ? Kind::kVerbatim : Kind::kBulk;
}

}  // namespace

ReplyReader::Status ReplyReader::Read(std::string_view buffer) {
  bytes_wanted_ = 0;
  done_ = false;
  while (error_.empty() && !done_ && Step(buffer)) {
  }
  if (!error_.empty()) return Status::kError;
  return done_ ? Status::kReply : Status::kNeedMore;
}

size_t ReplyReader::TakeConsumed() {
  size_t consumed = position_;
  position_ = 0;
  scanned_ -= consumed;
  return consumed;
}

bool ReplyReader::Step(std::string_view buffer) {
  return body_ ? ReadBody(buffer) : ReadLine(buffer);
}

bool ReplyReader::ReadLine(std::string_view buffer) {
  size_t end = buffer.find('\n', scanned_);
  size_t length = (end == std::string_view::npos ? buffer.size() : end) - position_;
  if (length > limits_.max_line) return Fail("a line is too long");
  scanned_ = position_ + length;
  if (end == std::string_view::npos) return false;
  std::string_view line = buffer.substr(position_, length);
  if (line.size() < 2 || line.back() != '\r') return Fail("a line does not end in CR LF");
  line.remove_suffix(1);
  position_ = scanned_ = end + 1;
  if (++values_ > limits_.max_values) return Fail("a reply has too many values");
  return Decode(line[0], line.substr(1));
}

bool ReplyReader::ReadBody(std::string_view buffer) {
  size_t available = buffer.size() - position_;
  size_t wanted = body_->length + 2;
  if (available < wanted) {
    bytes_wanted_ = wanted - available;
    return false;
  }
  std::string_view text = buffer.substr(position_, body_->length);
  if (buffer.substr(position_ + body_->length, 2) != "\r\n") {
    return Fail("a string does not end in CR LF");
  }
  Kind kind = BodyKind(body_->type);
  if (kind == Kind::kVerbatim) {
    if (text.size() < kVerbatimFormat || text[kVerbatimFormat - 1] != ':') {
      return Fail("a verbatim string has no format");
    }
  }
  position_ += wanted;
  scanned_ = position_;
  body_.reset();
  return Complete(ReplyValue::Text(kind, std::string(text)));
}

bool ReplyReader::Decode(char type, std::string_view line) {
  switch (type) {
    case '+':
      return Complete(ReplyValue::Simple(std::string(line)));
    case '-':
      return Complete(ReplyValue::Error(std::string(line)));
    case ':':
      return DecodeInteger(line);
    case '$':
    case '=':
    case '!':
      return StartBody(type, line);
    case '*':
    case '%':
    case '~':
    case '>':
    case '|':
      return StartAggregate(type, line);
    case '_':
      return line.empty() ? Complete({}) : Fail("a null has a value");
    case ',':
      return DecodeDouble(line);
    case '#':
      return DecodeBool(line);
    case '(':
      return DecodeBigNumber(line);
    default:
      return Fail("a reply cannot begin with byte " + std::to_string(static_cast<uint8_t>(type)));
  }
}

bool ReplyReader::DecodeInteger(std::string_view line) {
  std::optional<int64_t> integer = ParseInteger(line);
  return integer ? Complete(ReplyValue::Integer(*integer)) : Fail("an integer is malformed");
}

bool ReplyReader::DecodeDouble(std::string_view line) {
  ReplyValue value;
  value.kind = Kind::kDouble;
  std::optional<double> number = ParseDouble(line);
  bool is_nan = EqualsIgnoreCase(line, "nan") || EqualsIgnoreCase(line, "-nan");
  if (!number && !is_nan) return Fail("a double is malformed");
  value.number = is_nan ? std::numeric_limits<double>::quiet_NaN() : *number;
  return Complete(std::move(value));
}

bool ReplyReader::DecodeBool(std::string_view line) {
  if (line != "t" && line != "f") return Fail("a boolean is malformed");
  ReplyValue value;
  value.kind = Kind::kBool;
  value.integer = line == "t" ? 1 : 0;
  return Complete(std::move(value));
}

bool ReplyReader::DecodeBigNumber(std::string_view line) {
  std::string_view digits = line.substr(line.starts_with('-') ? 1 : 0);
  bool decimal = std::all_of(digits.begin(), digits.end(),
                             [](unsigned char c) { return absl::ascii_isdigit(c); });
  if (digits.empty() || !decimal) return Fail("a big number is malformed");
  return Complete(ReplyValue::Text(Kind::kBigNumber, std::string(line)));
}

bool ReplyReader::StartBody(char type, std::string_view line) {
  if (type == '$' && line == "-1") return Complete({});
  std::optional<int64_t> length = ParseInteger(line);
  if (!length || *length < 0) return Fail("a string's length is malformed");
  if (*length > limits_.max_bulk) return Fail("a string is too long");
  body_ = Body{type, static_cast<size_t>(*length)};
  return true;
}

bool ReplyReader::StartAggregate(char type, std::string_view line) {
  if (type == '*' && line == "-1") return Complete(ReplyValue::Items(Kind::kNullArray, {}));
  std::optional<int64_t> count = ParseInteger(line);
  if (!count || *count < 0) return Fail("an array's length is malformed");
  if (static_cast<uint64_t>(*count) > limits_.max_values) {
    return Fail("a reply has too many values");
  }
  if (frames_.size() == limits_.max_depth) return Fail("a reply is nested too deeply");
  bool in_pairs = type == '%' || type == '|';
  size_t items = static_cast<size_t>(*count) * (in_pairs ? 2 : 1);
  frames_.push_back({ReplyValue::Items(AggregateKind(type), {}), items, type == '|', {}});
  frames_.back().value.items.reserve(std::min(items, kTrustedItems));
  if (items > 0) return true;
  // Nothing that comes later could complete it.
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  return frame.is_attribute || Complete(std::move(frame.value));
}

/// Puts a value into its place; if it is the last one of its array, that is complete, too.
bool ReplyReader::Complete(ReplyValue value) {
  for (;;) {
    if (frames_.empty()) {
      value.attributes = std::exchange(root_attributes_, {});
      reply_ = std::move(value);
      done_ = true;
      values_ = 0;
      return true;
    }
    Frame& frame = frames_.back();
    value.attributes = std::exchange(frame.attributes, {});
    frame.value.items.push_back(std::move(value));
    if (--frame.remaining > 0) return true;
    Frame complete = std::move(frame);
    frames_.pop_back();
    if (complete.is_attribute) {
      auto& attributes = frames_.empty() ? root_attributes_ : frames_.back().attributes;
      attributes = std::move(complete.value.items);
      return true;
    }
    value = std::move(complete.value);
  }
}

bool ReplyReader::Fail(std::string_view problem) {
  error_ = Concat({"Protocol error: ", problem});
  return false;
}

}  // namespace cloakroom
