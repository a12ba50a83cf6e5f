#ifndef CLOAKROOM_PROTOCOL_REPLY_READER_H_
#define CLOAKROOM_PROTOCOL_REPLY_READER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/reply_value.h"

namespace cloakroom {

/// Limits on what a server may send.
struct ReplyLimits {
  /// Bytes of one string.
  int64_t max_bulk = 1LL * 1024 * 1024 * 1024;
  /// Bytes of a status, an error, a number or a length.
  size_t max_line = 1024 * 1024;
  /// Values in one reply, over all levels. One costs about 120 bytes of memory.
  size_t max_values = 64 * 1024 * 1024;
  /// Arrays within arrays.
  size_t max_depth = 512;
};

/// Decodes the replies in a server's bytes, RESP2 and RESP3, into trees. A state machine over a
/// buffer that the caller owns and grows:
///
///   while (reader.Read(buffer) == Status::kReply) Handle(reader.TakeReply());
///   ... drop reader.TakeConsumed() bytes from the buffer's front, read behind the rest ...
///
/// Consumes what it has decoded, even in the middle of a reply, and never looks at it again. A push
/// message is a reply of kind kPush; the caller must tell it from an answer. RESP3's streamed
/// strings and aggregates, which no server sends, are errors.
///
/// Not thread safe: it belongs to one connection.
class ReplyReader {
 public:
  enum class Status {
    kReply,     ///< TakeReply() has it
    kNeedMore,  ///< the buffer ends before the reply does
    kError,     ///< error() says why; the connection is of no more use
  };

  explicit ReplyReader(const ReplyLimits& limits = {}) : limits_(limits) {}

  /// `buffer` starts where it started at the last call, or where TakeConsumed() said.
  Status Read(std::string_view buffer);

  /// REQUIRES: Read() returned kReply, and TakeReply() was not called since.
  ReplyValue TakeReply() { return std::move(reply_); }

  /// Bytes at the buffer's front that are decoded; the caller must drop them.
  size_t TakeConsumed();

  /// After kNeedMore: how many more bytes the present string needs; 0 if unknown.
  size_t bytes_wanted() const { return bytes_wanted_; }

  /// After kError: one line in English.
  const std::string& error() const { return error_; }

 private:
  /// An aggregate whose items are still coming.
  struct Frame {
    ReplyValue value;
    size_t remaining;
    bool is_attribute;
    std::vector<ReplyValue> attributes;  // for the next item
  };
  /// A string whose length is known and whose bytes are still coming.
  struct Body {
    char type;
    size_t length;
  };

  // Each step returns false when it can go no further: more bytes are needed, or it failed.
  bool Step(std::string_view buffer);
  bool ReadLine(std::string_view buffer);
  bool ReadBody(std::string_view buffer);
  bool Decode(char type, std::string_view line);
  bool DecodeInteger(std::string_view line);
  bool DecodeDouble(std::string_view line);
  bool DecodeBool(std::string_view line);
  bool DecodeBigNumber(std::string_view line);
  bool StartBody(char type, std::string_view line);
  bool StartAggregate(char type, std::string_view line);
  bool Complete(ReplyValue value);
  bool Fail(std::string_view problem);

  ReplyLimits limits_;
  size_t position_ = 0;
  size_t scanned_ = 0;  // no line ends between position_ and here
  size_t bytes_wanted_ = 0;
  size_t values_ = 0;  // of the present reply
  std::optional<Body> body_;
  std::vector<Frame> frames_;                // outermost first
  std::vector<ReplyValue> root_attributes_;  // for the reply itself
  bool done_ = false;
  ReplyValue reply_;
  std::string error_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_PROTOCOL_REPLY_READER_H_
