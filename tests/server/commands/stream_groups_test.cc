#include <string>

#include "tests/server/support/key_event_log.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

class StreamGroupsTest : public ServerTest {
 protected:
  void SetUp() override {
    for (const char* id : {"1-0", "2-0", "3-0"}) {
      Run(std::vector<std::string>{"XADD", "s", id, "f", "v"});
    }
    ASSERT_EQ(Run("XGROUP CREATE s g 0"), "+OK\r\n");
  }

  KeyEventLog events_{server_.keyspace()};
};

TEST_F(StreamGroupsTest, AGroupNeedsAStreamOrMkStream) {
  EXPECT_EQ(Run("XGROUP CREATE absent g $").substr(0, 36), "-ERR The XGROUP subcommand requires ");
  EXPECT_EQ(Run("XGROUP CREATE new g $ MKSTREAM"), "+OK\r\n");
  EXPECT_EQ(Run("XGROUP CREATE new g $"), "-BUSYGROUP Consumer Group name already exists\r\n");
  EXPECT_EQ(Run("XLEN new"), ":0\r\n");
}

TEST_F(StreamGroupsTest, OnlyANewStreamTouchesWatch) {
  RunAs("w", "WATCH s new");
  Run("XGROUP CREATE s other 0");
  Run("XGROUP DESTROY s other");
  RunAs("w", "MULTI");
  EXPECT_EQ(RunAs("w", "EXEC"), "*0\r\n");
  RunAs("w", "WATCH s new");
  Run("XGROUP CREATE new g $ MKSTREAM");
  RunAs("w", "MULTI");
  EXPECT_EQ(RunAs("w", "EXEC"), "*-1\r\n");
}

TEST_F(StreamGroupsTest, GroupsMustBeThere) {
  const std::string none = "-NOGROUP No such consumer group 'x' for key name 's'\r\n";
  EXPECT_EQ(Run("XGROUP SETID s x 0"), none);
  EXPECT_EQ(Run("XGROUP CREATECONSUMER s x c"), none);
  EXPECT_EQ(Run("XGROUP DELCONSUMER s x c"), none);
  EXPECT_EQ(Run("XGROUP DESTROY s x"), ":0\r\n");
  EXPECT_EQ(Run("XPENDING s x"), "-NOGROUP No such key 's' or consumer group 'x'\r\n");
  EXPECT_EQ(Run("XACK s x 1"), ":0\r\n");
}

TEST_F(StreamGroupsTest, ConsumersComeAndGo) {
  events_.Take();
  EXPECT_EQ(Run("XGROUP CREATECONSUMER s g c"), ":1\r\n");
  EXPECT_EQ(Run("XGROUP CREATECONSUMER s g c"), ":0\r\n");
  Run("XREADGROUP GROUP g c STREAMS s >");
  EXPECT_EQ(Run("XGROUP DELCONSUMER s g c"), ":3\r\n");
  EXPECT_EQ(Run("XGROUP DELCONSUMER s g c"), ":0\r\n");
  EXPECT_EQ(events_.Take(), "xgroup-createconsumer s; xgroup-delconsumer s; ");
}

TEST_F(StreamGroupsTest, SetIdMovesTheGroup) {
  EXPECT_EQ(Run("XGROUP SETID s g $"), "+OK\r\n");
  EXPECT_EQ(Run("XREADGROUP GROUP g c STREAMS s >"), "*-1\r\n");
  EXPECT_EQ(Run("XGROUP SETID s g 0 ENTRIESREAD -2"),
            "-ERR value for ENTRIESREAD must be positive or -1\r\n");
  EXPECT_EQ(Run("XGROUP SETID s g -"), "+OK\r\n");
}

TEST_F(StreamGroupsTest, AcknowledgedEntriesAreNoLongerPending) {
  Run("XREADGROUP GROUP g a COUNT 2 STREAMS s >");
  Run("XREADGROUP GROUP g b STREAMS s >");
  EXPECT_EQ(Run("XPENDING s g"),
            "*4\r\n:3\r\n$3\r\n1-0\r\n$3\r\n3-0\r\n*2\r\n*2\r\n$1\r\na\r\n$1\r\n2\r\n"
            "*2\r\n$1\r\nb\r\n$1\r\n1\r\n");
  EXPECT_EQ(Run("XACK s g 1-0 1-0 9-0"), ":1\r\n");
  EXPECT_EQ(Run("XACK s g x"), "-ERR Invalid stream ID specified as stream command argument\r\n");
  EXPECT_EQ(Run("XACK s g 2-0 3-0"), ":2\r\n");
  EXPECT_EQ(Run("XPENDING s g"), "*4\r\n:0\r\n$-1\r\n$-1\r\n*-1\r\n");
}

TEST_F(StreamGroupsTest, PendingEntriesTellTheirAge) {
  Run("XREADGROUP GROUP g a COUNT 1 STREAMS s >");
  Advance(50);
  Run("XREADGROUP GROUP g b COUNT 1 STREAMS s >");
  const std::string of_a = "*4\r\n$3\r\n1-0\r\n$1\r\na\r\n:50\r\n:1\r\n";
  const std::string of_b = "*4\r\n$3\r\n2-0\r\n$1\r\nb\r\n:0\r\n:1\r\n";
  EXPECT_EQ(Run("XPENDING s g - + 10"), "*2\r\n" + of_a + of_b);
  EXPECT_EQ(Run("XPENDING s g IDLE 10 - + 10"), "*1\r\n" + of_a);
  EXPECT_EQ(Run("XPENDING s g (1-0 + 10"), "*1\r\n" + of_b);
  EXPECT_EQ(Run("XPENDING s g - + 10 b"), "*1\r\n" + of_b);
  EXPECT_EQ(Run("XPENDING s g - + 10 nobody"), "*0\r\n");
  EXPECT_EQ(Run("XPENDING s g - +"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("XPENDING s g IDLE 10 - +"), "-ERR syntax error\r\n");
}

}  // namespace
}  // namespace cloakroom
