#ifndef CLOAKROOM_SERVER_NET_PLAIN_STREAM_H_
#define CLOAKROOM_SERVER_NET_PLAIN_STREAM_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "server/session/socket_stream.h"

namespace cloakroom {

/// A connected TCP or unix socket, without encryption.
///
/// Thread rule: one thread.
class PlainStream final : public SocketStream {
 public:
  /// Owns `fd`, which must not block.
  explicit PlainStream(int fd) : fd_(fd) {}
  ~PlainStream() override { PlainStream::Close(); }

  int fd() const override { return fd_; }
  std::optional<Received> Receive(std::span<char> into) override;
  /// One system call.
  std::optional<size_t> Send(std::span<const std::string_view> spans) override;
  bool receives_when_writable() const override { return false; }
  bool sends_when_readable() const override { return false; }
  void Close() override;

 private:
  int fd_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_PLAIN_STREAM_H_
