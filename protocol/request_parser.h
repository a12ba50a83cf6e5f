#ifndef CLOAKROOM_PROTOCOL_REQUEST_PARSER_H_
#define CLOAKROOM_PROTOCOL_REQUEST_PARSER_H_

#include <climits>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cloakroom {

/// Limits on what a client may send, with Redis 7.0's numbers.
struct ParserLimits {
  /// Bytes of one argument; the setting of that name.
  int64_t proto_max_bulk_len = 512LL * 1024 * 1024;
  /// Arguments of one request.
  int64_t max_multibulk = INT_MAX;
  /// Bytes of an inline request, and of the line of a length.
  size_t inline_max = 64 * 1024;
  /// Until a client has said AUTH it gets 10 arguments of 16384 bytes each.
  bool authenticated = true;
  /// False for what a primary sends: inline requests are errors, but for empty lines.
  bool inline_requests = true;
};

/// Finds the requests in a client's bytes: multibulk ("*2\r\n$3\r\nGET\r\n..."), and inline ("GET
/// key\r\n", with quotes as SplitArguments() reads them). A state machine over a buffer that the
/// caller owns and grows:
///
///   arguments.clear();
///   while (parser.Parse(buffer, arguments) == Status::kRequest) {
///     ... note arguments.size(): here ends this request and starts the next ...
///   }
///   ... execute them: the arguments are views into the buffer ...
///   size_t used = parser.TakeConsumed();
///   ... drop `used` bytes from the buffer's front, make room for parser.bytes_wanted() more,
///       read behind the rest, and come again ...
///
/// The parser remembers offsets, so the buffer may move between two calls, and bytes that arrive
/// piecemeal are looked at once. Its results do not depend on how the bytes were cut. Its own
/// memory is proportional to what the buffer holds; the caller must limit the buffer's size.
///
/// A request that raises the limits (AUTH) must be executed before the next one is parsed: while
/// the client is not authenticated, parse one request at a time.
///
/// Not thread safe: it belongs to one connection.
class RequestParser {
 public:
  enum class Status {
    kRequest,   ///< one request's arguments, at least one, were appended
    kNeedMore,  ///< the rest of the buffer is not a whole request
    kError,     ///< the client does not speak the protocol: send error() and close. Final.
  };
  using Arguments = std::vector<std::string_view>;
  /// How error() ends if an inline request came in spite of ParserLimits::inline_requests.
  static constexpr std::string_view kInlineRefused = "Master using the inline protocol. Desync?";

  explicit RequestParser(const ParserLimits& limits = {}) { set_limits(limits); }

  /// Takes effect from the next length on.
  void set_limits(const ParserLimits& limits);

  /// Parses the next request. `buffer` starts where it started at the last call, or where
  /// TakeConsumed() said. Appends to `arguments` only for kRequest: views into the buffer, valid
  /// until it changes. Skips empty requests. Overwrites the bytes of inline requests to unescape
  /// them. As in Redis, does not check that "\r\n" follows an argument.
  Status Parse(std::span<char> buffer, Arguments& arguments);

  /// Bytes at the buffer's front that belong to parsed requests.
  size_t consumed() const { return request_start_; }
  /// The same; the caller must drop them before the next call.
  size_t TakeConsumed();

  /// After kNeedMore: how many more bytes the present argument needs; 0 if unknown.
  size_t bytes_wanted() const { return bytes_wanted_; }

  /// After kError: what Redis sends, without the leading '-' and the line end. It may hold a raw
  /// byte from the client, even '\r'; ReplyWriter::Error() makes it harmless.
  const std::string& error() const { return error_; }

 private:
  enum class State { kStart, kInline, kCount, kLength, kBody, kFailed };
  /// An argument of the present request, by its offset from request_start_.
  struct Slice {
    size_t offset;
    size_t length;
  };

  bool ParseWhole(std::string_view buffer, Arguments& arguments);
  void Start(std::string_view buffer);
  Status ParseInline(std::span<char> buffer, Arguments& arguments);
  Status ParseMultibulk(std::string_view buffer, Arguments& arguments);
  bool ParseCount(std::string_view buffer);
  bool ParseLength(std::string_view buffer);
  bool ParseBody(std::string_view buffer);
  std::optional<std::string_view> FindLine(std::string_view buffer, char last, const char* too_big);
  void FinishRequest();
  bool Fail(std::string_view problem);

  ParserLimits limits_;
  uint64_t count_limit_ = 0;  // the limits in force, before or after authentication
  uint64_t length_limit_ = 0;

  State state_ = State::kStart;
  size_t request_start_ = 0;  // offset of the present request's first byte
  size_t position_ = 0;       // offset of what the state expects
  size_t scanned_ = 0;        // no line ends between position_ and here
  size_t remaining_ = 0;      // arguments to come
  size_t length_ = 0;         // of the argument in kBody
  size_t bytes_wanted_ = 0;
  std::vector<Slice> slices_;
  std::string error_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_PROTOCOL_REQUEST_PARSER_H_
