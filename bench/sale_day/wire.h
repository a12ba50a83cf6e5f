#ifndef CLOAKROOM_BENCH_SALE_DAY_WIRE_H_
#define CLOAKROOM_BENCH_SALE_DAY_WIRE_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace cloakroom::bench {

/// Counts complete replies in a stream of RESP2 or RESP3 bytes without keeping them, so that the
/// generator's own work stays small beside the server's. One thread; never fails on valid RESP.
class ReplyCounter {
 public:
  /// Takes the next bytes of the stream, in portions of any size. Returns how many top-level
  /// replies they completed.
  size_t Feed(std::string_view bytes);

  /// Error replies seen so far, at any depth, and the text of the latest.
  uint64_t errors() const { return errors_; }
  const std::string& last_error() const { return last_error_; }

 private:
  void TakeLine(std::string_view line);

  std::string line_;  // the part of a header line that has arrived
  size_t skip_ = 0;   // bytes of a bulk string, and its CRLF, still to come
  int64_t open_ = 0;  // elements still to come in the reply under way; 0 between replies
  uint64_t errors_ = 0;
  std::string last_error_;
};

/// A request as Redis clients send it: an array of bulk strings.
std::string Request(std::initializer_list<std::string_view> args);
void AppendRequest(std::string& out, std::initializer_list<std::string_view> args);

/// Opens a TCP connection to 127.0.0.1. Source addresses rotate over 127.0.0.2…, so that a storm
/// of short connections does not run out of ports. Exits with a message when it fails.
int Connect(int port, bool non_blocking);

/// A blocking connection of a thread: commands that prepare or observe a run.
class Wire {
 public:
  explicit Wire(int port) : fd_(Connect(port, false)) {}
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  void Send(std::string_view bytes);
  /// Waits for `replies` replies. Error replies end the program unless `allow_errors`.
  void Await(size_t replies, bool allow_errors = false);
  /// Sends one request and returns the raw bytes of its reply.
  std::string Ask(std::initializer_list<std::string_view> args);
  /// The number behind `field:` in INFO's `section`.
  int64_t Info(std::string_view section, std::string_view field);
  int64_t DbSize();

 private:
  std::string_view Receive();

  int fd_;
  ReplyCounter counter_;
  std::string buffer_ = std::string(256 * 1024, '\0');
};

}  // namespace cloakroom::bench

#endif  // CLOAKROOM_BENCH_SALE_DAY_WIRE_H_
