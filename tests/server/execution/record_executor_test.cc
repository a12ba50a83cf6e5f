#include "server/execution/record_executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/roles/replication.h"
#include "storage/keyspace/keyspace.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

using Words = std::vector<std::string>;

std::string Record(const std::vector<Words>& commands) {
  std::string text;
  for (const Words& words : commands) {
    text += "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string& word : words) {
      text += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    }
  }
  return text;
}

class RecordExecutorTest : public ServerTest {
 protected:
  RecordExecutorTest() : ServerTest(SystemFiles(), {"--save", ""}) {}

  /// Runs the first record of the text; whether it could run.
  bool TryRun(const std::vector<Words>& commands) {
    text_ = Record(commands);
    RecordReader reader;
    reader.Feed(text_);
    EXPECT_EQ(reader.Next(), RecordReader::Status::kRecord);
    runner_.BeginTurn(reader.ahead());
    return runner_.TryRun(reader, [this] { ++applied_; }, &obstacle_);
  }
  int64_t errors() { return server_.replication().figures().replica_errors; }

  std::string text_;
  int applied_ = 0;
  RecordRunner::Obstacle obstacle_;
  RecordExecutor runner_{server_};
};

TEST_F(RecordExecutorTest, RunsCommandsInTheSelectedDatabase) {
  EXPECT_TRUE(TryRun({{"SET", "k", "0"}}));
  EXPECT_TRUE(TryRun({{"select", "3"}}));
  EXPECT_EQ(runner_.db(), 3);
  EXPECT_TRUE(TryRun({{"SET", "k", "3"}}));
  EXPECT_TRUE(TryRun({{"MULTI"}, {"INCR", "k"}, {"SELECT", "4"}, {"SET", "k", "4"}, {"EXEC"}}));
  EXPECT_EQ(runner_.db(), 4);
  EXPECT_EQ(applied_, 4);
  EXPECT_EQ(Run("GET k"), "$1\r\n0\r\n");
  Run("SELECT 3");
  EXPECT_EQ(Run("GET k"), "$1\r\n4\r\n");
  Run("SELECT 4");
  EXPECT_EQ(Run("GET k"), "$1\r\n4\r\n");
}

TEST_F(RecordExecutorTest, RunsWhatIsAheadAsItComes) {
  std::vector<Words> commands = {{"SET", "k0", "0"}};
  for (int i = 1; i < 20; ++i) {
    const std::string key = "k" + std::to_string(i);
    commands.insert(commands.end(), {{"SET", key, "v"},
                                     {"MULTI"},
                                     {"INCR", "n"},
                                     {"APPEND", key, "w"},
                                     {"EXEC"},
                                     {"SADD", "s", key},
                                     {"MSET", "a", key, "b", key}});
  }
  text_ = Record(commands);
  RecordReader reader;
  reader.Feed(text_);
  int records = 0;
  for (; reader.Next() == RecordReader::Status::kRecord; ++records) {
    if (records % 30 == 0) runner_.BeginTurn(reader.ahead());
    EXPECT_TRUE(runner_.TryRun(reader, [this] { ++applied_; }, &obstacle_));
  }
  EXPECT_EQ(records, 1 + 19 * 4);
  EXPECT_EQ(applied_, records);
  EXPECT_EQ(Run("MGET k0 k1 k19 n a"),
            "*5\r\n$1\r\n0\r\n$2\r\nvw\r\n$2\r\nvw\r\n$2\r\n19\r\n$3\r\nk19\r\n");
  EXPECT_EQ(Run("SCARD s"), ":19\r\n");
  // What was ahead then is no longer there: other bytes are in its place.
  text_.replace(text_.rfind("k19"), 3, "k18");
  RecordReader again;
  again.Feed(text_);
  Hold hold(0);
  hold.WaitAndClose(server_.keyspace().db(0));
  while (again.Next() == RecordReader::Status::kRecord) runner_.RunUnder(again, hold);
  hold.Release();
  EXPECT_EQ(Run("GET b"), "$3\r\nk18\r\n");
}

TEST_F(RecordExecutorTest, WaitsForKeysAndGates) {
  Hold hold(0);
  ASSERT_TRUE(hold.TryKey(server_.keyspace().db(0), KeyHash::Of("k")));
  EXPECT_FALSE(TryRun({{"SET", "k", "v"}}));
  EXPECT_EQ(obstacle_.gate, nullptr) << "soon";
  hold.Release();
  hold.WaitAndClose(server_.keyspace().db(0));
  EXPECT_FALSE(TryRun({{"SET", "k", "v"}}));
  EXPECT_EQ(obstacle_.gate, &server_.keyspace().db(0).gate());
  EXPECT_FALSE(obstacle_.wish.closes);
  EXPECT_FALSE(TryRun({{"FLUSHALL"}}));
  EXPECT_TRUE(obstacle_.wish.closes);
  EXPECT_EQ(applied_, 0);
  hold.Release();
  EXPECT_TRUE(TryRun({{"FLUSHALL"}}));
  EXPECT_EQ(applied_, 1);
}

TEST_F(RecordExecutorTest, NothingExpiresForThePrimary) {
  Run({"SET", "n", "5", "PX", "100"});
  Advance(1000);
  EXPECT_TRUE(TryRun({{"INCR", "n"}}));
  EXPECT_TRUE(TryRun({{"PERSIST", "n"}}));
  EXPECT_EQ(Run("GET n"), "$1\r\n6\r\n");
}

TEST_F(RecordExecutorTest, NothingRefusesThePrimary) {
  Run("CONFIG SET maxmemory 1");
  Run("CONFIG SET min-replicas-to-write 3");
  EXPECT_THAT(Run("SET k v"), testing::StartsWith("-"));
  EXPECT_TRUE(TryRun({{"SET", "k", "v"}}));
  EXPECT_TRUE(TryRun({{"EVAL", "return redis.call('set', 'e', 'v')", "0"}}));
  Run("CONFIG SET maxmemory 0");
  EXPECT_EQ(Run("EXISTS k e"), ":2\r\n");
  EXPECT_EQ(errors(), 0);
}

TEST_F(RecordExecutorTest, AnExpiryThatCountsFromNowIsATimeForTheLog) {
  EXPECT_TRUE(TryRun({{"SETEX", "k", "10", "v"}}));
  ASSERT_NE(runner_.reworded(0), nullptr);
  EXPECT_EQ(runner_.reworded(0)->at(3), "PXAT");
  EXPECT_EQ(Run("TTL k"), ":10\r\n");
  EXPECT_TRUE(TryRun({{"SET", "k", "v"}}));
  EXPECT_EQ(runner_.reworded(0), nullptr);
}

TEST_F(RecordExecutorTest, ARefreshKeepsWhatHasExpiredHereAndNotAtThePrimary) {
  EXPECT_TRUE(TryRun({{"SETEX", "k", "10", "v"}}));
  Advance(11'000);
  EXPECT_TRUE(TryRun({{"EXPIRE", "k", "10"}}));
  EXPECT_EQ(Run("GET k"), "$1\r\nv\r\n");
  EXPECT_EQ(errors(), 0);
}

TEST_F(RecordExecutorTest, ErrorsAreCounted) {
  EXPECT_TRUE(TryRun({{"LPUSH", "k", "v"}}));
  EXPECT_TRUE(TryRun({{"INCR", "k"}}));
  EXPECT_EQ(errors(), 1);
  EXPECT_TRUE(TryRun({{"JSON.SET", "k", "$", "1"}}));
  EXPECT_EQ(errors(), 2);
  EXPECT_TRUE(TryRun({{"SELECT", "9999"}}));
  EXPECT_EQ(errors(), 3);
  EXPECT_TRUE(TryRun({{"REPLCONF", "GETACK", "*"}}));
  EXPECT_TRUE(TryRun({{"PING"}}));
  EXPECT_EQ(errors(), 3);
  EXPECT_EQ(applied_, 6);
}

TEST_F(RecordExecutorTest, UnderClosedGatesItNeedsNothingElse) {
  Hold hold(server_.keyspace().background_slot());
  hold.WaitAndCloseAll(server_.keyspace());
  text_ = Record({{"MULTI"}, {"SET", "a", "1"}, {"SWAPDB", "0", "1"}, {"EXEC"}});
  RecordReader reader;
  reader.Feed(text_);
  ASSERT_EQ(reader.Next(), RecordReader::Status::kRecord);
  runner_.RunUnder(reader, hold);
  hold.Release();
  Run("SELECT 1");
  EXPECT_EQ(Run("GET a"), "$1\r\n1\r\n");
}

}  // namespace
}  // namespace cloakroom
