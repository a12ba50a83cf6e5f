#include "tests/server/support/key_event_log.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

class KeysTest : public ServerTest {
 protected:
  KeyEventLog events_{server_.keyspace()};
};

TEST_F(KeysTest, DelRemovesAndCountsWhatWasThere) {
  Run("MSET a 1 b 2");
  events_.Take();
  EXPECT_EQ(Run("DEL a nothing b a"), ":2\r\n");
  EXPECT_EQ(Run("EXISTS a b"), ":0\r\n");
  EXPECT_EQ(events_.Take(), "del a; del b; ");
}

TEST_F(KeysTest, UnlinkIsToldAsDel) {
  Run("SADD s a b");
  events_.Take();
  EXPECT_EQ(Run("UNLINK s"), ":1\r\n");
  EXPECT_EQ(events_.Take(), "del s; ");
}

TEST_F(KeysTest, DelOfAnExpiredKeyCountsNothing) {
  Run("SET k v PX 10");
  Advance(10);
  EXPECT_EQ(Run("DEL k"), ":0\r\n");
}

TEST_F(KeysTest, ExistsCountsAKeyAsOftenAsItIsNamed) {
  Run("SET k v");
  EXPECT_EQ(Run("EXISTS k k nothing k"), ":3\r\n");
}

TEST_F(KeysTest, ExistsCountsHitsAndMisses) {
  Run("SET k v");
  ThreadStats& stats = server_.thread(0).stats;
  int64_t hits = stats.keyspace_hits;
  int64_t misses = stats.keyspace_misses;
  Run("EXISTS k nothing");
  EXPECT_EQ(stats.keyspace_hits, hits + 1);
  EXPECT_EQ(stats.keyspace_misses, misses + 1);
}

TEST_F(KeysTest, TouchMakesAKeyYoungAlsoForAClientThatAskedForNoTouch) {
  Run("SET k v");
  ClientNamed("").no_touch = true;
  Advance(5'000);
  EXPECT_EQ(Run("OBJECT IDLETIME k"), ":5\r\n");
  EXPECT_EQ(Run("TOUCH k k nothing"), ":2\r\n");
  EXPECT_EQ(Run("OBJECT IDLETIME k"), ":0\r\n");
}

TEST_F(KeysTest, TypeNamesTheTypeOrNone) {
  Run("SET str v");
  Run("HSET hash f v");
  Run("SADD set m");
  EXPECT_EQ(Run("TYPE str"), "+string\r\n");
  EXPECT_EQ(Run("TYPE hash"), "+hash\r\n");
  EXPECT_EQ(Run("TYPE set"), "+set\r\n");
  EXPECT_EQ(Run("TYPE nothing"), "+none\r\n");
}

TEST_F(KeysTest, AskingAboutAKeyDoesNotKeepItYoung) {
  Run("SET k v");
  Advance(3'000);
  Run("EXISTS k");
  Run("TYPE k");
  Run("TTL k");
  EXPECT_EQ(Run("OBJECT IDLETIME k"), ":3\r\n");
}

}  // namespace
}  // namespace cloakroom
