#include "tests/server/support/loop_fixture.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "server/net/plain_stream.h"
#include "server/persistence/persistence.h"
#include "server/session/client_registry.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {

Peer::Peer(EventLoop& loop, std::shared_ptr<Client> client) : client_(std::move(client)) {
  std::array<int, 2> fds{};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()), 0);
  fd_ = fds[1];
  client_->fd = fds[0];
  auto connection =
      std::make_shared<Connection>(loop, std::make_unique<PlainStream>(fds[0]), client_);
  client_->link = connection;
  loop.Post([connection] { connection->Start(); });
}

Peer::~Peer() { close(fd_); }

void Peer::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
    ASSERT_TRUE(sent > 0 || errno == EAGAIN);
  }
}

std::string Peer::Received() {
  std::array<char, 64 * 1024> buffer;
  while (true) {
    const ssize_t n = recv(fd_, buffer.data(), buffer.size(), 0);
    if (n == 0 || (n < 0 && errno != EAGAIN)) closed_ = true;
    if (n <= 0) break;
    received_.append(buffer.data(), static_cast<size_t>(n));
  }
  return std::exchange(received_, "");
}

std::string Peer::Await(size_t bytes) {
  std::string text;
  AwaitThat(
      [&] {
        text += Received();
        return text.size() >= bytes || closed_;
      },
      "nothing comes");
  return text;
}

void Peer::Exchange(std::string_view request, std::string_view reply) {
  Send(request);
  EXPECT_EQ(Await(reply.size()), reply) << request;
}

LoopTest::LoopTest(FaultyFiles& files, const std::vector<std::string>& options,
                   std::span<const CommandFamily> families)
    : ServerTest(files, options, families), files_(files) {
  server_.persistence().loader().Begin();
  EXPECT_OK(server_.persistence().loader().LoadAtStart([] { return false; }));
  for (int i = 0; i < 2; ++i) {
    loops_.push_back(std::make_unique<EventLoop>(server_, loads_, running_loops_, i));
  }
  for (auto& loop : loops_) loop->Start();
}

LoopTest::~LoopTest() {
  Free();
  files_.ReleaseSyncs();
  for (auto& loop : loops_) loop->Stop();
  for (auto& loop : loops_) loop->Join();
  server_.workers().Stop();
  // The log's writer posts to the loops.
  static_cast<void>(server_.persistence().journal().file().Close());
}

Peer& LoopTest::Connect(EventLoop& loop) {
  auto client = std::make_shared<Client>(server_.clients().NextId(), clock_.NowMs());
  client->address = client->local_address = "peer:0";
  client->local = client->authenticated = true;
  server_.clients().Add(client);
  loads_.Enter(loop.index());
  peers_.push_back(std::make_unique<Peer>(loop, std::move(client)));
  return *peers_.back();
}

void LoopTest::Park(Peer& peer, std::string_view request) {
  peer.Send(request);
  AwaitThat(
      [&] {
        MutexLock lock(peer.client().mutex);
        return peer.client().blocked_request != nullptr;
      },
      request);
}

void LoopTest::Occupy(EventLoop& loop) {
  MutexLock lock(mutex_);
  occupied_ = true;
  loop.Post([this] {
    MutexLock busy_lock(mutex_);
    busy_ = true;
    changed_.NotifyAll();
    while (occupied_) changed_.Wait(mutex_);
    busy_ = false;
    changed_.NotifyAll();
  });
  while (!busy_) changed_.Wait(mutex_);
}

void LoopTest::Free() {
  MutexLock lock(mutex_);
  occupied_ = false;
  changed_.NotifyAll();
  while (busy_) changed_.Wait(mutex_);
}

}  // namespace cloakroom
