#include "server/net/plain_stream.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace cloakroom {
namespace {

/// Whether a failed call may succeed later.
bool LaterPerhaps() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

ssize_t SendMany(int fd, std::span<const std::string_view> spans) {
  std::array<iovec, SocketStream::kMaxSpans> parts;
  const size_t count = std::min(spans.size(), parts.size());
  for (size_t i = 0; i < count; ++i) {
    parts[i] = {const_cast<char*>(spans[i].data()), spans[i].size()};
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  return sendmsg(fd, &message, MSG_NOSIGNAL);
}

}  // namespace

std::optional<SocketStream::Received> PlainStream::Receive(std::span<char> into) {
  const ssize_t n = recv(fd_, into.data(), into.size(), 0);
  if (n > 0) {
    const auto bytes = static_cast<size_t>(n);
    return Received{.bytes = bytes, .more = bytes == into.size()};
  }
  if (n < 0 && LaterPerhaps()) return Received{.more = errno == EINTR};
  return std::nullopt;
}

std::optional<size_t> PlainStream::Send(std::span<const std::string_view> spans) {
  // The common case takes the cheaper call.
  const ssize_t n = spans.size() == 1 ? send(fd_, spans[0].data(), spans[0].size(), MSG_NOSIGNAL)
                                      : SendMany(fd_, spans);
  if (n >= 0) return static_cast<size_t>(n);
  if (LaterPerhaps()) return 0;
  return std::nullopt;
}

void PlainStream::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

}  // namespace cloakroom
