#include "server/net/socket.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace cloakroom {
namespace {

/// What a failed call means: nothing for now, or nothing ever.
std::optional<size_t> LaterOrNever() {
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return 0;
  return std::nullopt;
}

}  // namespace

Socket::Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

std::optional<size_t> Socket::Receive(std::span<char> into) {
  const ssize_t n = recv(fd_, into.data(), into.size(), 0);
  if (n > 0) return static_cast<size_t>(n);
  if (n == 0) return std::nullopt;
  return LaterOrNever();
}

std::optional<size_t> Socket::Send(std::span<const std::string_view> spans) {
  ssize_t n = 0;
  if (spans.size() == 1) {
    // The common case, by the cheaper call.
    n = send(fd_, spans[0].data(), spans[0].size(), MSG_NOSIGNAL);
  } else {
    std::array<iovec, kMaxSpans> parts;
    const size_t count = std::min(spans.size(), parts.size());
    for (size_t i = 0; i < count; ++i) {
      parts[i] = {const_cast<char*>(spans[i].data()), spans[i].size()};
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    n = sendmsg(fd_, &message, MSG_NOSIGNAL);
  }
  if (n >= 0) return static_cast<size_t>(n);
  return LaterOrNever();
}

void Socket::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

}  // namespace cloakroom
