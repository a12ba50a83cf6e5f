#include "server/tracking/invalidation.h"

#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

class InvalidationTest : public ServerTest {
 protected:
  std::string Send(Client& client, std::optional<std::string_view> key, const std::string& to) {
    InvalidationMessages messages(server_.clients());
    if (key) {
      messages.Tell(client, std::span(&*key, 1));
    } else {
      messages.Tell(client, std::nullopt);
    }
    messages.Send();
    return std::exchange(LinkOf(to).pushed, "");
  }
};

TEST_F(InvalidationTest, Resp3GetsAPush) {
  Client& client = ClientNamed("c");
  client.resp = 3;
  EXPECT_EQ(Send(client, "k", "c"), ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n");
  EXPECT_EQ(Send(client, std::nullopt, "c"), ">2\r\n$10\r\ninvalidate\r\n_\r\n");
}

TEST_F(InvalidationTest, Resp2GetsNothingWithoutARedirection) {
  EXPECT_EQ(Send(ClientNamed("c"), "k", "c"), "");
}

TEST_F(InvalidationTest, ARedirectionInResp2ReachesASubscriberOnly) {
  Client& client = ClientNamed("c");
  client.tracking.redirect = ClientNamed("target").id;
  EXPECT_EQ(Send(client, "k", "target"), "");
  RunAs("target", "SUBSCRIBE anything");
  EXPECT_EQ(Send(client, "k", "target"),
            "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\nk\r\n");
  EXPECT_EQ(Send(client, std::nullopt, "target"),
            "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n$-1\r\n");
}

TEST_F(InvalidationTest, AllMessagesToAClientAreOnePush) {
  Client& client = ClientNamed("c");
  client.resp = 3;
  const std::string_view keys[] = {"a", "b"};
  InvalidationMessages messages(server_.clients());
  messages.Tell(client, std::span(keys).first(1));
  messages.Tell(client, std::span(keys).last(1));
  EXPECT_EQ(LinkOf("c").pushed, "");
  messages.Send();
  EXPECT_EQ(LinkOf("c").pushes, 1);
  EXPECT_EQ(LinkOf("c").pushed,
            ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n"
            ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nb\r\n");
}

}  // namespace
}  // namespace cloakroom
