#include "server/config/command_line.h"
#include "tests/server/support/server_fixture.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

class SlowLogCommandsTest : public ServerTest {
 protected:
  // Everything is slow.
  SlowLogCommandsTest() {
    std::string_view words[] = {"slowlog-log-slower-than", "0"};
    EXPECT_OK(config_.Set(words));
  }
};

TEST_F(SlowLogCommandsTest, GetReturnsTheLatestFirstWithSixFields) {
  Run("CLIENT SETNAME me");
  Run("SET a 1");
  EXPECT_EQ(Run("SLOWLOG GET 1"),
            "*1\r\n*6\r\n:1\r\n:1800000000\r\n:0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n"
            "$15\r\n127.0.0.1:50000\r\n$2\r\nme\r\n");
}

TEST_F(SlowLogCommandsTest, LongArgumentsAreCutOff) {
  Run({"SET", "a", std::string(200, 'x')});
  EXPECT_NE(Run("SLOWLOG GET").find(std::string(128, 'x') + "... (72 more bytes)"),
            std::string::npos);
}

TEST_F(SlowLogCommandsTest, LenCountsAndResetForgets) {
  Run("PING");
  Run("PING");
  EXPECT_EQ(Run("SLOWLOG LEN"), ":2\r\n");
  EXPECT_EQ(Run("SLOWLOG RESET"), "+OK\r\n");
  EXPECT_EQ(Run("SLOWLOG LEN"), ":1\r\n");  // RESET itself
}

TEST_F(SlowLogCommandsTest, NoMoreThanSlowlogMaxLenAreKept) {
  Run("CONFIG SET slowlog-max-len 2");
  for (int i = 0; i < 5; ++i) Run("PING");
  EXPECT_EQ(Run("SLOWLOG LEN"), ":2\r\n");
}

TEST_F(SlowLogCommandsTest, PasswordsAreNotShown) {
  Run("AUTH default secret");
  Run("CONFIG SET requirepass secret");
  EXPECT_EQ(Run("SLOWLOG GET -1").find("secret"), std::string::npos);
}

TEST_F(SlowLogCommandsTest, GetRefusesBadCounts) {
  EXPECT_EQ(Run("SLOWLOG GET -2"), "-ERR count should be greater than or equal to -1\r\n");
  EXPECT_EQ(Run("SLOWLOG GET x"), "-ERR count should be greater than or equal to -1\r\n");
  EXPECT_EQ(
      Run("SLOWLOG GET 1 2"),
      "-ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.\r\n");
}

}  // namespace
}  // namespace cloakroom
