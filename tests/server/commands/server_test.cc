#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

using ServerCommandsTest = ServerTest;

TEST_F(ServerCommandsTest, TimeIsTheServersClock) {
  Advance(1234);
  EXPECT_EQ(Run("TIME"), "*2\r\n$10\r\n1800000001\r\n$6\r\n234000\r\n");
}

TEST_F(ServerCommandsTest, InfoIsAVerbatimString) {
  Run("HELLO 3");
  EXPECT_NE(Run("INFO cluster").find("\r\ntxt:# Cluster\r\ncluster_enabled:0\r\n"),
            std::string::npos);
}

TEST_F(ServerCommandsTest, MonitorIsAskedForOnce) {
  EXPECT_EQ(Run("MONITOR"), "+OK\r\n");
  EXPECT_EQ(Run("MONITOR"), "");
  Run("RESET");
  Run("MULTI");
  Run("MONITOR");
  EXPECT_EQ(Run("EXEC"), "*1\r\n-ERR MONITOR isn't allowed for DENY BLOCKING client\r\n");
}

TEST_F(ServerCommandsTest, ShutdownAsksTheServerToStopWithoutAReply) {
  bool asked = false;
  server_.set_shutdown_handler([&](const Server::ShutdownRequest&) { asked = true; });
  EXPECT_EQ(Run("SHUTDOWN NOSAVE NOW FORCE"), "");
  EXPECT_TRUE(asked);
  EXPECT_TRUE(ClientNamed("").close_after_reply);
}

TEST_F(ServerCommandsTest, TheFirstShutdownIsKeptForAHandlerThatComesLater) {
  int answers = 0;
  auto answered = [&](bool refused) { answers += refused ? 100 : 1; };
  using Ending = ShutdownSave;
  server_.RequestShutdown({.save = Ending::kNoSave, .force = true, .answered = answered});
  server_.RequestShutdown({.save = Ending::kSave, .force = false, .answered = answered});
  EXPECT_EQ(answers, 2);
  std::vector<Server::ShutdownRequest> requests;
  for (int i = 0; i < 2; ++i) {
    server_.set_shutdown_handler(
        [&](const Server::ShutdownRequest& request) { requests.push_back(request); });
  }
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].save, Ending::kNoSave);
  EXPECT_TRUE(requests[0].force);
}

TEST_F(ServerCommandsTest, AnAbortIsNoShutdownAndRefusedWhereThereIsNone) {
  int refusals = 0;
  server_.RequestShutdown({.abort = true, .answered = [&](bool refused) { refusals += refused; }});
  EXPECT_EQ(refusals, 1);
  EXPECT_FALSE(server_.shutdown_requested());
  bool asked = false;
  server_.set_shutdown_handler([&](const Server::ShutdownRequest&) { asked = true; });
  EXPECT_FALSE(asked) << "it is not kept for later";
}

TEST_F(ServerCommandsTest, InfoSaysHowLongTheEndWaits) {
  EXPECT_THAT(Run("INFO server"), testing::Not(testing::HasSubstr("shutdown_in_milliseconds")));
  server_.set_shutdown_until_ms(server_.clock().NowMs() + 700);
  EXPECT_THAT(Run("INFO server"), testing::HasSubstr("shutdown_in_milliseconds:700\r\n"));
}

TEST_F(ServerCommandsTest, ShutdownRefusesWhatContradictsItself) {
  bool asked = false;
  server_.set_shutdown_handler([&](const Server::ShutdownRequest&) { asked = true; });
  EXPECT_EQ(Run("SHUTDOWN SAVE NOSAVE"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("SHUTDOWN ABORT NOW"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("SHUTDOWN foo"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("SHUTDOWN ABORT"), "-ERR No shutdown in progress.\r\n");
  Run("MULTI");
  EXPECT_EQ(Run("SHUTDOWN"), "-ERR Command not allowed inside a transaction\r\n");
  EXPECT_FALSE(asked);
}

TEST_F(ServerCommandsTest, LolwutEndsWithTheVersion) {
  EXPECT_TRUE(Run("LOLWUT VERSION 5 1").ends_with("Redis ver. 7.2.4\n\r\n"));
  EXPECT_EQ(Run("LOLWUT VERSION abc"), "-ERR value is not an integer or out of range\r\n");
}

}  // namespace
}  // namespace cloakroom
