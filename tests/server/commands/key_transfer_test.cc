#include "tests/server/support/key_event_log.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

constexpr char kSameObjectReply[] = "-ERR source and destination objects are the same\r\n";

class KeyTransferTest : public ServerTest {
 protected:
  /// Whether `change` makes a transaction fail that watched `key` before it.
  bool Disturbs(const std::string& key, std::string_view change) {
    RunAs("watcher", "WATCH " + key);
    Run(change);
    RunAs("watcher", "MULTI");
    RunAs("watcher", "PING");
    return RunAs("watcher", "EXEC") == "*-1\r\n";
  }

  KeyEventLog events_{server_.keyspace()};
};

TEST_F(KeyTransferTest, RenameTakesValueAndExpiryAlong) {
  Run("HSET a f v");
  Run("PEXPIRE a 5000");
  events_.Take();
  EXPECT_EQ(Run("RENAME a b"), "+OK\r\n");
  EXPECT_EQ(events_.Take(), "rename_from a; rename_to b; ");
  EXPECT_EQ(Run("HGET b f"), "$1\r\nv\r\n");
  EXPECT_EQ(Run("PTTL b"), ":5000\r\n");
  EXPECT_EQ(Run("EXISTS a"), ":0\r\n");
}

TEST_F(KeyTransferTest, RenameReplacesAnyTypeAndItsExpiry) {
  Run("SET a v");
  Run("SADD b m");
  Run("EXPIRE b 10");
  EXPECT_EQ(Run("RENAME a b"), "+OK\r\n");
  EXPECT_EQ(Run("GET b"), "$1\r\nv\r\n");
  EXPECT_EQ(Run("TTL b"), ":-1\r\n");
  EXPECT_EQ(server_.keyspace().db(0).size(), 1u);
  EXPECT_EQ(server_.keyspace().db(0).expires(), 0u);
}

TEST_F(KeyTransferTest, RenameOfAnAbsentKeyFailsEvenToItself) {
  EXPECT_EQ(Run("RENAME a b"), "-ERR no such key\r\n");
  EXPECT_EQ(Run("RENAME a a"), "-ERR no such key\r\n");
  EXPECT_EQ(Run("RENAMENX a a"), "-ERR no such key\r\n");
}

TEST_F(KeyTransferTest, RenameToItselfChangesNothing) {
  Run("SET a v");
  events_.Take();
  EXPECT_EQ(Run("RENAME a a"), "+OK\r\n");
  EXPECT_EQ(Run("RENAMENX a a"), ":0\r\n");
  EXPECT_EQ(events_.Take(), "");
  EXPECT_EQ(Run("GET a"), "$1\r\nv\r\n");
}

TEST_F(KeyTransferTest, RenameNxRefusesANameThatIsTaken) {
  Run("MSET a 1 b 2");
  EXPECT_EQ(Run("RENAMENX a b"), ":0\r\n");
  EXPECT_EQ(Run("RENAMENX a c"), ":1\r\n");
  EXPECT_EQ(Run("MGET a b c"), "*3\r\n$-1\r\n$1\r\n2\r\n$1\r\n1\r\n");
}

TEST_F(KeyTransferTest, RenameDisturbsWatchersOfBothKeys) {
  Run("SET a v");
  EXPECT_TRUE(Disturbs("a", "RENAME a b"));
  EXPECT_TRUE(Disturbs("a", "RENAME b a"));
  EXPECT_FALSE(Disturbs("c", "RENAME a b"));
}

TEST_F(KeyTransferTest, ManyRenamesWithinOneStripeKeepAllKeys) {
  for (int i = 0; i < 2'000; ++i) Run("SET from" + std::to_string(i) + " " + std::to_string(i));
  for (int i = 0; i < 2'000; ++i) {
    Run("RENAME from" + std::to_string(i) + " to" + std::to_string(i));
  }
  EXPECT_EQ(Run("DBSIZE"), ":2000\r\n");
  for (int i = 0; i < 2'000; ++i) {
    std::string text = std::to_string(i);
    std::string want = "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
    ASSERT_EQ(Run("GET to" + text), want);
  }
}

TEST_F(KeyTransferTest, CopyLeavesTheSourceAndSharesNothingVisible) {
  Run("SADD s a b");
  Run("PEXPIRE s 700");
  events_.Take();
  EXPECT_EQ(Run("COPY s t"), ":1\r\n");
  EXPECT_EQ(events_.Take(), "copy_to t; ");
  EXPECT_EQ(Run("PTTL t"), ":700\r\n");
  Run("SREM t a");
  EXPECT_EQ(Run("SCARD s"), ":2\r\n");
  EXPECT_EQ(Run("SCARD t"), ":1\r\n");
}

TEST_F(KeyTransferTest, CopyOfALargeValueIsIndependentOfItsSource) {
  Run({"SET", "big", std::string(100'000, 'x')});
  EXPECT_EQ(Run("COPY big twin"), ":1\r\n");
  Run("SETRANGE twin 0 y");
  EXPECT_EQ(Run("GETRANGE big 0 0"), "$1\r\nx\r\n");
  Run("DEL big");
  EXPECT_EQ(Run("GETRANGE twin 0 1"), "$2\r\nyx\r\n");
}

TEST_F(KeyTransferTest, CopyReplacesOnlyWhenAskedTo) {
  Run("MSET a 1 b 2");
  EXPECT_EQ(Run("COPY a b"), ":0\r\n");
  EXPECT_EQ(Run("GET b"), "$1\r\n2\r\n");
  EXPECT_EQ(Run("COPY a b REPLACE replace"), ":1\r\n");
  EXPECT_EQ(Run("GET b"), "$1\r\n1\r\n");
}

TEST_F(KeyTransferTest, CopyReachesAnotherDatabase) {
  Run("SET a v");
  EXPECT_EQ(Run("COPY a a DB 3"), ":1\r\n");
  EXPECT_EQ(Run("COPY a a DB 3"), ":0\r\n");
  Run("SELECT 3");
  EXPECT_EQ(Run("GET a"), "$1\r\nv\r\n");
}

TEST_F(KeyTransferTest, CopyChecksItsOptionsBeforeTheKeys) {
  EXPECT_EQ(Run("COPY no no"), kSameObjectReply);
  EXPECT_EQ(Run("COPY no no DB 0"), kSameObjectReply);
  EXPECT_EQ(Run("COPY no to"), ":0\r\n");
  EXPECT_EQ(Run("COPY no to DB 99"), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(Run("COPY no to DB -1"), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(Run("COPY no to DB x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("COPY no to DB 99999999999"),
            "-ERR value is out of range, value must between -2147483648 and 2147483647\r\n");
  EXPECT_EQ(Run("COPY no to DB"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("COPY no to FOO"), "-ERR syntax error\r\n");
}

TEST_F(KeyTransferTest, MoveTakesAKeyToAnotherDatabase) {
  Run("SET a v PX 900");
  events_.Take();
  EXPECT_EQ(Run("MOVE a 1"), ":1\r\n");
  EXPECT_EQ(events_.Take(), "move_from a; move_to a; ");
  EXPECT_EQ(Run("EXISTS a"), ":0\r\n");
  Run("SELECT 1");
  EXPECT_EQ(Run("PTTL a"), ":900\r\n");
}

TEST_F(KeyTransferTest, MoveLeavesAKeyThatIsThereAlready) {
  Run("SET a here");
  RunAs("other", "SELECT 1");
  RunAs("other", "SET a there");
  EXPECT_EQ(Run("MOVE a 1"), ":0\r\n");
  EXPECT_EQ(Run("GET a"), "$4\r\nhere\r\n");
  EXPECT_EQ(RunAs("other", "GET a"), "$5\r\nthere\r\n");
}

TEST_F(KeyTransferTest, MoveChecksTheDatabaseBeforeTheKey) {
  EXPECT_EQ(Run("MOVE no 0"), kSameObjectReply);
  EXPECT_EQ(Run("MOVE no 16"), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(Run("MOVE no x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("MOVE no 1"), ":0\r\n");
}

TEST_F(KeyTransferTest, MoveWorksInsideATransaction) {
  Run("SET a v");
  Run("MULTI");
  Run("MOVE a 2");
  Run("COPY b c DB 3");
  EXPECT_EQ(Run("EXEC"), "*2\r\n:1\r\n:0\r\n");
}

}  // namespace
}  // namespace cloakroom
