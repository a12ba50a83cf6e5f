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
  return *this;
}

void RespClient::Adopt(int socket) {
  // send and recv never block: only Poll() waits, and it knows the time-out.
  int flags = fcntl(socket, F_GETFL, 0);
  fcntl(socket, F_SETFL, flags | O_NONBLOCK);
  socket_ = socket;
}

absl::Status RespClient::FinishConnect(int socket, const void* address, size_t length) {
  Adopt(socket);
  const auto* target = static_cast<const sockaddr*>(address);
  if (connect(socket_, target, static_cast<socklen_t>(length)) == 0) return absl::OkStatus();
  if (errno != EINPROGRESS) return FailErrno("cannot connect", errno);
  if (absl::StatusOr<int> ready = Poll(POLLOUT, Deadline()); !ready.ok()) return ready.status();
  int code = 0;
  socklen_t size = sizeof(code);
  getsockopt(socket_, SOL_SOCKET, SO_ERROR, &code, &size);
  return code == 0 ? absl::OkStatus() : FailErrno("cannot connect", code);
}

absl::Status RespClient::ConnectTcp(const std::string& host, uint16_t port) {
  Close();
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  int code = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code != 0) return Fail(Concat({"cannot resolve ", host, ": ", gai_strerror(code)}));
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  absl::Status connected = absl::UnavailableError("no address");
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    int socket = ::socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) {
      connected = FailErrno("cannot open a socket", errno);
      continue;
    }
    connected = FinishConnect(socket, each->ai_addr, each->ai_addrlen);
    if (!connected.ok()) continue;
    int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    break;
  }
  return connected;
}

absl::Status RespClient::ConnectUnix(const std::string& path) {
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

absl::StatusOr<ReplyValue> RespClient::Call(std::span<const std::string_view> arguments) {
  Queue(arguments);
  absl::StatusOr<std::vector<ReplyValue>> replies = Flush();
  if (!replies.ok()) return replies.status();
  return std::move(replies->back());
}

void RespClient::Queue(std::span<const std::string_view> arguments) {
  ReplyWriter writer(out_);
  writer.Array(arguments.size());
  for (std::string_view argument : arguments) writer.Bulk(argument);
  ++queued_;
}

absl::StatusOr<std::vector<ReplyValue>> RespClient::Flush() {
  if (absl::Status sent = SendAll(); !sent.ok()) return sent;
  std::vector<ReplyValue> replies;
  replies.reserve(queued_);
  while (replies.size() < queued_) {
    absl::StatusOr<ReplyValue> reply = ReadAnswer();
    if (!reply.ok()) return reply.status();
    replies.push_back(std::move(*reply));
  }
  queued_ = 0;
  return replies;
}

absl::StatusOr<ReplyValue> RespClient::ReadAnswer() {
  for (;;) {
    absl::StatusOr<ReplyValue> reply = Read();
    if (!reply.ok() || reply->kind != ReplyValue::Kind::kPush) return reply;
    pushes_.push_back(std::move(*reply));
  }
}

absl::Status RespClient::SendRaw(std::string_view bytes) {
  out_.Append(bytes);
  return SendAll();
}

absl::StatusOr<ReplyValue> RespClient::Read() {
  int64_t deadline_ms = Deadline();
  for (;;) {
    ReplyReader::Status status = reader_.Read(in_);
    if (status == ReplyReader::Status::kReply) return reader_.TakeReply();
    if (status == ReplyReader::Status::kError) return Fail(reader_.error());
    in_.erase(0, reader_.TakeConsumed());
    if (absl::Status received = Await(deadline_ms); !received.ok()) return received;
  }
}

absl::Status RespClient::Skip(size_t replies) {
  int64_t deadline_ms = Deadline();
  in_.erase(0, reader_.TakeConsumed());
  ReplyCounter counter;
  for (size_t seen = 0;;) {
    std::string_view left = in_;
    seen += counter.Feed(&left, replies - seen);
    in_.erase(0, in_.size() - left.size());
    if (seen == replies) {
      if (counter.errors() == 0) return absl::OkStatus();
      return absl::FailedPreconditionError(counter.last_error());
    }
    if (counter.broken()) return Fail("Protocol error: not a reply");
    if (absl::Status received = Await(deadline_ms); !received.ok()) return received;
  }
}

std::vector<ReplyValue> RespClient::TakePushes() { return std::exchange(pushes_, {}); }

absl::Status RespClient::SendAll() {
  int64_t deadline_ms = Deadline();
  while (!out_.empty()) {
    if (absl::Status sent = SendSome(); !sent.ok()) return sent;
    if (out_.empty()) return absl::OkStatus();
    // A server that cannot send its replies stops reading, so read them meanwhile.
    const absl::StatusOr<int> ready = Poll(POLLIN | POLLOUT, deadline_ms);
    if (!ready.ok()) return ready.status();
    if ((*ready & POLLIN) == 0) continue;
    if (absl::Status received = ReceiveSome(); !received.ok()) return received;
  }
  return connected() ? absl::OkStatus() : Fail("not connected");
}

absl::Status RespClient::SendSome() {
  if (!connected()) return Fail("not connected");
  std::array<std::string_view, 1> spans;
  out_.Gather(spans);
  ssize_t sent = send(socket_, spans[0].data(), spans[0].size(), MSG_NOSIGNAL);
  if (sent < 0) return WouldBlock(errno) ? absl::OkStatus() : FailErrno("cannot send", errno);
  out_.Consume(static_cast<size_t>(sent));
  return absl::OkStatus();
}

absl::Status RespClient::ReceiveSome() {
  size_t before = in_.size();
  in_.resize(before + std::max(kReadSize, reader_.bytes_wanted()));
  ssize_t received = recv(socket_, in_.data() + before, in_.size() - before, 0);
  int code = errno;
  in_.resize(before + (received > 0 ? static_cast<size_t>(received) : 0));
  if (received > 0) return absl::OkStatus();
  if (received == 0) return Fail("the server closed the connection");
  return WouldBlock(code) ? absl::OkStatus() : FailErrno("cannot receive", code);
}

absl::Status RespClient::Await(int64_t deadline_ms) {
  const absl::StatusOr<int> ready = Poll(POLLIN, deadline_ms);
  return ready.ok() ? ReceiveSome() : ready.status();
}

int64_t RespClient::Deadline() const { return timeout_ms_ == 0 ? kForever : NowMs() + timeout_ms_; }

absl::StatusOr<int> RespClient::Poll(int events, int64_t deadline_ms) {
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
    return wanted.revents;
  }
}

absl::Status RespClient::Fail(std::string_view what) {
  // The words may be the reader's, which Close() makes anew.
  absl::Status failed = absl::UnavailableError(absl::string_view(what.data(), what.size()));
  Close();
  return failed;
}

absl::Status RespClient::FailErrno(std::string_view what, int code) {
  return Fail(Concat({what, ": ", std::generic_category().message(code)}));
}

}  // namespace cloakroom
