#include "bench/sale_day/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstdlib>
#include <cstring>
#include <utility>

#include "bench/sale_day/figures.h"

namespace cloakroom::bench {

namespace {

constexpr uint32_t kSourceAddresses = 64;

sockaddr_in Loopback(uint32_t host, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl((127u << 24) + host);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

std::string TextOf(const absl::Status& status) { return std::string(status.message()); }

}  // namespace

int Connect(int port, bool non_blocking) {
  static thread_local uint32_t source = 0;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) Fail(std::string("socket: ") + std::strerror(errno));
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
#ifdef IP_BIND_ADDRESS_NO_PORT
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
#endif
  const sockaddr_in from = Loopback(2 + source++ % kSourceAddresses, 0);
  const sockaddr_in to = Loopback(1, port);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0) {
    Fail(std::string("bind: ") + std::strerror(errno));
  }
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    Fail("connect to port " + std::to_string(port) + ": " + std::strerror(errno));
  }
  if (non_blocking) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return fd;
}

void Wire::Send(std::string_view bytes) {
  if (absl::Status sent = client_.SendRaw(bytes); !sent.ok()) Fail(TextOf(sent));
}

void Wire::Await(size_t replies) {
  const absl::Status skipped = client_.Skip(replies);
  if (absl::IsFailedPrecondition(skipped)) Fail("the server said " + TextOf(skipped));
  if (!skipped.ok()) Fail(TextOf(skipped));
}

ReplyValue Wire::Ask(std::initializer_list<std::string_view> args) {
  absl::StatusOr<ReplyValue> reply = client_.Call(args);
  if (!reply.ok()) Fail(TextOf(reply.status()));
  if (reply->is_error()) Fail("the server said " + reply->text);
  return *std::move(reply);
}

int64_t Wire::Info(std::string_view section, std::string_view field) {
  const std::string reply = Ask({"INFO", section}).text;
  const std::string name = '\n' + std::string(field) + ':';
  const size_t at = reply.find(name);
  if (at == std::string::npos) Fail("INFO has no " + std::string(field));
  return std::strtoll(reply.c_str() + at + name.size(), nullptr, 10);
}

}  // namespace cloakroom::bench
