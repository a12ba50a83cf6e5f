#include "server/execution/log_replay.h"

#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

class LogReplayTest : public ServerTest {
 protected:
  std::optional<std::string> Replay(std::initializer_list<std::string_view> words) {
    hold_.WaitAndCloseAll(server_.keyspace());
    auto error = replay_.Run(std::span(words.begin(), words.size()));
    hold_.Release();
    return error;
  }

  Hold hold_{server_.keyspace().background_slot()};
  LogReplay replay_{server_, hold_};
};

TEST_F(LogReplayTest, ExecutesCommandsInTheDatabaseThatTheySelect) {
  EXPECT_EQ(Replay({"SET", "a", "1"}), std::nullopt);
  EXPECT_EQ(Replay({"SELECT", "3"}), std::nullopt);
  EXPECT_EQ(Replay({"HSET", "h", "f", "v"}), std::nullopt);
  EXPECT_EQ(Run("GET a"), "$1\r\n1\r\n");
  Run("SELECT 3");
  EXPECT_EQ(Run("HGET h f"), "$1\r\nv\r\n");
}

TEST_F(LogReplayTest, NothingExpiresUntilTheLogSaysSo) {
  std::string past = std::to_string(now_ms() - 1000);
  EXPECT_EQ(Replay({"HSET", "h", "a", "1"}), std::nullopt);
  EXPECT_EQ(Replay({"PEXPIREAT", "h", past}), std::nullopt);
  EXPECT_EQ(Replay({"HSET", "h", "b", "2"}), std::nullopt);
  EXPECT_EQ(Replay({"PERSIST", "h"}), std::nullopt);
  EXPECT_EQ(Run("HLEN h"), ":2\r\n");
}

TEST_F(LogReplayTest, TimesThatCountFromNowCountFromTheLoad) {
  EXPECT_EQ(Replay({"SETEX", "a", "100", "1"}), std::nullopt);
  EXPECT_EQ(Replay({"SET", "b", "1", "EX", "200"}), std::nullopt);
  EXPECT_EQ(Run("TTL a"), ":100\r\n");
  EXPECT_EQ(Run("TTL b"), ":200\r\n");
}

TEST_F(LogReplayTest, ATransactionWaitsForItsExec) {
  EXPECT_EQ(Replay({"MULTI"}), std::nullopt);
  EXPECT_EQ(Replay({"SET", "a", "1"}), std::nullopt);
  EXPECT_EQ(Run("EXISTS a"), ":0\r\n");
  EXPECT_EQ(Replay({"EXEC"}), std::nullopt);
  EXPECT_EQ(Run("EXISTS a"), ":1\r\n");
}

TEST_F(LogReplayTest, WhatIsNoCommandIsAnError) {
  EXPECT_EQ(Replay({"ZADD", "z", "1", "a"}), "unknown command 'ZADD'");
  EXPECT_EQ(Replay({"GET"}), "wrong number of arguments for 'get'");
}

TEST_F(LogReplayTest, WhatNeedsAConnectionIsAnError) {
  EXPECT_EQ(Replay({"SAVE"}), "'save' has no place in a log");
  EXPECT_EQ(Replay({"WATCH", "k"}), "'watch' has no place in a log");
  EXPECT_EQ(Replay({"SHUTDOWN"}), "'shutdown' has no place in a log");
  EXPECT_EQ(Replay({"MULTI"}), std::nullopt);
  EXPECT_EQ(Replay({"SUBSCRIBE", "c"}), std::nullopt);
  EXPECT_EQ(Replay({"EXEC"}), "'subscribe' has no place in a log");
}

TEST_F(LogReplayTest, ScriptsOfOldLogsRun) {
  EXPECT_EQ(Replay({"SCRIPT", "LOAD", "return 1"}), std::nullopt);
  EXPECT_EQ(Replay({"EVAL", "redis.call('SET', KEYS[1], 1)", "1", "a"}), std::nullopt);
  EXPECT_EQ(Run("GET a"), "$1\r\n1\r\n");
}

}  // namespace
}  // namespace cloakroom
