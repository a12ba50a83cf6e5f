#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

class ObjectsTest : public ServerTest {};

TEST_F(ObjectsTest, EncodingHasRedisNames) {
  Run("SET n 12");
  Run("SET s short");
  Run({"SET", "l", std::string(45, 'x')});
  Run("HSET h f v");
  Run("SADD i 1 2");
  Run("SADD m a");
  EXPECT_EQ(Run("OBJECT ENCODING n"), "$3\r\nint\r\n");
  EXPECT_EQ(Run("OBJECT ENCODING s"), "$6\r\nembstr\r\n");
  EXPECT_EQ(Run("OBJECT ENCODING l"), "$3\r\nraw\r\n");
  EXPECT_EQ(Run("OBJECT ENCODING h"), "$8\r\nlistpack\r\n");
  EXPECT_EQ(Run("OBJECT ENCODING i"), "$6\r\nintset\r\n");
  EXPECT_EQ(Run("OBJECT ENCODING m"), "$8\r\nlistpack\r\n");
}

TEST_F(ObjectsTest, AnAbsentKeyIsNullBeforeThePolicyIsLookedAt) {
  for (const char* what : {"ENCODING", "FREQ", "IDLETIME", "REFCOUNT"}) {
    EXPECT_EQ(Run(std::string("OBJECT ") + what + " nothing"), "$-1\r\n") << what;
  }
}

TEST_F(ObjectsTest, IdleTimeNeedsAPolicyThatIsNotLfu) {
  Run("SET k v");
  Advance(42'000);
  EXPECT_EQ(Run("OBJECT IDLETIME k"), ":42\r\n");
  EXPECT_TRUE(Run("OBJECT FREQ k").starts_with("-ERR An LFU maxmemory policy is not selected, "));
  server_.keyspace().settings().policy = EvictionPolicy::kAllKeysLfu;
  EXPECT_TRUE(Run("OBJECT IDLETIME k").starts_with("-ERR An LFU maxmemory policy is selected, "));
}

TEST_F(ObjectsTest, FreqDecaysAsTimeGoesBy) {
  server_.keyspace().settings().policy = EvictionPolicy::kVolatileLfu;
  Run("SET k v");
  EXPECT_EQ(Run("OBJECT FREQ k"), ":5\r\n");
  Advance(3 * 60'000);
  EXPECT_EQ(Run("OBJECT FREQ k"), ":2\r\n");
}

TEST_F(ObjectsTest, RefCountSaysThatRedisSharesSmallIntegers) {
  Run("MSET small 9999 large 10000 text v");
  EXPECT_EQ(Run("OBJECT REFCOUNT small"), ":2147483647\r\n");
  EXPECT_EQ(Run("OBJECT REFCOUNT large"), ":1\r\n");
  EXPECT_EQ(Run("OBJECT REFCOUNT text"), ":1\r\n");
}

TEST_F(ObjectsTest, HelpListsTheSubcommands) {
  std::string help = Run("OBJECT HELP");
  EXPECT_TRUE(help.starts_with(
      "*11\r\n+OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n"));
  EXPECT_NE(help.find("+IDLETIME key\r\n"), std::string::npos);
  EXPECT_TRUE(help.ends_with("+HELP\r\n+    Prints this help.\r\n"));
}

TEST_F(ObjectsTest, SubcommandsAreCheckedAsCommandsAre) {
  EXPECT_EQ(Run("OBJECT foo k"), "-ERR unknown subcommand 'foo'. Try OBJECT HELP.\r\n");
  EXPECT_EQ(Run("OBJECT ENCODING"),
            "-ERR wrong number of arguments for 'object|encoding' command\r\n");
  EXPECT_EQ(Run("OBJECT"), "-ERR wrong number of arguments for 'object' command\r\n");
}

}  // namespace
}  // namespace cloakroom
