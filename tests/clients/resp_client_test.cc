#include "clients/resp_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A client, and the server's end of its connection, which the test controls.
class RespClientTest : public ::testing::Test {
 protected:
  RespClientTest() {
    int sockets[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    client_ = RespClient(sockets[0]);
    server_ = sockets[1];
  }
  ~RespClientTest() override { HangUp(); }

  void Answer(std::string_view bytes) {
    ASSERT_EQ(write(server_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  std::string Received() {
    std::string bytes(4096, '\0');
    ssize_t n = recv(server_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(n > 0 ? static_cast<size_t>(n) : 0);
    return bytes;
  }
  void HangUp() {
    if (server_ >= 0) close(server_);
    server_ = -1;
  }

  RespClient client_;
  int server_ = -1;
};

TEST_F(RespClientTest, CallSendsAMultibulkAndReturnsItsReply) {
  Answer("$5\r\nvalue\r\n");
  EXPECT_EQ(client_.Call({"GET", "a key"}).value(), ReplyValue::Bulk("value"));
  EXPECT_EQ(Received(), "*2\r\n$3\r\nGET\r\n$5\r\na key\r\n");
}

TEST_F(RespClientTest, ServersErrorIsAReply) {
  Answer("-ERR no\r\n");
  EXPECT_EQ(client_.Call({"NO"}).value(), ReplyValue::Error("ERR no"));
  EXPECT_TRUE(client_.connected());
}

TEST_F(RespClientTest, PipelineReturnsRepliesInOrder) {
  Answer(":1\r\n:2\r\n");
  client_.Queue({"A"});
  client_.Queue({"B"});
  EXPECT_EQ(Received(), "");
  EXPECT_THAT(client_.Flush().value(), ElementsAre(ReplyValue::Integer(1), ReplyValue::Integer(2)));
  EXPECT_EQ(Received(), "*1\r\n$1\r\nA\r\n*1\r\n$1\r\nB\r\n");
  EXPECT_TRUE(client_.Flush().value().empty());
}

TEST_F(RespClientTest, PushesAreSetAsideByCallAndSeenByRead) {
  Answer(">1\r\n+news\r\n+PONG\r\n>1\r\n+more\r\n");
  EXPECT_EQ(client_.Call({"PING"}).value(), ReplyValue::Simple("PONG"));
  auto news = ReplyValue::Items(ReplyValue::Kind::kPush, {ReplyValue::Simple("news")});
  EXPECT_THAT(client_.TakePushes(), ElementsAre(news));
  EXPECT_THAT(client_.TakePushes(), ElementsAre());
  EXPECT_EQ(client_.Read()->kind, ReplyValue::Kind::kPush);
}

TEST_F(RespClientTest, RawBytesGoOutAsTheyAre) {
  EXPECT_OK(client_.SendRaw("*x\r\n"));
  EXPECT_EQ(Received(), "*x\r\n");
}

TEST_F(RespClientTest, SkipDropsSoManyRepliesAndLeavesTheRest) {
  Answer("+before\r\n*2\r\n:1\r\n$1\r\nx\r\n:2\r\n+after\r\n");
  EXPECT_EQ(client_.Read().value(), ReplyValue::Simple("before"));
  EXPECT_OK(client_.Skip(2));
  EXPECT_EQ(client_.Read().value(), ReplyValue::Simple("after"));
}

TEST_F(RespClientTest, SkipTellsOfAnErrorAmongTheReplies) {
  Answer(":1\r\n-ERR no\r\n:2\r\n");
  EXPECT_EQ(client_.Skip(3), absl::FailedPreconditionError("ERR no"));
  EXPECT_TRUE(client_.connected());
}

TEST_F(RespClientTest, SkipFailsAsReadDoes) {
  client_.set_timeout_ms(1);
  Answer(":1\r\n:2");
  EXPECT_EQ(client_.Skip(2), absl::UnavailableError("timed out"));
}

TEST_F(RespClientTest, SkipOfABrokenProtocolClosesTheConnection) {
  Answer("nonsense\r\n");
  EXPECT_THAT(client_.Skip(1), FailsWith(HasSubstr("Protocol error")));
  EXPECT_FALSE(client_.connected());
}

TEST_F(RespClientTest, HungUpServerClosesTheConnection) {
  Answer("$5\r\nval");
  EXPECT_OK(client_.SendRaw(""));
  HangUp();
  EXPECT_THAT(client_.Read(), FailsWith(HasSubstr("closed")));
  EXPECT_FALSE(client_.connected());
  EXPECT_EQ(client_.Call({"PING"}).status(), absl::UnavailableError("not connected"));
}

TEST_F(RespClientTest, BrokenProtocolClosesTheConnection) {
  Answer("nonsense\r\n");
  EXPECT_THAT(client_.Call({"PING"}), FailsWith(HasSubstr("Protocol error")));
  EXPECT_FALSE(client_.connected());
}

TEST_F(RespClientTest, SilentServerTimesOut) {
  client_.set_timeout_ms(1);
  EXPECT_EQ(client_.Call({"PING"}).status(), absl::UnavailableError("timed out"));
}

// The server answers each request before it reads the next. If the client sent everything before it
// read, both would wait for ever.
TEST_F(RespClientTest, PipelineLargerThanTheSocketsBuffersDoesNotJam) {
  const std::string value(1000, 'x');
  const size_t request_size = std::string("*2\r\n$4\r\nECHO\r\n$1000\r\n\r\n").size() + 1000;
  constexpr size_t kRequests = 5000;
  std::thread server([&] {
    std::string request(request_size, '\0');
    std::string reply = "$1000\r\n" + value + "\r\n";
    for (size_t i = 0; i < kRequests; ++i) {
      if (recv(server_, request.data(), request_size, MSG_WAITALL) <= 0) return;
      if (send(server_, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) return;
    }
  });
  client_.set_timeout_ms(30'000);
  for (size_t i = 0; i < kRequests; ++i) client_.Queue({"ECHO", value});
  auto replies = client_.Flush();
  server.join();
  ASSERT_OK(replies);
  EXPECT_EQ(replies->size(), kRequests);
  EXPECT_EQ(replies->back(), ReplyValue::Bulk(value));
}

TEST(RespClientConnectTest, NobodyListeningIsAnError) {
  RespClient client;
  EXPECT_THAT(client.ConnectUnix("/nonexistent/socket"), FailsWith(HasSubstr("cannot connect")));
  EXPECT_THAT(client.ConnectTcp("127.0.0.1", 1), FailsWith(HasSubstr("cannot connect")));
  EXPECT_THAT(client.ConnectUnix(std::string(200, 'x')), FailsWith(HasSubstr("too long")));
  EXPECT_FALSE(client.connected());
}

}  // namespace
}  // namespace cloakroom
