#include <string>

#include "server/config/command_line.h"
#include "tests/server/support/key_event_log.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

constexpr char kWrongTypeReply[] =
    "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

class ListsTest : public ServerTest {
 protected:
  size_t keys() { return server_.keyspace().db(0).size(); }

  KeyEventLog events_{server_.keyspace()};
};

TEST_F(ListsTest, EveryCommandRefusesASet) {
  Run("SADD s a");
  for (const char* line : {"LPUSH s a", "RPUSH s a", "LPUSHX s a", "RPUSHX s a", "LPOP s",
                           "RPOP s 0", "LLEN s", "LINDEX s x", "LSET s x a", "LINSERT s BEFORE a b",
                           "LREM s 0 a", "LRANGE s 0 -1", "LTRIM s 0 -1", "LPOS s a"}) {
    EXPECT_EQ(Run(line), kWrongTypeReply) << line;
  }
  EXPECT_EQ(Run("SMEMBERS s"), "*1\r\n$1\r\na\r\n");
}

TEST_F(ListsTest, ElementsArePushedOneAfterTheOther) {
  EXPECT_EQ(Run("RPUSH l c d"), ":2\r\n");
  EXPECT_EQ(Run("LPUSH l b a"), ":4\r\n");
  EXPECT_EQ(Run("LRANGE l 0 -1"), "*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n");
  EXPECT_EQ(Run("LPUSHX absent a"), ":0\r\n");
  EXPECT_EQ(keys(), 1u);
}

TEST_F(ListsTest, EveryChangeIsTold) {
  Run("RPUSH l a b c");
  Run("LPUSHX l x");
  Run("LSET l 0 y");
  Run("LINSERT l AFTER y z");
  Run("LINSERT l AFTER absent z");
  Run("LREM l 0 z");
  Run("LREM l 0 z");
  Run("LTRIM l 0 9");
  Run("LPOP l");
  Run("RPOP l 0");
  Run("RPOP l 9");
  Run("LPOP l");
  EXPECT_EQ(events_.Take(),
            "rpush l; lpush l; lset l; linsert l; lrem l; ltrim l; lpop l; rpop l; del l; ");
  Run("RPUSH l a");
  Run("LTRIM l 1 0");
  Run("RPUSH l a");
  Run("LREM l 0 a");
  EXPECT_EQ(events_.Take(), "rpush l; ltrim l; del l; rpush l; lrem l; del l; ");
  EXPECT_EQ(keys(), 0u);
}

TEST_F(ListsTest, APopWithACountRepliesAnArray) {
  Run("RPUSH l a b c");
  EXPECT_EQ(Run("LPOP l 0"), "*0\r\n");
  EXPECT_EQ(Run("RPOP l 2"), "*2\r\n$1\r\nc\r\n$1\r\nb\r\n");
  EXPECT_EQ(Run("LPOP l 9"), "*1\r\n$1\r\na\r\n");
  EXPECT_EQ(Run("LPOP l 9"), "*-1\r\n");
  EXPECT_EQ(Run("LPOP l"), "$-1\r\n");
  EXPECT_EQ(Run("LPOP l 1 2"), "-ERR wrong number of arguments for 'lpop' command\r\n");
}

TEST_F(ListsTest, ABadNumberChangesNothing) {
  Run("RPUSH l a");
  events_.Take();
  EXPECT_EQ(Run("LSET l x b"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("LSET l 1 b"), "-ERR index out of range\r\n");
  EXPECT_EQ(Run("LSET absent x b"), "-ERR no such key\r\n");
  EXPECT_EQ(Run("LREM l x a"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("LTRIM l 0 x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("LPOP l -1"), "-ERR value is out of range, must be positive\r\n");
  EXPECT_EQ(events_.Take(), "");
}

TEST_F(ListsTest, ALargeListIsRepliedAndPoppedFromASharedCopy) {
  constexpr int kElements = 50'000;
  for (int i = 0; i < kElements; i += 100) {
    std::vector<std::string> args = {"RPUSH", "l"};
    for (int k = i; k < i + 100; ++k) args.push_back(std::to_string(k));
    Run(args);
  }
  const std::string all = Run("LRANGE l 0 -1");
  EXPECT_TRUE(all.starts_with("*50000\r\n$1\r\n0\r\n"));
  EXPECT_TRUE(all.ends_with("\r\n$5\r\n49999\r\n"));
  EXPECT_EQ(Run("LPOS l 49999"), ":49999\r\n");
  EXPECT_EQ(Run("OBJECT ENCODING l"), "$9\r\nquicklist\r\n");
  EXPECT_EQ(Run("LPOP l 50000"), all);
  EXPECT_EQ(keys(), 0u);
}

TEST_F(ListsTest, ItsEncodingFollowsTheSetting) {
  Run("CONFIG SET list-max-listpack-size 2");
  Run("RPUSH l a b");
  EXPECT_EQ(Run("OBJECT ENCODING l"), "$8\r\nlistpack\r\n");
  Run("RPUSH l c");
  EXPECT_EQ(Run("OBJECT ENCODING l"), "$9\r\nquicklist\r\n");
  Run("LTRIM l 0 0");
  EXPECT_EQ(Run("OBJECT ENCODING l"), "$8\r\nlistpack\r\n");
}

TEST_F(ListsTest, TheDigestKnowsTheOrder) {
  ASSERT_OK(config_.Load(ParseCommandLine({"--enable-debug-command", "yes"})));
  Run("RPUSH l a b");
  const std::string digest = Run("DEBUG DIGEST-VALUE l");
  Run("LPUSH k b a");
  EXPECT_EQ(Run("DEBUG DIGEST-VALUE k"), digest);
  Run("LMOVE k k LEFT RIGHT");
  EXPECT_NE(Run("DEBUG DIGEST-VALUE k"), digest);
}

}  // namespace
}  // namespace cloakroom
