#include "server/session/socket_stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "server/net/connection.h"
#include "server/net/plain_stream.h"
#include "server/session/client_registry.h"
#include "tests/server/support/loop_fixture.h"

namespace cloakroom {
namespace {

/// Behaves as an encrypted stream may: before it receives or sends, it exchanges a byte each way,
/// and it reads all that the socket has but returns a few bytes at a time.
class WaywardStream final : public SocketStream {
 public:
  explicit WaywardStream(int fd) : plain_(fd) {}

  int fd() const override { return plain_.fd(); }
  std::optional<Received> Receive(std::span<char> into) override {
    if (!greeted_ && !Greet()) return Received{};
    if (!greeting_taken_ && !TakeGreeting()) return Received{};
    std::array<char, 4096> bytes{};
    const std::optional<Received> received = plain_.Receive(bytes);
    if (received) taken_.append(bytes.data(), received->bytes);
    if (taken_.empty()) return received;
    const size_t n = std::min({taken_.size(), into.size(), kAtOnce});
    std::memcpy(into.data(), taken_.data(), n);
    taken_.erase(0, n);
    return Received{.bytes = n, .more = !taken_.empty() || received->more};
  }
  std::optional<size_t> Send(std::span<const std::string_view> spans) override {
    sends_when_readable_ = !confirmed_ && !Confirm();
    return sends_when_readable_ ? 0 : plain_.Send(spans);
  }
  bool receives_when_writable() const override { return !greeted_; }
  bool sends_when_readable() const override { return sends_when_readable_; }
  void Close() override { plain_.Close(); }

 private:
  static constexpr size_t kAtOnce = 5;

  bool Greet() {
    // As if the socket were full at first.
    if (std::exchange(full_, false)) return false;
    const std::string_view greeting = "?";
    greeted_ = plain_.Send({&greeting, 1}) == 1U;
    return greeted_;
  }
  bool TakeGreeting() {
    char byte = 0;
    greeting_taken_ = plain_.Receive({&byte, 1})->bytes == 1;
    return greeting_taken_;
  }
  bool Confirm() {
    char byte = 0;
    confirmed_ = plain_.Receive({&byte, 1})->bytes == 1;
    return confirmed_;
  }

  PlainStream plain_;
  bool full_ = true;
  bool greeted_ = false;
  bool greeting_taken_ = false;
  bool confirmed_ = false;
  bool sends_when_readable_ = false;
  std::string taken_;
};

/// The first base of the fixture, so that the files outlive the server.
struct Disk {
  FaultyFiles files;
};

class StreamTest : private Disk, public LoopTest {
 protected:
  StreamTest() : LoopTest(Disk::files, {"--save", ""}) {
    std::array<int, 2> fds{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()), 0);
    fd_ = fds[1];
    client_ = std::make_shared<Client>(server_.clients().NextId(), clock_.NowMs());
    client_->authenticated = true;
    server_.clients().Add(client_);
    loop(0).Post([this, client = client_, fd = fds[0]] {
      auto connection =
          std::make_shared<Connection>(loop(0), std::make_unique<WaywardStream>(fd), client);
      client->link = connection;
      connection->Start();
    });
    loads().Enter(0);
  }
  ~StreamTest() override { close(fd_); }

  void Send(std::string_view bytes) {
    EXPECT_EQ(write(fd_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  std::string Await(size_t size) {
    std::string text;
    AwaitThat(
        [&] {
          std::array<char, 4096> bytes{};
          const ssize_t n = read(fd_, bytes.data(), bytes.size());
          if (n > 0) text.append(bytes.data(), static_cast<size_t>(n));
          return text.size() >= size;
        },
        "nothing comes");
    return text;
  }

  std::shared_ptr<Client> client_;

 private:
  int fd_ = -1;
};

TEST_F(StreamTest, MayHaveToWriteToReadAndToReadToWriteAndHasBytesOfItsOwn) {
  Send("!");
  EXPECT_EQ(Await(1), "?") << "when there was room";
  Send("*2\r\n$4\r\nECHO\r\n$13\r\nin small bits\r\n");
  AwaitThat([&] { return client_->output_bytes > 0; }, "the reply waits for a byte to read");
  Send("!");
  EXPECT_EQ(Await(20), "$13\r\nin small bits\r\n");
  // All of it comes at once, and the poller reports it once.
  Send("*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n");
  EXPECT_EQ(Await(21), "+PONG\r\n+PONG\r\n+PONG\r\n");
}

}  // namespace
}  // namespace cloakroom
