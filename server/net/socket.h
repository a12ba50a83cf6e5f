#ifndef CLOAKROOM_SERVER_NET_SOCKET_H_
#define CLOAKROOM_SERVER_NET_SOCKET_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace cloakroom {

/// A connected stream socket that never blocks, and its descriptor, which it closes at the end.
class Socket {
 public:
  /// At most so many spans go into one Send.
  static constexpr size_t kMaxSpans = 64;

  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() { Close(); }
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) = delete;

  int fd() const { return fd_; }

  /// Bytes received; 0 when there are none now; nothing when there will be none any more.
  std::optional<size_t> Receive(std::span<char> into);
  /// Bytes sent of `spans`, in one system call; 0 when the kernel has no room now; nothing when
  /// the connection is broken.
  std::optional<size_t> Send(std::span<const std::string_view> spans);
  void Close();

 private:
  int fd_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_SOCKET_H_
