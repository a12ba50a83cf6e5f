#include "server/net/event_loop.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "server/net/connection.h"
#include "server/net/plain_stream.h"
#include "server/session/client_registry.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

constexpr size_t kReadAtOnce = 64 * 1024;

/// A client of the loop: the other end of its connection's socket.
class Peer {
 public:
  Peer(Server& server, EventLoop& loop) {
    std::array<int, 2> fds{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds.data()), 0);
    fd_ = fds[0];
    EXPECT_EQ(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    // A test that waits for too long ends, and fails.
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    EXPECT_EQ(setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    client_ = std::make_shared<Client>(server.clients().NextId(), server.clock().NowMs());
    client_->authenticated = true;
    connection_ =
        std::make_shared<Connection>(loop, std::make_unique<PlainStream>(fds[1]), client_);
    client_->link = connection_;
    server.clients().Add(client_);
  }
  ~Peer() { close(fd_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  /// Begins to be served. Called on the loop, which owns the connection from then on.
  void Start() { std::exchange(connection_, nullptr)->Start(); }
  Client& client() { return *client_; }

  void Send(std::string_view bytes) {
    EXPECT_EQ(send(fd_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }
  /// The bytes that come until they end with `end`, or the connection ends.
  std::string ReadUntil(std::string_view end) {
    std::string text;
    std::array<char, kReadAtOnce> bytes{};
    while (!text.ends_with(end)) {
      const ssize_t n = recv(fd_, bytes.data(), bytes.size(), 0);
      if (n <= 0) break;
      text.append(bytes.data(), static_cast<size_t>(n));
    }
    return text;
  }
  /// The number of bytes that come before the connection ends.
  size_t CountUntilClosed() {
    size_t count = 0;
    std::array<char, kReadAtOnce> bytes{};
    for (ssize_t n; (n = recv(fd_, bytes.data(), bytes.size(), 0)) > 0;) {
      count += static_cast<size_t>(n);
    }
    return count;
  }

 private:
  int fd_ = -1;
  std::shared_ptr<Client> client_;
  std::shared_ptr<Connection> connection_;
};

/// One event loop on its own thread. Work that a test posts together is in one round of the loop.
class EventLoopTest : public ServerTest {
 protected:
  EventLoopTest() : loop_(server_, loads_, running_loops_, 1) { loop_.Start(); }
  ~EventLoopTest() override {
    loop_.Stop();
    loop_.Join();
  }

  std::unique_ptr<Peer> NewPeer() { return std::make_unique<Peer>(server_, loop_); }
  /// Has the loop serve the peers from now on, in this order in its first round.
  void Serve(std::initializer_list<Peer*> peers) {
    for (size_t i = 0; i < peers.size(); ++i) loads_.Enter(1);
    OnLoop([&] {
      for (Peer* peer : peers) peer->Start();
    });
  }
  void OnLoop(const std::function<void()>& task) {
    std::promise<void> done;
    loop_.Post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  LoopLoads loads_{2};
  RunningLoops running_loops_{2};
  EventLoop loop_;
};

std::string Times(int n, std::string_view text) {
  std::string all;
  for (int i = 0; i < n; ++i) all += text;
  return all;
}

TEST_F(EventLoopTest, ALongPipelineLetsOthersBeServedAfterATurn) {
  constexpr int kRequests = 2000;
  auto greedy = NewPeer();
  auto modest = NewPeer();
  greedy->Send(Times(kRequests, "*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n"));
  modest->Send("*2\r\n$3\r\nGET\r\n$1\r\nn\r\n");
  Serve({greedy.get(), modest.get()});
  EXPECT_EQ(modest->ReadUntil("\r\n128\r\n"), "$3\r\n128\r\n") << "one turn, in the first round";
  EXPECT_TRUE(greedy->ReadUntil(":2000\r\n").starts_with(":1\r\n:2\r\n"));
}

TEST_F(EventLoopTest, LongPipelinesTakeTurnsAndAllAreFinished) {
  constexpr int kRequests = 1000;
  auto one = NewPeer();
  auto two = NewPeer();
  auto three = NewPeer();
  const std::string requests = Times(kRequests, "*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n");
  for (Peer* peer : {one.get(), two.get(), three.get()}) peer->Send(requests);
  Serve({one.get(), two.get(), three.get()});
  // The first client ends one turn before the second, and so on: 7 turns of 128, and one of 104.
  EXPECT_TRUE(one->ReadUntil(":2792\r\n").ends_with(":2792\r\n"));
  EXPECT_TRUE(two->ReadUntil(":2896\r\n").ends_with(":2896\r\n"));
  EXPECT_TRUE(three->ReadUntil(":3000\r\n").ends_with(":3000\r\n"));
}

TEST_F(EventLoopTest, AClientThatDoesNotReadIsNotExecutedFurtherUntilItDoes) {
  constexpr int kRequests = 400;
  constexpr size_t kReply = 1'000'000;
  constexpr int kFields = 10'000;
  // Small fields, because they are copied into the reply.
  std::vector<std::string> fields = {"HSET", "big"};
  for (int i = 0; i < kFields; ++i) {
    fields.push_back("field:" + std::to_string(i));
    fields.emplace_back(kReply / kFields, 'x');
  }
  Run(fields);
  auto deaf = NewPeer();
  auto other = NewPeer();
  deaf->Send(Times(kRequests, "*2\r\n$7\r\nHGETALL\r\n$3\r\nbig\r\n") + "PING\r\n");
  Serve({deaf.get(), other.get()});
  // Ready clients are served before those in line: with so many rounds there are at least as many
  // turns.
  int64_t executed = -1;
  while (deaf->client().commands != executed) {
    executed = deaf->client().commands;
    for (int i = 0; i < 3; ++i) {
      other->Send("PING\r\n");
      EXPECT_EQ(other->ReadUntil("\r\n"), "+PONG\r\n");
    }
  }
  EXPECT_GT(executed, 1);
  EXPECT_LT(executed, kRequests / 2);
  EXPECT_LT(deaf->client().output_memory, 200 << 20);
  EXPECT_GT(deaf->ReadUntil("+PONG\r\n").size(), kRequests * kReply);
}

TEST_F(EventLoopTest, WhoReachesTheOutputLimitIsClosedBetweenTwoRequests) {
  constexpr int kRequests = 100;
  Run({"HSET", "big", "field", std::string(100'000, 'x')});
  ASSERT_EQ(Run({"CONFIG", "SET", "client-output-buffer-limit", "normal 150000 0 0"}), "+OK\r\n");
  auto deaf = NewPeer();
  deaf->Send(Times(kRequests, "*2\r\n$7\r\nHGETALL\r\n$3\r\nbig\r\n"));
  Serve({deaf.get()});
  EXPECT_EQ(deaf->CountUntilClosed(), 0U) << "what waits is not sent, as in Redis";
  EXPECT_EQ(deaf->client().commands, 2) << "the one that reached the limit was the last";
}

TEST_F(EventLoopTest, RepliesThatStayBelowTheLimitAreAllSent) {
  constexpr int kRequests = 100;
  Run({"HSET", "big", "field", std::string(100'000, 'x')});
  ASSERT_EQ(Run({"CONFIG", "SET", "client-output-buffer-limit", "normal 150000 0 0"}), "+OK\r\n");
  auto reader = NewPeer();
  Serve({reader.get()});
  for (int i = 0; i < kRequests; ++i) {
    reader->Send("HGETALL big\r\nPING\r\n");
    EXPECT_GT(reader->ReadUntil("+PONG\r\n").size(), 100'000U);
  }
}

TEST_F(EventLoopTest, AClientThatIsKilledBetweenTwoTurnsExecutesNoMore) {
  constexpr int kRequests = 2000;
  auto greedy = NewPeer();
  auto killer = NewPeer();
  greedy->Send(Times(kRequests, "*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n"));
  killer->Send("CLIENT KILL ID " + std::to_string(greedy->client().id) + "\r\n");
  Serve({greedy.get(), killer.get()});
  EXPECT_EQ(killer->ReadUntil("\r\n"), ":1\r\n");
  greedy->CountUntilClosed();
  EXPECT_LT(greedy->client().commands, kRequests / 2);
}

TEST_F(EventLoopTest, ConnectionsThatCloseLeaveTheOthersWhereTheyAre) {
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 20; ++i) peers.push_back(NewPeer());
  for (auto& peer : peers) Serve({peer.get()});
  for (size_t i : {0, 18, 5, 16, 3}) {
    peers[i]->Send("QUIT\r\n");
    EXPECT_EQ(peers[i]->CountUntilClosed(), 5U);
    peers.erase(peers.begin() + static_cast<ptrdiff_t>(i));
  }
  for (auto& peer : peers) {
    peer->Send("PING\r\n");
    EXPECT_EQ(peer->ReadUntil("\r\n"), "+PONG\r\n");
  }
}

}  // namespace
}  // namespace cloakroom
