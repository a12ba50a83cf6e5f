#include "server/metrics/monitor_feed.h"
#include "tests/server/support/server_fixture.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

class ConnectionTest : public ServerTest {
 protected:
  void RequirePassword() {
    std::string_view words[] = {"requirepass", "secret"};
    ASSERT_OK(config_.Set(words));
    ClientNamed("").authenticated = false;
  }
};

constexpr char kWrongPass[] = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";

TEST_F(ConnectionTest, PingAndEcho) {
  EXPECT_EQ(Run("PING"), "+PONG\r\n");
  EXPECT_EQ(Run("PING hi"), "$2\r\nhi\r\n");
  EXPECT_EQ(Run("PING a b"), "-ERR wrong number of arguments for 'ping' command\r\n");
  EXPECT_EQ(Run("ECHO hi"), "$2\r\nhi\r\n");
}

TEST_F(ConnectionTest, SelectChecksTheNumber) {
  EXPECT_EQ(Run("SELECT 15"), "+OK\r\n");
  EXPECT_EQ(Run("SELECT 16"), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(Run("SELECT -1"), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(Run("SELECT one"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(ClientNamed("").db, 15);
}

TEST_F(ConnectionTest, WithoutAPasswordAuthSaysSo) {
  EXPECT_EQ(Run("AUTH x"),
            "-ERR AUTH <password> called without any password configured for the default user. Are "
            "you sure your configuration is correct?\r\n");
  EXPECT_EQ(Run("AUTH default x"), "+OK\r\n");
  EXPECT_EQ(Run("AUTH nobody x"), kWrongPass);
  EXPECT_EQ(Run("AUTH a b c"), "-ERR syntax error\r\n");
}

TEST_F(ConnectionTest, ThePasswordMustBeRight) {
  RequirePassword();
  EXPECT_EQ(Run("AUTH wrong"), kWrongPass);
  EXPECT_EQ(Run("AUTH secre"), kWrongPass);
  EXPECT_EQ(Run("AUTH secretsecret"), kWrongPass);
  EXPECT_EQ(Run(std::vector<std::string>{"AUTH", ""}), kWrongPass);
  EXPECT_EQ(Run("PING"), "-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(Run("AUTH secret"), "+OK\r\n");
  EXPECT_EQ(Run("PING"), "+PONG\r\n");
  EXPECT_EQ(Run("AUTH wrong"), kWrongPass);
  EXPECT_EQ(Run("PING"), "+PONG\r\n");
}

TEST_F(ConnectionTest, HelloTellsOfTheServer) {
  std::string id = std::to_string(ClientNamed("").id);
  EXPECT_EQ(Run("HELLO"),
            "*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.4\r\n$5\r\nproto\r\n"
            ":2\r\n$2\r\nid\r\n:" +
                id +
                "\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
                "$7\r\nmodules\r\n*0\r\n");
  EXPECT_TRUE(Run("HELLO 3").starts_with("%7\r\n"));
  EXPECT_EQ(Run("GET a"), "_\r\n");
  EXPECT_TRUE(Run("HELLO 2").starts_with("*14\r\n"));
}

TEST_F(ConnectionTest, HelloRefusesWhatItCannotReadAndChangesNothing) {
  EXPECT_EQ(Run("HELLO 4"), "-NOPROTO unsupported protocol version\r\n");
  EXPECT_EQ(Run("HELLO three"), "-ERR Protocol version is not an integer or out of range\r\n");
  EXPECT_EQ(Run("HELLO 3 FOO"), "-ERR Syntax error in HELLO option 'FOO'\r\n");
  EXPECT_EQ(Run("HELLO 3 AUTH default"), "-ERR Syntax error in HELLO option 'AUTH'\r\n");
  EXPECT_EQ(Run({"HELLO", "3", "SETNAME", "a b"}),
            "-ERR Client names cannot contain spaces, newlines or special characters.\r\n");
  EXPECT_EQ(Run("HELLO 3 AUTH nobody x SETNAME me"), kWrongPass);
  EXPECT_EQ(ClientNamed("").resp, 2);
  EXPECT_EQ(Run("CLIENT GETNAME"), "$-1\r\n");
}

TEST_F(ConnectionTest, HelloMayAuthenticateAndName) {
  RequirePassword();
  EXPECT_TRUE(Run("HELLO 3").starts_with("-NOAUTH HELLO must be called with the client already"));
  EXPECT_TRUE(Run("HELLO 3 AUTH default secret SETNAME me").starts_with("%7\r\n"));
  EXPECT_EQ(Run("CLIENT GETNAME"), "$2\r\nme\r\n");
}

TEST_F(ConnectionTest, ResetLeavesNothingOfTheSession) {
  Run("HELLO 3 SETNAME me");
  Run("SELECT 3");
  Run("CLIENT NO-TOUCH on");
  Run("SUBSCRIBE ch");
  Run("WATCH a");
  Run("MULTI");
  Run("SET a 1");
  EXPECT_EQ(Run("RESET"), "+RESET\r\n");
  Client& client = ClientNamed("");
  EXPECT_EQ(client.db, 0);
  EXPECT_EQ(client.resp, 2);
  EXPECT_FALSE(client.in_multi);
  EXPECT_FALSE(client.no_touch);
  EXPECT_FALSE(client.subscribed());
  EXPECT_TRUE(client.watched.empty());
  EXPECT_EQ(Run("CLIENT GETNAME"), "$-1\r\n");
  EXPECT_EQ(RunAs("other", "PUBLISH ch x"), ":0\r\n");
}

TEST_F(ConnectionTest, ResetLeavesMonitorMode) {
  Run("MONITOR");
  EXPECT_EQ(Run("RESET"), "+RESET\r\n");
  EXPECT_FALSE(server_.monitors().active());
  EXPECT_EQ(Run("GET a"), "$-1\r\n");
}

TEST_F(ConnectionTest, ResetAsksForThePasswordAgain) {
  RequirePassword();
  Run("AUTH secret");
  Run("RESET");
  EXPECT_EQ(Run("PING"), "-NOAUTH Authentication required.\r\n");
}

TEST_F(ConnectionTest, QuitAnswersAndCloses) {
  Run("MULTI");
  EXPECT_EQ(Run("QUIT"), "+OK\r\n");
  EXPECT_TRUE(ClientNamed("").close_after_reply);
}

}  // namespace
}  // namespace cloakroom
