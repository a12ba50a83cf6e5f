#include "clients/resp_client.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

#include "clients/reply_counter.h"
#include "protocol/reply_writer.h"
#include "protocol/text.h"

namespace cloakroom {
namespace {

constexpr size_t kReadSize = 64 * 1024;
constexpr int64_t kForever = -1;

int64_t NowMs() {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

bool WouldBlock(int code) { return code == EAGAIN || code == EWOULDBLOCK || code == EINTR; }

}  // namespace

RespClient::RespClient(int socket) { Adopt(socket); }

RespClient::RespClient(RespClient&& other) noexcept { *this = std::move(other); }

RespClient& RespClient::operator=(RespClient&& other) noexcept {
  if (this == &other) return *this;
  Close();
  socket_ = std::exchange(other.socket_, -1);
  timeout_ms_ = other.timeout_ms_;
  queued_ = std::exchange(other.queued_, 0);
  out_ = std::move(other.out_);
  in_ = std::move(other.in_);
  reader_ = std::move(other.reader_);
  pushes_ = std::move(other.pushes_);
  error_ = std::move(other.error_);
  return *this;
}

void RespClient::Adopt(int socket) {
  // send and recv never block: only Poll() waits, and it knows the time-out.
  int flags = fcntl(socket, F_GETFL, 0);
  fcntl(socket, F_SETFL, flags | O_NONBLOCK);
  socket_ = socket;
}

bool RespClient::FinishConnect(int socket, const void* address, size_t length) {
  Adopt(socket);
  const auto* target = static_cast<const sockaddr*>(address);
  if (connect(socket_, target, static_cast<socklen_t>(length)) == 0) return true;
  if (errno != EINPROGRESS) return FailErrno("cannot connect", errno);
  int ready = 0;
  if (!Poll(POLLOUT, Deadline(), &ready)) return false;
  int code = 0;
  socklen_t size = sizeof(code);
  getsockopt(socket_, SOL_SOCKET, SO_ERROR, &code, &size);
  return code == 0 || FailErrno("cannot connect", code);
}

bool RespClient::ConnectTcp(const std::string& host, uint16_t port) {
  Close();
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  int code = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code != 0) return Fail(Concat({"cannot resolve ", host, ": ", gai_strerror(code)}));
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    int socket = ::socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) {
      FailErrno("cannot open a socket", errno);
      continue;
    }
    if (!FinishConnect(socket, each->ai_addr, each->ai_addrlen)) continue;
    int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return true;
  }
  return false;
}

bool RespClient::ConnectUnix(const std::string& path) {
  Close();
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return Fail("a socket's path is too long");
  std::memcpy(address.sun_path, path.data(), path.size());
  int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return FailErrno("cannot open a socket", errno);
  return FinishConnect(socket, &address, sizeof(address));
}

void RespClient::Close() {
  if (socket_ >= 0) close(socket_);
  socket_ = -1;
  queued_ = 0;
  out_.Clear();
  in_.clear();
  reader_ = ReplyReader();
}

std::optional<ReplyValue> RespClient::Call(std::span<const std::string_view> arguments) {
  Queue(arguments);
  std::optional<std::vector<ReplyValue>> replies = Flush();
  if (!replies) return std::nullopt;
  return std::move(replies->back());
}

void RespClient::Queue(std::span<const std::string_view> arguments) {
  ReplyWriter writer(out_);
  writer.Array(arguments.size());
  for (std::string_view argument : arguments) writer.Bulk(argument);
  ++queued_;
}

std::optional<std::vector<ReplyValue>> RespClient::Flush() {
  if (!SendAll()) return std::nullopt;
  std::vector<ReplyValue> replies;
  replies.reserve(queued_);
  while (replies.size() < queued_) {
    std::optional<ReplyValue> reply = ReadAnswer();
    if (!reply) return std::nullopt;
    replies.push_back(std::move(*reply));
  }
  queued_ = 0;
  return replies;
}

std::optional<ReplyValue> RespClient::ReadAnswer() {
  for (;;) {
    std::optional<ReplyValue> reply = Read();
    if (!reply || reply->kind != ReplyValue::Kind::kPush) return reply;
    pushes_.push_back(std::move(*reply));
  }
}

bool RespClient::SendRaw(std::string_view bytes) {
  out_.Append(bytes);
  return SendAll();
}

std::optional<ReplyValue> RespClient::Read() {
  int64_t deadline_ms = Deadline();
  for (;;) {
    ReplyReader::Status status = reader_.Read(in_);
    if (status == ReplyReader::Status::kReply) return reader_.TakeReply();
    if (status == ReplyReader::Status::kError) {
      Fail(reader_.error());
      return std::nullopt;
    }
    in_.erase(0, reader_.TakeConsumed());
    int ready = 0;
    if (!Poll(POLLIN, deadline_ms, &ready) || !ReceiveSome()) return std::nullopt;
  }
}

std::optional<std::string> RespClient::Skip(size_t replies) {
  int64_t deadline_ms = Deadline();
  in_.erase(0, reader_.TakeConsumed());
  ReplyCounter counter;
  for (size_t seen = 0;;) {
    std::string_view left = in_;
    seen += counter.Feed(&left, replies - seen);
    in_.erase(0, in_.size() - left.size());
    if (seen == replies) return counter.last_error();
    if (counter.broken()) {
      Fail("Protocol error: not a reply");
      return std::nullopt;
    }
    int ready = 0;
    if (!Poll(POLLIN, deadline_ms, &ready) || !ReceiveSome()) return std::nullopt;
  }
}

std::vector<ReplyValue> RespClient::TakePushes() { return std::exchange(pushes_, {}); }

bool RespClient::SendAll() {
  int64_t deadline_ms = Deadline();
  while (!out_.empty()) {
    if (!SendSome()) return false;
    if (out_.empty()) return true;
    // A server that cannot send its replies stops reading, so read them meanwhile.
    int ready = 0;
    if (!Poll(POLLIN | POLLOUT, deadline_ms, &ready)) return false;
    if ((ready & POLLIN) != 0 && !ReceiveSome()) return false;
  }
  return connected() || Fail("not connected");
}

bool RespClient::SendSome() {
  if (!connected()) return Fail("not connected");
  std::array<std::string_view, 1> spans;
  out_.Gather(spans);
  ssize_t sent = send(socket_, spans[0].data(), spans[0].size(), MSG_NOSIGNAL);
  if (sent < 0) return WouldBlock(errno) || FailErrno("cannot send", errno);
  out_.Consume(static_cast<size_t>(sent));
  return true;
}

bool RespClient::ReceiveSome() {
  size_t before = in_.size();
  in_.resize(before + std::max(kReadSize, reader_.bytes_wanted()));
  ssize_t received = recv(socket_, in_.data() + before, in_.size() - before, 0);
  int code = errno;
  in_.resize(before + (received > 0 ? static_cast<size_t>(received) : 0));
  if (received > 0) return true;
  if (received == 0) return Fail("the server closed the connection");
  return WouldBlock(code) || FailErrno("cannot receive", code);
}

int64_t RespClient::Deadline() const { return timeout_ms_ == 0 ? kForever : NowMs() + timeout_ms_; }

bool RespClient::Poll(int events, int64_t deadline_ms, int* ready) {
  if (!connected()) return Fail("not connected");
  for (;;) {
    int wait_ms = -1;
    if (deadline_ms != kForever) {
      int64_t left_ms = std::max<int64_t>(deadline_ms - NowMs(), 0);
      wait_ms = static_cast<int>(std::min<int64_t>(left_ms, INT_MAX));
    }
    pollfd wanted = {socket_, static_cast<short>(events), 0};
    int count = poll(&wanted, 1, wait_ms);
    if (count < 0 && errno != EINTR) return FailErrno("cannot wait", errno);
    if (count == 0) return Fail("timed out");
    if (count < 0) continue;
    *ready = wanted.revents;
    return true;
  }
}

bool RespClient::Fail(std::string_view what) {
  error_ = what;
  Close();
  return false;
}

bool RespClient::FailErrno(std::string_view what, int code) {
  return Fail(Concat({what, ": ", std::generic_category().message(code)}));
}

}  // namespace cloakroom
