#include "server/net/socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

namespace cloakroom {
namespace {

class SocketTest : public testing::Test {
 protected:
  SocketTest() : SocketTest(Pair()) {}

  static std::array<int, 2> Pair() {
    std::array<int, 2> fds{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()), 0);
    return fds;
  }
  std::string Received(Socket& socket) {
    std::array<char, 1024> bytes{};
    const std::optional<size_t> n = socket.Receive(bytes);
    return n ? std::string(bytes.data(), *n) : "the end";
  }

  Socket near_;
  Socket far_;

 private:
  explicit SocketTest(std::array<int, 2> fds) : near_(fds[0]), far_(fds[1]) {}
};

TEST_F(SocketTest, SendsOneSpan) {
  const std::string_view word = "hello";
  EXPECT_EQ(near_.Send({&word, 1}), 5U);
  EXPECT_EQ(Received(far_), "hello");
}

TEST_F(SocketTest, SendsManySpansInOneCall) {
  const std::vector<std::string_view> words = {"hel", "lo, ", "world"};
  EXPECT_EQ(near_.Send(words), 12U);
  EXPECT_EQ(Received(far_), "hello, world");
}

TEST_F(SocketTest, SendsNoMoreThanItsSpansAtOnce) {
  const std::vector<std::string_view> words(Socket::kMaxSpans + 10, "x");
  EXPECT_EQ(near_.Send(words), Socket::kMaxSpans);
}

TEST_F(SocketTest, NothingToReceiveIsNotTheEnd) {
  std::array<char, 8> bytes{};
  EXPECT_EQ(near_.Receive(bytes), 0U);
}

TEST_F(SocketTest, ClosedOtherEndIsTheEnd) {
  far_.Close();
  EXPECT_EQ(Received(near_), "the end");
  const std::string_view word = "hello";
  EXPECT_EQ(near_.Send({&word, 1}), std::nullopt);
}

TEST_F(SocketTest, FullSocketTakesNothing) {
  const std::string many(1 << 20, 'x');
  const std::string_view bytes = many;
  while (near_.Send({&bytes, 1}).value() > 0) {
  }
  EXPECT_EQ(near_.Send({&bytes, 1}), 0U);
  while (Received(far_).size() == 1024) {
  }
  EXPECT_GT(near_.Send({&bytes, 1}).value(), 0U);
}

TEST_F(SocketTest, OwnsItsDescriptor) {
  const int fd = near_.fd();
  {
    const Socket moved = std::move(near_);
    EXPECT_EQ(moved.fd(), fd);
  }
  EXPECT_EQ(fcntl(fd, F_GETFD), -1);
  EXPECT_EQ(errno, EBADF);
}

}  // namespace
}  // namespace cloakroom
