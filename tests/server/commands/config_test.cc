#include "server/info/totals.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

using ConfigTest = ServerTest;

TEST_F(ConfigTest, GetMatchesPatternsEachNameOnce) {
  EXPECT_EQ(Run("CONFIG GET maxmemory"), "*2\r\n$9\r\nmaxmemory\r\n$1\r\n0\r\n");
  EXPECT_EQ(Run("CONFIG GET nosuch*"), "*0\r\n");
  EXPECT_EQ(Run("CONFIG GET maxmemory MAXMEMORY"), "*2\r\n$9\r\nmaxmemory\r\n$1\r\n0\r\n");
  Run("HELLO 3");
  EXPECT_TRUE(Run("CONFIG GET maxmemory").starts_with("%1\r\n"));
}

TEST_F(ConfigTest, SetTakesEffectAtOnce) {
  EXPECT_EQ(Run("CONFIG SET maxmemory 100mb maxmemory-policy allkeys-lru"), "+OK\r\n");
  EXPECT_EQ(server_.keyspace().settings().maxmemory_bytes, 100 << 20);
  EXPECT_EQ(server_.keyspace().settings().policy, EvictionPolicy::kAllKeysLru);
}

TEST_F(ConfigTest, SetIsAllOrNothing) {
  EXPECT_EQ(
      Run("CONFIG SET maxmemory 100mb maxclients many"),
      "-ERR CONFIG SET failed (possibly related to argument 'maxclients') - argument couldn't "
      "be parsed into an integer\r\n");
  EXPECT_EQ(server_.keyspace().settings().maxmemory_bytes, 0);
  EXPECT_EQ(Run("CONFIG SET maxmemory 1 x"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("CONFIG SET maxmemory"),
            "-ERR wrong number of arguments for 'config|set' command\r\n");
}

TEST_F(ConfigTest, RewriteNeedsAFile) {
  EXPECT_EQ(Run("CONFIG REWRITE"), "-ERR The server is running without a config file\r\n");
}

TEST_F(ConfigTest, ResetStatSetsCountersBack) {
  Run("GET a");
  Run("NOSUCH");
  EXPECT_EQ(Run("CONFIG RESETSTAT"), "+OK\r\n");
  EXPECT_EQ(SumOf(server_).keyspace_misses, 0);
  EXPECT_TRUE(server_.errors().Sorted().empty());
  EXPECT_EQ(SumOf(server_, server_.commands().FindName("get")->index).calls, 0);
}

}  // namespace
}  // namespace cloakroom
