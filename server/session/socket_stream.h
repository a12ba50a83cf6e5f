#ifndef CLOAKROOM_SERVER_SESSION_SOCKET_STREAM_H_
#define CLOAKROOM_SERVER_SESSION_SOCKET_STREAM_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace cloakroom {

/// The bytes to and from one client, over a plain or an encrypted socket. It never blocks. It says
/// what it needs from its socket, and its user asks the poller for that: an encrypted stream may
/// have to send before it can receive, and the other way round.
///
/// Thread rule: one thread.
class SocketStream {
 public:
  /// The most spans in one Send.
  static constexpr size_t kMaxSpans = 64;

  struct Received {
    size_t bytes = 0;
    /// There may be more now that the poller will not report: bytes that the socket still has, or
    /// that have been decrypted already.
    bool more = false;
  };

  SocketStream() = default;
  virtual ~SocketStream() = default;
  SocketStream(const SocketStream&) = delete;
  SocketStream& operator=(const SocketStream&) = delete;

  /// The socket, for the poller.
  virtual int fd() const = 0;
  /// Receives what has come: 0 bytes when there is nothing now, nullopt when nothing will come any
  /// more.
  virtual std::optional<Received> Receive(std::span<char> into) = 0;
  /// Sends, and returns how many bytes of `spans` were taken: 0 when there is no room now, nullopt
  /// when the stream is broken.
  virtual std::optional<size_t> Send(std::span<const std::string_view> spans) = 0;
  /// The last Receive got nothing and should be tried again when the socket has room to write.
  virtual bool receives_when_writable() const = 0;
  /// The last Send sent nothing and should be tried again when the socket can be read.
  virtual bool sends_when_readable() const = 0;
  /// Closes the socket. Nothing is sent or received afterwards.
  virtual void Close() = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SESSION_SOCKET_STREAM_H_
