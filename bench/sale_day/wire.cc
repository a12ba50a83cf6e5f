#include "bench/sale_day/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

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

}  // namespace

size_t ReplyCounter::Feed(std::string_view bytes) {
  size_t done = 0;
  while (!bytes.empty()) {
    if (skip_ > 0) {
      const size_t n = std::min(skip_, bytes.size());
      skip_ -= n;
      bytes.remove_prefix(n);
    } else {
      const size_t end = bytes.find('\n');
      if (end == std::string_view::npos) {
        line_.append(bytes);
        return done;
      }
      if (open_ == 0) open_ = 1;
      if (line_.empty()) {
        TakeLine(bytes.substr(0, end));
      } else {
        line_.append(bytes.substr(0, end));
        TakeLine(line_);
        line_.clear();
      }
      bytes.remove_prefix(end + 1);
    }
    if (skip_ == 0 && open_ == 0) ++done;
  }
  return done;
}

void ReplyCounter::TakeLine(std::string_view line) {
  const char kind = line.empty() ? '?' : line[0];
  --open_;
  if (kind == '-') {
    ++errors_;
    last_error_ = line;
    return;
  }
  if (kind == '+' || kind == ':' || kind == '_' || kind == '#' || kind == ',' || kind == '(')
    return;
  const int64_t n = line.size() > 1 ? std::strtoll(line.data() + 1, nullptr, 10) : 0;
  switch (kind) {
    case '$':
    case '=':
    case '!':
      if (n >= 0) skip_ = static_cast<size_t>(n) + 2;
      break;
    case '*':
    case '~':
    case '>':
      if (n > 0) open_ += n;
      break;
    case '%':
      open_ += 2 * n;
      break;
    default:
      Fail("not a reply: " + std::string(line.substr(0, 60)));
  }
}

void AppendRequest(std::string& out, std::initializer_list<std::string_view> args) {
  out += '*' + std::to_string(args.size()) + "\r\n";
  for (std::string_view arg : args) {
    out += '$' + std::to_string(arg.size()) + "\r\n";
    out.append(arg);
    out += "\r\n";
  }
}

std::string Request(std::initializer_list<std::string_view> args) {
  std::string out;
  AppendRequest(out, args);
  return out;
}

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

Wire::~Wire() { close(fd_); }

void Wire::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) Fail(std::string("send: ") + std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

std::string_view Wire::Receive() {
  const ssize_t n = recv(fd_, buffer_.data(), buffer_.size(), 0);
  if (n == 0) Fail("the server closed the connection");
  if (n < 0) Fail(std::string("recv: ") + std::strerror(errno));
  return {buffer_.data(), static_cast<size_t>(n)};
}

void Wire::Await(size_t replies, bool allow_errors) {
  for (size_t got = 0; got < replies;) got += counter_.Feed(Receive());
  if (counter_.errors() > 0 && !allow_errors) Fail("the server said " + counter_.last_error());
}

std::string Wire::Ask(std::initializer_list<std::string_view> args) {
  Send(Request(args));
  std::string reply;
  for (size_t got = 0; got < 1;) {
    const std::string_view bytes = Receive();
    reply.append(bytes);
    got += counter_.Feed(bytes);
  }
  return reply;
}

int64_t Wire::Info(std::string_view section, std::string_view field) {
  const std::string reply = Ask({"INFO", section});
  const std::string name = '\n' + std::string(field) + ':';
  const size_t at = reply.find(name);
  if (at == std::string::npos) Fail("INFO has no " + std::string(field));
  return std::strtoll(reply.c_str() + at + name.size(), nullptr, 10);
}

int64_t Wire::DbSize() { return std::strtoll(Ask({"DBSIZE"}).c_str() + 1, nullptr, 10); }

}  // namespace cloakroom::bench
