#ifndef CLOAKROOM_CLIENTS_RESP_CLIENT_H_
#define CLOAKROOM_CLIENTS_RESP_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protocol/output_buffer.h"
#include "protocol/reply_reader.h"
#include "protocol/reply_value.h"

namespace cloakroom {

/// A blocking client for one server: tests, benchmarks and tools talk through it.
///
///   RespClient client;
///   absl::Status connected = client.ConnectTcp("127.0.0.1", 6379);
///   if (!connected.ok()) return connected;
///   absl::StatusOr<ReplyValue> reply = client.Call({"GET", "key"});
///
/// An error reply is a reply like any other. A failure below that (a refused connection, a
/// time-out, a broken protocol) is kUnavailable, whose message says what happened; the connection
/// is then closed.
///
/// Not thread safe: one thread at a time.
class RespClient {
 public:
  RespClient() = default;
  /// Takes over a connected socket.
  explicit RespClient(int socket);
  ~RespClient() { Close(); }
  RespClient(RespClient&& other) noexcept;
  RespClient& operator=(RespClient&& other) noexcept;

  /// How long one connect, Flush() or Read() may wait for the server; 0, the default: for ever.
  void set_timeout_ms(int64_t timeout_ms) { timeout_ms_ = timeout_ms; }

  /// `host` is a name or an address, of IPv4 or IPv6. Closes a connection that is open.
  absl::Status ConnectTcp(const std::string& host, uint16_t port);
  absl::Status ConnectUnix(const std::string& path);
  void Close();
  bool connected() const { return socket_ >= 0; }
  /// The socket, for poll(); -1 when closed.
  int socket() const { return socket_; }

  /// Sends one request and waits for its reply. Keeps push messages that arrive before it for
  /// TakePushes(). REQUIRES: no queued request waits for its reply.
  absl::StatusOr<ReplyValue> Call(std::span<const std::string_view> arguments);
  absl::StatusOr<ReplyValue> Call(std::initializer_list<std::string_view> arguments) {
    return Call(std::span(arguments.begin(), arguments.size()));
  }

  /// A pipeline: queue requests, then send them and wait for all their replies, in order. Reads
  /// replies while it still sends requests, so a pipeline may be as large as memory.
  void Queue(std::span<const std::string_view> arguments);
  void Queue(std::initializer_list<std::string_view> arguments) {
    Queue(std::span(arguments.begin(), arguments.size()));
  }
  absl::StatusOr<std::vector<ReplyValue>> Flush();

  /// For conversations that are not request and reply (SUBSCRIBE in RESP3, MONITOR, PSYNC, broken
  /// requests): sends bytes as they are, and reads the next message, a push message or not.
  absl::Status SendRaw(std::string_view bytes);
  absl::StatusOr<ReplyValue> Read();
  /// Waits for `replies` replies and keeps none of them, since a load generator does not use the
  /// trees. Push messages count as replies. kFailedPrecondition: all have come, with errors among
  /// them; the message is the last one's text.
  absl::Status Skip(size_t replies);

  /// The push messages kept so far, oldest first.
  std::vector<ReplyValue> TakePushes();

 private:
  absl::StatusOr<ReplyValue> ReadAnswer();
  void Adopt(int socket);
  absl::Status FinishConnect(int socket, const void* address, size_t length);
  // Wait for what is possible, and do it: send, receive, or both.
  absl::Status SendAll();
  absl::Status SendSome();
  absl::Status ReceiveSome();
  absl::Status Await(int64_t deadline_ms);
  /// Which of the events there are.
  absl::StatusOr<int> Poll(int events, int64_t deadline_ms);
  int64_t Deadline() const;
  absl::Status Fail(std::string_view what);
  absl::Status FailErrno(std::string_view what, int code);

  int socket_ = -1;
  int64_t timeout_ms_ = 0;
  size_t queued_ = 0;
  OutputBuffer out_;
  std::string in_;
  ReplyReader reader_;
  std::vector<ReplyValue> pushes_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_CLIENTS_RESP_CLIENT_H_
