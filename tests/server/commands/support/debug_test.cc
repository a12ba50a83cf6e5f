#include "server/config/command_line.h"
#include "tests/server/support/server_fixture.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

class DebugTest : public ServerTest {
 protected:
  DebugTest() { EXPECT_OK(config_.Load(ParseCommandLine({"--enable-debug-command", "yes"}))); }
};

TEST_F(DebugTest, EachTypeOfTheProtocolHasASample) {
  EXPECT_EQ(Run("DEBUG PROTOCOL map"), "*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n");
  EXPECT_EQ(Run("DEBUG PROTOCOL push"), "-ERR RESP2 is not supported by this command\r\n");
  Run("HELLO 3");
  EXPECT_EQ(Run("DEBUG PROTOCOL map"), "%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n");
  EXPECT_EQ(Run("DEBUG PROTOCOL push"),
            ">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n$40\r\nSome real reply following the push "
            "reply\r\n");
  EXPECT_EQ(Run("DEBUG PROTOCOL verbatim"), "=29\r\ntxt:This is a verbatim\nstring\r\n");
  EXPECT_EQ(Run("DEBUG PROTOCOL double"), ",3.141\r\n");
  EXPECT_TRUE(Run("DEBUG PROTOCOL foo").starts_with("-ERR Wrong protocol type name."));
}

TEST_F(DebugTest, ErrorRepliesWhatItIsGiven) {
  EXPECT_EQ(Run({"DEBUG", "ERROR", "LOADING not yet"}), "-LOADING not yet\r\n");
}

TEST_F(DebugTest, ObjectTellsInRedisFormat) {
  Run("SET a 5");
  std::string reply = Run("DEBUG OBJECT a");
  EXPECT_TRUE(reply.starts_with("+Value at:0x")) << reply;
  EXPECT_NE(reply.find(" refcount:1 encoding:int serializedlength:"), reply.npos);
  EXPECT_EQ(Run("DEBUG OBJECT nosuch"), "-ERR no such key\r\n");
}

TEST_F(DebugTest, SetActiveExpireSwitchesTheExpirer) {
  EXPECT_EQ(Run("DEBUG SET-ACTIVE-EXPIRE 0"), "+OK\r\n");
  EXPECT_FALSE(server_.keyspace().settings().active_expire);
  Run("DEBUG SET-ACTIVE-EXPIRE 1");
  EXPECT_TRUE(server_.keyspace().settings().active_expire);
}

TEST_F(DebugTest, DigestDependsOnContentAndNotOnOrder) {
  const std::string zeros = "+" + std::string(40, '0') + "\r\n";
  EXPECT_EQ(Run("DEBUG DIGEST"), zeros);
  Run("SADD s a b c");
  Run("HSET h f 1 g 2");
  std::string before = Run("DEBUG DIGEST");
  EXPECT_NE(before, zeros);
  Run("FLUSHALL");
  Run("HSET h g 2 f 1");
  Run("SADD s c b a");
  EXPECT_EQ(Run("DEBUG DIGEST"), before);
  Run("SADD s d");
  EXPECT_NE(Run("DEBUG DIGEST"), before);
  Run("SREM s d");
  Run("MOVE h 1");
  EXPECT_NE(Run("DEBUG DIGEST"), before);
}

// The digests of a redis-server 7.0.15 with the same data.
TEST_F(DebugTest, DigestsAreThoseOfRedis) {
  Run("SET s text");
  Run("RPUSH l a 1 b");
  Run("SADD t a 1 b");
  Run("XADD x 1-1 a 1 b 2");
  Run("XADD x 5-0 c d");
  Run("ZADD z 1.5 a 3 b inf c 1e17 d 0.1 e");
  Run("EXPIRE z 100");
  EXPECT_EQ(Run("DEBUG DIGEST-VALUE s l t x z"),
            "*5\r\n+2ce3f57ae020966eb041fa6a47e5221ee0d42d6b\r\n"
            "+d5f44352f6226abea9252dad248ef5de0d964396\r\n"
            "+e8f32bbb1ad9bf537c8867de4f19fec9e001296d\r\n"
            "+0fe87217398a1af244459fcc78ffb536bc775d4f\r\n"
            "+33ad2d72ff238f9b578d43d5a1688ffadaf1bf9a\r\n");
  Run("HSET h a 1 b " + std::string(100, 'x'));
  EXPECT_EQ(Run("DEBUG DIGEST-VALUE h"), "*1\r\n+66d9083e6193eee620ea0f982f4a28b024feb0b3\r\n");
  Run("DEL z x");
  Run("SELECT 2");
  Run("SET k2 v");
  EXPECT_EQ(Run("DEBUG DIGEST"), "+34a504302498bca6761d7c9850214bb2456b0dbe\r\n");
}

TEST_F(DebugTest, DigestTellsThatAFieldExpires) {
  Run("HSET a f 1");
  Run("HSET b f 1");
  Run("HEXPIRE b 100 FIELDS 1 f");
  const std::string reply = Run("DEBUG DIGEST-VALUE a b");
  EXPECT_NE(reply.substr(4, 43), reply.substr(47, 43));
}

TEST_F(DebugTest, ValuesOfOneEncodingArePrintedOnlyIfTheyHaveIt) {
  Run("RPUSH l a");
  Run("HSET h a b");
  Run("HSET big a " + std::string(100, 'x'));
  EXPECT_EQ(Run("DEBUG LISTPACK l"), "-ERR Not a listpack encoded object.\r\n");
  EXPECT_EQ(Run("DEBUG LISTPACK h"), "+Listpack structure printed on stdout\r\n");
  EXPECT_EQ(Run("DEBUG QUICKLIST l"), "+Quicklist structure printed on stdout\r\n");
  EXPECT_EQ(Run("DEBUG QUICKLIST h"), "-ERR Not a quicklist encoded object.\r\n");
  EXPECT_EQ(
      Run("DEBUG HTSTATS-KEY h"),
      "-ERR The value stored at the specified key is not represented using an hash table\r\n");
  EXPECT_EQ(Run("DEBUG HTSTATS-KEY big"), "$22\r\nnumber of elements: 1\n\r\n");
  EXPECT_EQ(Run("DEBUG HTSTATS-KEY none"), "-ERR no such key\r\n");
}

TEST_F(DebugTest, AThresholdForPlainNodesIsAMemoryValue) {
  const std::string refused =
      "-ERR argument must be a memory value bigger than 1 and smaller than 4gb\r\n";
  EXPECT_EQ(Run("DEBUG QUICKLIST-PACKED-THRESHOLD x"), refused);
  EXPECT_EQ(Run("DEBUG QUICKLIST-PACKED-THRESHOLD 4gb"), refused);
  EXPECT_EQ(Run("DEBUG QUICKLIST-PACKED-THRESHOLD 3gb"), "+OK\r\n");
}

TEST_F(DebugTest, DigestValueComparesKeys) {
  Run("SET a 1");
  Run("SET b 1");
  Run("SET c 2");
  std::string reply = Run("DEBUG DIGEST-VALUE a b c nosuch");
  ASSERT_EQ(reply.size(), 4 + 4 * 43u);
  EXPECT_EQ(reply.substr(4, 43), reply.substr(47, 43));
  EXPECT_NE(reply.substr(4, 43), reply.substr(90, 43));
  EXPECT_EQ(reply.substr(133), "+" + std::string(40, '0') + "\r\n");
}

TEST_F(DebugTest, OtherSubcommandsAreRefused) {
  EXPECT_EQ(Run("DEBUG JMAP"),
            "-ERR unknown subcommand or wrong number of arguments for 'JMAP'. Try DEBUG HELP.\r\n");
  EXPECT_EQ(
      Run("DEBUG SLEEP"),
      "-ERR unknown subcommand or wrong number of arguments for 'SLEEP'. Try DEBUG HELP.\r\n");
  EXPECT_TRUE(Run("DEBUG SEGFAULT").starts_with("-ERR DEBUG SEGFAULT and the like are refused"));
}

}  // namespace
}  // namespace cloakroom
