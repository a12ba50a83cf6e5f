#include "server/net/plain_stream.h"

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

class PlainStreamTest : public testing::Test {
 protected:
  PlainStreamTest() : PlainStreamTest(Pair()) {}

  static std::array<int, 2> Pair() {
    std::array<int, 2> fds{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()), 0);
    return fds;
  }
  std::string Received(PlainStream& stream) {
    std::array<char, 1024> bytes{};
    const std::optional<SocketStream::Received> received = stream.Receive(bytes);
    return received ? std::string(bytes.data(), received->bytes) : "the end";
  }

  PlainStream near_;
  PlainStream far_;

 private:
  explicit PlainStreamTest(std::array<int, 2> fds) : near_(fds[0]), far_(fds[1]) {}
};

TEST_F(PlainStreamTest, SendsOneSpan) {
  const std::string_view word = "hello";
  EXPECT_EQ(near_.Send({&word, 1}), 5U);
  EXPECT_EQ(Received(far_), "hello");
}

TEST_F(PlainStreamTest, SendsManySpansInOneCall) {
  const std::vector<std::string_view> words = {"hel", "lo, ", "world"};
  EXPECT_EQ(near_.Send(words), 12U);
  EXPECT_EQ(Received(far_), "hello, world");
}

TEST_F(PlainStreamTest, SendsNoMoreThanItsSpansAtOnce) {
  const std::vector<std::string_view> words(SocketStream::kMaxSpans + 10, "x");
  EXPECT_EQ(near_.Send(words), SocketStream::kMaxSpans);
}

TEST_F(PlainStreamTest, NothingToReceiveIsNotTheEnd) {
  std::array<char, 8> bytes{};
  const std::optional<SocketStream::Received> received = near_.Receive(bytes);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->bytes, 0U);
  EXPECT_FALSE(received->more);
}

TEST_F(PlainStreamTest, SaysThatThereMayBeMoreWhenAllRoomWasTaken) {
  const std::string_view words = "more than eight";
  near_.Send({&words, 1});
  std::array<char, 8> bytes{};
  EXPECT_TRUE(far_.Receive(bytes)->more);
  EXPECT_FALSE(far_.Receive(bytes)->more);
}

TEST_F(PlainStreamTest, ClosedOtherEndIsTheEnd) {
  far_.Close();
  EXPECT_EQ(Received(near_), "the end");
  const std::string_view word = "hello";
  EXPECT_EQ(near_.Send({&word, 1}), std::nullopt);
}

TEST_F(PlainStreamTest, FullSocketTakesNothing) {
  const std::string many(1 << 20, 'x');
  const std::string_view bytes = many;
  while (near_.Send({&bytes, 1}).value() > 0) {
  }
  EXPECT_EQ(near_.Send({&bytes, 1}), 0U);
  while (Received(far_).size() == 1024) {
  }
  EXPECT_GT(near_.Send({&bytes, 1}).value(), 0U);
}

TEST_F(PlainStreamTest, NeedsNothingButWhatItIsAskedFor) {
  EXPECT_FALSE(near_.receives_when_writable());
  EXPECT_FALSE(near_.sends_when_readable());
}

TEST(PlainStreamEndTest, OwnsItsDescriptor) {
  std::array<int, 2> fds{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()), 0);
  {
    const PlainStream one(fds[0]);
    PlainStream other(fds[1]);
    other.Close();
    EXPECT_EQ(fcntl(fds[1], F_GETFD), -1);
    EXPECT_EQ(one.fd(), fds[0]);
  }
  EXPECT_EQ(fcntl(fds[0], F_GETFD), -1);
  EXPECT_EQ(errno, EBADF);
}

}  // namespace
}  // namespace cloakroom
