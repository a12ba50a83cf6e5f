#include "server/execution/log_replay.h"

#include "tests/server/support/server_fixture.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

class LogReplayTest : public ServerTest {
 protected:
  absl::Status Replay(std::initializer_list<std::string_view> words) {
    hold_.WaitAndCloseAll(server_.keyspace());
    absl::Status status = replay_.Run(std::span(words.begin(), words.size()));
    hold_.Release();
    return status;
  }

  Hold hold_{server_.keyspace().background_slot()};
  LogReplay replay_{server_, hold_};
};

TEST_F(LogReplayTest, ExecutesCommandsInTheDatabaseThatTheySelect) {
  EXPECT_OK(Replay({"SET", "a", "1"}));
  EXPECT_OK(Replay({"SELECT", "3"}));
  EXPECT_OK(Replay({"HSET", "h", "f", "v"}));
  EXPECT_EQ(Run("GET a"), "$1\r\n1\r\n");
  Run("SELECT 3");
  EXPECT_EQ(Run("HGET h f"), "$1\r\nv\r\n");
}

TEST_F(LogReplayTest, NothingExpiresUntilTheLogSaysSo) {
  std::string past = std::to_string(now_ms() - 1000);
  EXPECT_OK(Replay({"HSET", "h", "a", "1"}));
  EXPECT_OK(Replay({"PEXPIREAT", "h", past}));
  EXPECT_OK(Replay({"HSET", "h", "b", "2"}));
  EXPECT_OK(Replay({"PERSIST", "h"}));
  EXPECT_EQ(Run("HLEN h"), ":2\r\n");
}

TEST_F(LogReplayTest, TimesThatCountFromNowCountFromTheLoad) {
  EXPECT_OK(Replay({"SETEX", "a", "100", "1"}));
  EXPECT_OK(Replay({"SET", "b", "1", "EX", "200"}));
  EXPECT_EQ(Run("TTL a"), ":100\r\n");
  EXPECT_EQ(Run("TTL b"), ":200\r\n");
}

TEST_F(LogReplayTest, ATransactionWaitsForItsExec) {
  EXPECT_OK(Replay({"MULTI"}));
  EXPECT_OK(Replay({"SET", "a", "1"}));
  EXPECT_EQ(Run("EXISTS a"), ":0\r\n");
  EXPECT_OK(Replay({"EXEC"}));
  EXPECT_EQ(Run("EXISTS a"), ":1\r\n");
}

TEST_F(LogReplayTest, WhatIsNoCommandIsAnError) {
  EXPECT_THAT((Replay({"JSON.SET", "j", "$", "1"})), FailsWith("unknown command 'JSON.SET'"));
  EXPECT_THAT((Replay({"GET"})), FailsWith("wrong number of arguments for 'get'"));
}

TEST_F(LogReplayTest, WhatNeedsAConnectionIsAnError) {
  EXPECT_THAT((Replay({"SAVE"})), FailsWith("'save' has no place in a log"));
  EXPECT_THAT((Replay({"WATCH", "k"})), FailsWith("'watch' has no place in a log"));
  EXPECT_THAT((Replay({"SHUTDOWN"})), FailsWith("'shutdown' has no place in a log"));
  EXPECT_OK(Replay({"MULTI"}));
  EXPECT_OK(Replay({"SUBSCRIBE", "c"}));
  EXPECT_THAT((Replay({"EXEC"})), FailsWith("'subscribe' has no place in a log"));
}

TEST_F(LogReplayTest, ScriptsOfOldLogsRun) {
  EXPECT_OK(Replay({"SCRIPT", "LOAD", "return 1"}));
  EXPECT_OK(Replay({"EVAL", "redis.call('SET', KEYS[1], 1)", "1", "a"}));
  EXPECT_EQ(Run("GET a"), "$1\r\n1\r\n");
}

TEST_F(LogReplayTest, ARestoredKeyExpiresOnlyWhenTheLogSaysSo) {
  Run("SET a v");
  const std::string reply = Run("DUMP a");
  const size_t begin = reply.find("\r\n") + 2;
  const std::string payload = reply.substr(begin, reply.size() - begin - 2);
  EXPECT_OK(Replay({"RESTORE", "b", "1", payload, "ABSTTL"}));
  EXPECT_EQ(server_.keyspace().db(0).size(), 2u);
  EXPECT_OK(Replay({"RESTORE", "c", "5000", payload}));
  EXPECT_EQ(Run("PTTL c"), ":5000\r\n");
}

}  // namespace
}  // namespace cloakroom
