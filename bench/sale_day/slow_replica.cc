#include "bench/sale_day/slow_replica.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "bench/sale_day/figures.h"
#include "bench/sale_day/probe.h"
#include "bench/sale_day/wire.h"
#include "clients/request.h"

namespace cloakroom::bench {

namespace {

constexpr size_t kBlock = 64 * 1024;
constexpr size_t kMarkBytes = 40;

constexpr int64_t kAgainNs = kSecond / 2;
constexpr std::string_view kMarked = "$EOF:";
constexpr std::string_view kFullSync = "+FULLRESYNC ";

int OpenSocket(int port) {
  const int fd = Connect(port, false);
  // The kernel buffers little, so the primary feels how slowly this reads.
  const int bytes = 4 * kBlock;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  const timeval tenth{.tv_sec = 0, .tv_usec = 100'000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tenth, sizeof tenth);
  return fd;
}

}  // namespace

SlowReplica::SlowReplica(int port, int64_t bytes_per_s)
    : port_(port), bytes_per_s_(bytes_per_s), thread_([this] { Run(); }) {}

SlowReplica::~SlowReplica() { Stop(); }

void SlowReplica::Stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void SlowReplica::Run() {
  while (!stopping_ && drops_ < kMostDrops) {
    fd_ = OpenSocket(port_);
    buffer_.clear();
    Follow();
    close(fd_);
    if (stopping_) return;
    ++drops_;
    SleepNs(kAgainNs);
  }
}

/// One connection, from the handshake until one of the two ends closes it.
void SlowReplica::Follow() {
  snapshot_ns_ = 0;
  snapshot_bytes_ = 0;
  Greet();
  const std::string answer = ReadLine();
  if (answer.empty()) return;
  if (!answer.starts_with(kFullSync)) Fail("a replica that has nothing was told " + answer);
  const int64_t offset = std::atoll(answer.c_str() + answer.rfind(' '));
  const std::string header = ReadLine();
  if (header.empty()) return;
  if (!header.starts_with(kMarked)) Fail("the snapshot begins with " + header);
  if (!ReadSnapshot(std::string_view(header).substr(kMarked.size()))) return;
  snapshot_ns_ = NowNs();
  ReadStream(offset);
}

void SlowReplica::Greet() {
  for (const std::string& request :
       {Request({"PING"}), Request({"REPLCONF", "listening-port", "1"}),
        Request({"REPLCONF", "capa", "eof", "capa", "psync2"})}) {
    Say(request);
    if (ReadLine().starts_with('-')) Fail("the primary refuses a replica");
  }
  Say(Request({"PSYNC", "?", "-1"}));
}

/// The next line that is not empty; "" when the primary has closed. It sends empty lines to show
/// that it is alive.
std::string SlowReplica::ReadLine() {
  for (;;) {
    const size_t end = buffer_.find('\n');
    if (end == std::string::npos) {
      if (Receive() == 0) return "";
      continue;
    }
    std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) return line;
  }
}

/// The primary sends nothing behind the mark until it hears of this replica's offset, so the mark
/// is always the last that has come.
bool SlowReplica::ReadSnapshot(std::string_view mark) {
  snapshot_bytes_ = static_cast<int64_t>(buffer_.size());
  while (!buffer_.ends_with(mark)) {
    buffer_.erase(0, buffer_.size() - std::min(buffer_.size(), kMarkBytes));
    const size_t got = Receive();
    if (got == 0) return false;
    snapshot_bytes_ += static_cast<int64_t>(got);
  }
  buffer_.clear();
  return true;
}

void SlowReplica::ReadStream(int64_t offset) {
  int64_t told_ns = 0;
  for (;;) {
    if (NowNs() - told_ns > kSecond) {
      told_ns = NowNs();
      Acknowledge(offset);
    }
    buffer_.clear();
    const size_t got = Receive();
    if (got == 0) return;
    offset += static_cast<int64_t>(got);
  }
}

size_t SlowReplica::Receive() {
  const int64_t early_ns = due_ns_ - NowNs();
  if (early_ns > 0) SleepNs(early_ns);
  const size_t had = buffer_.size();
  buffer_.resize(had + kBlock);
  while (!stopping_) {
    const ssize_t got = recv(fd_, buffer_.data() + had, kBlock, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got <= 0) break;
    buffer_.resize(had + static_cast<size_t>(got));
    // Time in which nothing came is no credit.
    due_ns_ = std::max(due_ns_, NowNs() - kSecond / 100) + got * kSecond / bytes_per_s_;
    return static_cast<size_t>(got);
  }
  buffer_.resize(had);
  return 0;
}

void SlowReplica::Acknowledge(int64_t offset) {
  Say(Request({"REPLCONF", "ACK", std::to_string(offset)}));
}

/// A primary that has closed is noticed when the next bytes are received.
void SlowReplica::Say(std::string_view bytes) {
  if (send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0 && errno != EPIPE &&
      errno != ECONNRESET)
    Fail(std::string("send: ") + std::strerror(errno));
}

}  // namespace cloakroom::bench
