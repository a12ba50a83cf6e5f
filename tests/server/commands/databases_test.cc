#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

class DatabasesTest : public ServerTest {
 protected:
  void SetUp() override {
    Run("MSET a 1 b 2");
    RunAs("one", "SELECT 1");
    RunAs("one", "SET c 3 EX 100");
  }
};

TEST_F(DatabasesTest, DbSizeCountsTheKeysOfTheSelectedDatabase) {
  EXPECT_EQ(Run("DBSIZE"), ":2\r\n");
  EXPECT_EQ(RunAs("one", "DBSIZE"), ":1\r\n");
}

TEST_F(DatabasesTest, FlushDbEmptiesTheSelectedDatabaseAlone) {
  EXPECT_EQ(Run("FLUSHDB"), "+OK\r\n");
  EXPECT_EQ(Run("DBSIZE"), ":0\r\n");
  EXPECT_EQ(Run("GET a"), "$-1\r\n");
  EXPECT_EQ(RunAs("one", "DBSIZE"), ":1\r\n");
}

TEST_F(DatabasesTest, FlushAllEmptiesEveryDatabase) {
  EXPECT_EQ(Run("FLUSHALL async"), "+OK\r\n");
  EXPECT_EQ(Run("DBSIZE"), ":0\r\n");
  EXPECT_EQ(RunAs("one", "DBSIZE"), ":0\r\n");
  EXPECT_EQ(server_.keyspace().db(1).expires(), 0u);
}

TEST_F(DatabasesTest, FlushRefusesWhatItDoesNotKnow) {
  EXPECT_EQ(Run("FLUSHALL foo"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("FLUSHALL ASYNC SYNC"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("FLUSHDB foo"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("FLUSHDB SYNC"), "+OK\r\n");
}

TEST_F(DatabasesTest, FlushDisturbsWatchersOfKeysThatWereThere) {
  RunAs("w", "WATCH a");
  RunAs("x", "WATCH nothing");
  Run("FLUSHALL");
  for (const char* name : {"w", "x"}) RunAs(name, "MULTI");
  EXPECT_EQ(RunAs("w", "EXEC"), "*-1\r\n");
  EXPECT_EQ(RunAs("x", "EXEC"), "*0\r\n");
}

TEST_F(DatabasesTest, SwapDbExchangesContentsUnderTheClients) {
  EXPECT_EQ(Run("SWAPDB 0 1"), "+OK\r\n");
  EXPECT_EQ(Run("GET c"), "$1\r\n3\r\n");
  EXPECT_EQ(Run("TTL c"), ":100\r\n");
  EXPECT_EQ(RunAs("one", "DBSIZE"), ":2\r\n");
  EXPECT_EQ(server_.keyspace().db(0).expires(), 1u);
}

TEST_F(DatabasesTest, SwapDbWithItselfIsFine) {
  EXPECT_EQ(Run("SWAPDB 0 0"), "+OK\r\n");
  EXPECT_EQ(Run("DBSIZE"), ":2\r\n");
}

TEST_F(DatabasesTest, SwapDbNamesTheBadIndex) {
  EXPECT_EQ(Run("SWAPDB x y"), "-ERR invalid first DB index\r\n");
  EXPECT_EQ(Run("SWAPDB 0 y"), "-ERR invalid second DB index\r\n");
  EXPECT_EQ(Run("SWAPDB 0 99"), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(Run("SWAPDB -1 0"), "-ERR DB index is out of range\r\n");
}

TEST_F(DatabasesTest, AFlushInsideATransactionSeesItsOwnWrites) {
  Run("MULTI");
  Run("SET z 1");
  Run("FLUSHALL");
  Run("DBSIZE");
  EXPECT_EQ(Run("EXEC"), "*3\r\n+OK\r\n+OK\r\n:0\r\n");
}

}  // namespace
}  // namespace cloakroom
