#include "bench/sale_day/load.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "bench/sale_day/wire.h"
#include "clients/reply_counter.h"

namespace cloakroom::bench {

namespace {

constexpr int64_t kWarmUpNs = 200'000'000;

/// One client, and how far it is in its visit.
struct Client {
  int fd = -1;
  const Visit* visit = nullptr;
  size_t step = 0;
  size_t sent = 0;     // bytes of the step that were sent
  size_t awaited = 0;  // replies of the step still to come
  int64_t started_ns = 0;
  std::string fence;    // of the session that it has opened
  std::string patched;  // the step's bytes with that
  ReplyCounter counter;
};

class Load {
 public:
  Load(const LoadOptions& options, const std::vector<Visit>& visits)
      : options_(options), visits_(visits), clients_(static_cast<size_t>(options.connections)) {}

  Figures Run(double ops_per_visit);

 private:
  void Open(Client& client);
  void Close(Client& client);
  void Begin(Client& client);
  void Flush(Client& client);
  void NoteFence(Client& client, std::string_view bytes);
  void Drain(Client& client);
  void Advance(Client& client);
  void Poll(int64_t until_ns);

  const LoadOptions& options_;
  const std::vector<Visit>& visits_;
  std::vector<Client> clients_;
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  size_t next_visit_ = 0;
  uint64_t finished_ = 0;
  Latencies latencies_;
  std::string buffer_ = std::string(256 * 1024, '\0');
};

void Load::Open(Client& client) {
  client.fd = Connect(options_.port, true);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &client;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, client.fd, &event) != 0) Fail("epoll_ctl");
}

void Load::Close(Client& client) {
  close(client.fd);
  client.fd = -1;
}

void Load::Begin(Client& client) {
  client.started_ns = NowNs();
  if (client.fd < 0) Open(client);
  client.visit = &visits_[next_visit_++ % visits_.size()];
  client.step = 0;
  client.sent = 0;
  client.awaited = client.visit->front().replies;
  Flush(client);
}

void Load::Flush(Client& client) {
  const Step& step = (*client.visit)[client.step];
  if (step.fenced && client.sent == 0) {
    client.patched = step.bytes;
    for (size_t at = 0; (at = client.patched.find(kAnyFence, at)) != std::string::npos;)
      client.patched.replace(at, kAnyFence.size(), client.fence);
  }
  const std::string& bytes = step.fenced ? client.patched : step.bytes;
  while (client.sent < bytes.size()) {
    const ssize_t n =
        send(client.fd, bytes.data() + client.sent, bytes.size() - client.sent, MSG_NOSIGNAL);
    if (n > 0) {
      client.sent += static_cast<size_t>(n);
    } else if (errno == EAGAIN) {
      // The rest is sent when replies arrive: a batch is far smaller than a socket's buffers.
      return;
    } else {
      Fail(std::string("send: ") + std::strerror(errno));
    }
  }
}

/// Before the last step of a visit that needs it: the number after SESSION.OPEN's array.
void Load::NoteFence(Client& client, std::string_view bytes) {
  const size_t next = client.step + 1;
  if (next >= client.visit->size() || !(*client.visit)[next].fenced) return;
  const size_t at = bytes.find("*6\r\n:");
  if (at != std::string_view::npos) client.fence = bytes.substr(at + 5, kAnyFence.size());
}

void Load::Drain(Client& client) {
  const ssize_t n = recv(client.fd, buffer_.data(), buffer_.size(), 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) Fail("the server closed a connection");
  NoteFence(client, {buffer_.data(), static_cast<size_t>(n)});
  const size_t done = client.counter.Feed({buffer_.data(), static_cast<size_t>(n)});
  if (client.counter.broken()) Fail("the server sent what is no reply");
  if (client.counter.errors() > 0) Fail("the server said " + client.counter.last_error());
  if (done > client.awaited) Fail("more replies than requests");
  client.awaited -= done;
  if (client.awaited == 0)
    Advance(client);
  else
    Flush(client);
}

void Load::Advance(Client& client) {
  if (++client.step < client.visit->size()) {
    client.sent = 0;
    client.awaited = (*client.visit)[client.step].replies;
    Flush(client);
    return;
  }
  ++finished_;
  latencies_.Add(NowNs() - client.started_ns);
  if (options_.reconnect) Close(client);
  Begin(client);
}

void Load::Poll(int64_t until_ns) {
  epoll_event events[256];
  while (NowNs() < until_ns) {
    const int n = epoll_wait(epoll_, events, 256, 1000);
    for (int i = 0; i < n; ++i) Drain(*static_cast<Client*>(events[i].data.ptr));
  }
}

Figures Load::Run(double ops_per_visit) {
  for (Client& client : clients_) Begin(client);
  Poll(NowNs() + kWarmUpNs);
  latencies_ = Latencies();
  const uint64_t finished_before = finished_;
  const ProcessUse before = CpuOf(options_.server_pid);
  const int64_t start_ns = NowNs();
  Poll(start_ns + options_.seconds * 1'000'000'000LL);
  const int64_t took_ns = NowNs() - start_ns;
  const ProcessUse after = CpuOf(options_.server_pid);
  for (Client& client : clients_) Close(client);
  close(epoll_);

  const double ops = static_cast<double>(finished_ - finished_before) * ops_per_visit;
  if (ops == 0) Fail("nothing was answered");
  Figures figures;
  // Includes the warm-up: the log's size is divided by it.
  figures["finished"] = static_cast<double>(finished_) * ops_per_visit;
  figures["ops_per_s"] = ops * 1e9 / static_cast<double>(took_ns);
  figures["cpu_us_per_op"] = (after.total_us() - before.total_us()) / ops;
  figures["user_us_per_op"] = (after.user_us - before.user_us) / ops;
  latencies_.Report(figures);
  return figures;
}

}  // namespace

Figures RunLoad(const LoadOptions& options, const std::vector<Visit>& visits,
                double ops_per_visit) {
  return Load(options, visits).Run(ops_per_visit);
}

}  // namespace cloakroom::bench
