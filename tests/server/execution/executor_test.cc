#include "server/execution/executor.h"

#include <gmock/gmock.h>

#include <functional>
#include <thread>
#include <utility>

#include "server/config/command_line.h"
#include "server/context/pause.h"
#include "server/info/totals.h"
#include "server/script/running_scripts.h"
#include "storage/keyspace/hold.h"
#include "tests/server/support/server_fixture.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

using ExecutorTest = ServerTest;

TEST_F(ExecutorTest, AnUnknownCommandIsToldWithItsFirstArguments) {
  EXPECT_EQ(Run("NOSUCH a b"),
            "-ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' \r\n");
  EXPECT_EQ(Run("CLIENT NOSUCH"), "-ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP.\r\n");
}

TEST_F(ExecutorTest, TheArgumentsOfAnUnknownCommandAreCutOff) {
  EXPECT_EQ(Run({"NOSUCH", std::string(200, 'a'), "b"}),
            "-ERR unknown command 'NOSUCH', with args beginning with: '" + std::string(128, 'a') +
                "' \r\n");
}

TEST_F(ExecutorTest, TheNumberOfArgumentsIsCheckedByTheRow) {
  EXPECT_EQ(Run("GET"), "-ERR wrong number of arguments for 'get' command\r\n");
  EXPECT_EQ(Run("GET a b"), "-ERR wrong number of arguments for 'get' command\r\n");
  EXPECT_EQ(Run("CLIENT"), "-ERR wrong number of arguments for 'client' command\r\n");
  EXPECT_EQ(Run("CLIENT ID a"), "-ERR wrong number of arguments for 'client|id' command\r\n");
}

TEST_F(ExecutorTest, AStrangerGetsNoFurtherThanAuth) {
  ClientNamed("stranger").authenticated = false;
  EXPECT_EQ(RunAs("stranger", "GET a"), "-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(RunAs("stranger", "NOSUCH"),
            "-ERR unknown command 'NOSUCH', with args beginning with: \r\n");
  EXPECT_EQ(RunAs("stranger", "GET"), "-ERR wrong number of arguments for 'get' command\r\n");
  EXPECT_EQ(RunAs("stranger", "AUTH default x"), "+OK\r\n");
  EXPECT_EQ(RunAs("stranger", "GET a"), "$-1\r\n");
}

TEST_F(ExecutorTest, DebugIsForThoseWhoMay) {
  EXPECT_TRUE(Run("DEBUG SLEEP 0").starts_with("-ERR DEBUG command not allowed."));
  ASSERT_OK(config_.Load(ParseCommandLine({"--enable-debug-command", "local"})));
  EXPECT_EQ(Run("DEBUG SET-ACTIVE-EXPIRE 1"), "+OK\r\n");
  ClientNamed("far").local = false;
  EXPECT_TRUE(RunAs("far", "DEBUG SLEEP 0").starts_with("-ERR DEBUG command not allowed."));
}

TEST_F(ExecutorTest, WithoutRoomWritesThatGrowAreRefusedAndOthersAreNot) {
  Run("SET a 1");
  server_.keyspace().settings().maxmemory_bytes = 1;
  EXPECT_EQ(Run("SET b 1"), "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
  EXPECT_EQ(Run("GET a"), "$1\r\n1\r\n");
  EXPECT_EQ(Run("DEL a"), ":1\r\n");
}

TEST_F(ExecutorTest, WhoSendsHttpIsHungUpOnWithoutAWord) {
  for (const char* word : {"POST", "pOsT", "Host:", "HOST:"}) {
    EXPECT_EQ(RunAs(word, std::string(word) + " / HTTP/1.1"), "");
    EXPECT_TRUE(ClientNamed(word).close_after_reply);
  }
  EXPECT_NE(Run("HOST a"), "");
  EXPECT_FALSE(ClientNamed("").close_after_reply);
}

TEST_F(ExecutorTest, WithoutRoomATransactionCanOnlyBeEnded) {
  constexpr char kOom[] = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
  Run("SET a 1");
  server_.keyspace().settings().maxmemory_bytes = 1;
  EXPECT_EQ(Run("MULTI"), "+OK\r\n");
  for (const char* request : {"GET a", "PING", "MULTI", "WATCH a", "PUBLISH a b"}) {
    EXPECT_EQ(Run(request), kOom);
  }
  EXPECT_EQ(Run("EXEC"), "-EXECABORT Transaction discarded because of previous errors.\r\n");
  Run("MULTI");
  EXPECT_EQ(Run("DISCARD"), "+OK\r\n");
  Run("MULTI");
  EXPECT_EQ(Run("RESET"), "+RESET\r\n");
  Run("MULTI");
  EXPECT_EQ(Run("EXEC"), "*0\r\n");
}

/// A script that becomes busy: every reading of the clock moves it on.
class BusyScriptTest : public ServerTest {
 protected:
  BusyScriptTest() {
    server_.thread(0).serve_others = [this] {
      if (std::exchange(served_, true)) return;
      inside_();
    };
  }
  /// Runs the script; while it is busy, the loop calls `inside` for other clients.
  std::string RunBusy(const std::string& script, std::function<void()> inside) {
    inside_ = std::move(inside);
    clock_.step_us = 10'000'000;
    std::string reply = Run({"EVAL", script, "0"});
    EXPECT_TRUE(served_);
    return reply;
  }

 private:
  std::function<void()> inside_;
  bool served_ = false;
};

constexpr char kBusyInTwoDatabases[] =
    "redis.call('SET', 'a', 1) for i = 1, 300000 do end "
    "redis.call('SELECT', 1) redis.call('SET', 'b', 2) return redis.call('GET', 'b')";

TEST_F(BusyScriptTest, KeepsItsDatabasesWhileOthersAreServed) {
  EXPECT_EQ(RunBusy(kBusyInTwoDatabases,
                    [this] {
                      EXPECT_EQ(RunAs("other", "PING"), "+PONG\r\n");
                      EXPECT_TRUE(RunAs("other", "GET a").starts_with("-BUSY "));
                      EXPECT_TRUE(RunAs("other", "MOVE a 3").starts_with("-BUSY "));
                    }),
            "$1\r\n2\r\n");
}

TEST_F(BusyScriptTest, IsAsSlowForTheSlowlogAsItWas) {
  RunBusy("redis.call('SET', 'a', 1) for i = 1, 300000 do end", [this] { RunAs("other", "PING"); });
  EXPECT_TRUE(Run("SLOWLOG GET").find("300000") != std::string::npos) << Run("SLOWLOG GET");
}

TEST_F(BusyScriptTest, AnotherScriptOfItsLoopIsRefusedBeforeItsTransactionHasDoneAnything) {
  RunBusy("redis.call('SET', 'a', 1) for i = 1, 300000 do end", [this] {
    RunAs("other", "SELECT 2");
    RunAs("other", "MULTI");
    RunAs("other", "SET x 1");
    EXPECT_EQ(RunAs("other", {"EVAL", "return 1", "0"}), "+QUEUED\r\n");
    EXPECT_TRUE(RunAs("other", "EXEC")
                    .starts_with("-EXECABORT Transaction discarded because of: "
                                 "BUSY "));
    EXPECT_EQ(RunAs("other", "GET x"), "$-1\r\n");
    EXPECT_TRUE(RunAs("other", {"EVAL", "return 1", "0"}).starts_with("-BUSY "));
    EXPECT_TRUE(RunAs("other", {"SCRIPT", "LOAD", "return 1"}).starts_with("-BUSY "));
  });
}

TEST_F(BusyScriptTest, LeavesOtherDatabasesAlone) {
  RunBusy("redis.call('SET', 'a', 1) for i = 1, 300000 do end", [this] {
    RunAs("other", "SELECT 2");
    RunAs("other", "MULTI");
    RunAs("other", "SET x 1");
    EXPECT_EQ(RunAs("other", "EXEC"), "*1\r\n+OK\r\n");
    EXPECT_EQ(RunAs("other", "MOVE x 3"), ":1\r\n");
    EXPECT_EQ(RunAs("other", "SWAPDB 2 3"), "+OK\r\n");
    EXPECT_EQ(RunAs("other", "COPY x y DB 4"), ":1\r\n");
    EXPECT_TRUE(RunAs("other", "SWAPDB 0 3").starts_with("-BUSY "));
    EXPECT_TRUE(RunAs("other", "FLUSHALL").starts_with("-BUSY "));
  });
}

TEST_F(ExecutorTest, WhatNeedsTwoDatabasesLeavesTheOthersOpen) {
  Run("SET a 1");
  Hold hold(server_.keyspace().background_slot());
  hold.WaitAndClose(server_.keyspace().db(5));
  EXPECT_EQ(Run("COPY a b DB 2"), ":1\r\n");
  EXPECT_EQ(Run("MOVE a 1"), ":1\r\n");
  EXPECT_EQ(Run("SWAPDB 0 1"), "+OK\r\n");
  EXPECT_EQ(Run("GET a"), "$1\r\n1\r\n");
  EXPECT_EQ(Run("MOVE a 5"), "(waits for a gate)");
  EXPECT_EQ(Run("SWAPDB 5 0"), "(waits for a gate)");
  EXPECT_EQ(Run("COPY a b DB 5"), "(waits for a gate)");
  EXPECT_EQ(Run("COPY a b DB 5 DB 2"), "(waits for a gate)");
  EXPECT_EQ(Run("FLUSHALL"), "(waits for a gate)");
}

TEST_F(ExecutorTest, ABadNumberOfADatabaseIsRefusedWithoutOne) {
  EXPECT_EQ(Run("MOVE a x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("MOVE a 99"), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(Run("SWAPDB x y"), "-ERR invalid first DB index\r\n");
  EXPECT_EQ(Run("SWAPDB 0 99"), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(Run("COPY a b DB 99"), "-ERR DB index is out of range\r\n");
}

TEST_F(ExecutorTest, AnOccupiedStripeIsComeBackTo) {
  for (const char* request : {"GET a", "SET a 1", "MGET a b", "KEYS *", "RANDOMKEY"}) {
    Run("SET a 1");
    Mutex& stripe = server_.keyspace().db(0).StripeOf(KeyHash::Of("a")).mutex;
    stripe.Lock();
    std::string reply;
    std::thread([&] { reply = Run(request); }).join();
    stripe.Unlock();
    EXPECT_EQ(reply, "(soon)") << request;
    EXPECT_NE(Run(request), "(soon)");
  }
}

TEST_F(ExecutorTest, ScanGoesAsFarAsItGetsAndComesBackWhenThatIsNowhere) {
  Run("SET a 1");
  Mutex& stripe = server_.keyspace().db(0).StripeOf(KeyHash::Of("a")).mutex;
  const std::string cursor = std::to_string(uint64_t{KeyHash::Of("a").stripe()} << 48);
  stripe.Lock();
  std::string from_there;
  std::thread([&] { from_there = Run("SCAN " + cursor); }).join();
  stripe.Unlock();
  EXPECT_EQ(from_there, "(soon)");
  EXPECT_TRUE(Run("SCAN " + cursor).ends_with("*1\r\n$1\r\na\r\n"));
}

TEST_F(ExecutorTest, WhileAnEndWaitsScriptsDoNotBeginAndOtherCommandsDo) {
  server_.running_scripts().EndLasting(/*hold_back=*/true);
  EXPECT_EQ(Run({"EVAL", "return 1", "0"}), "(soon)");
  EXPECT_EQ(Run({"EVAL_RO", "return 1", "0"}), "(soon)");
  EXPECT_EQ(Run("SET a 1"), "+OK\r\n");
  EXPECT_NE(Run({"SCRIPT", "LOAD", "return 1"}), "(soon)");
  Run("MULTI");
  EXPECT_EQ(Run({"EVAL", "return 1", "0"}), "+QUEUED\r\n");
  EXPECT_EQ(Run("EXEC"), "(soon)");
  server_.running_scripts().LetGoOn();
  EXPECT_EQ(Run("EXEC"), "*1\r\n:1\r\n");
}

TEST_F(ExecutorTest, AMonitorMustNotTouchKeys) {
  EXPECT_EQ(RunAs("m", "MONITOR"), "+OK\r\n");
  EXPECT_EQ(RunAs("m", "GET a"), "-ERR Replica can't interact with the keyspace\r\n");
  EXPECT_EQ(RunAs("m", "PING"), "+PONG\r\n");
}

TEST_F(ExecutorTest, RepliesSwitchedOffStayOffForRefusalsToo) {
  EXPECT_EQ(Run("CLIENT REPLY OFF"), "");
  EXPECT_EQ(Run("NOSUCH"), "");
  EXPECT_EQ(Run("MULTI"), "");
  EXPECT_EQ(Run("SET a 1"), "");
  EXPECT_EQ(Run("EXEC"), "");
  EXPECT_EQ(Run("CLIENT REPLY SKIP"), "");
  EXPECT_EQ(Run("PING"), "");
  EXPECT_EQ(Run("CLIENT REPLY ON"), "+OK\r\n");
  EXPECT_EQ(Run("GET a"), "$1\r\n1\r\n");
}

TEST_F(ExecutorTest, SkipDropsOneReply) {
  EXPECT_EQ(Run("CLIENT REPLY SKIP"), "");
  EXPECT_EQ(Run("NOSUCH"), "");
  EXPECT_EQ(Run("PING"), "+PONG\r\n");
}

TEST_F(ExecutorTest, ResetIsHeardAfterOffAndNotAfterSkip) {
  EXPECT_EQ(Run("CLIENT REPLY OFF"), "");
  EXPECT_EQ(Run("RESET"), "+RESET\r\n");
  EXPECT_EQ(Run("CLIENT REPLY SKIP"), "");
  EXPECT_EQ(Run("RESET"), "");
  EXPECT_EQ(Run("PING"), "+PONG\r\n");
}

TEST_F(ExecutorTest, SkipInATransactionDropsTheReplyAfterIt) {
  Run("MULTI");
  EXPECT_EQ(Run("CLIENT REPLY SKIP"), "+QUEUED\r\n");
  EXPECT_EQ(Run("PING"), "+QUEUED\r\n");
  EXPECT_EQ(Run("EXEC"), "*2\r\n+PONG\r\n");
  EXPECT_EQ(Run("PING"), "");
  EXPECT_EQ(Run("PING"), "+PONG\r\n");
}

TEST_F(ExecutorTest, AFailureOfLongWorkIsCounted) {
  EXPECT_EQ(Run("CONFIG REWRITE"), "-ERR The server is running without a config file\r\n");
  const Command& rewrite = *server_.commands().FindName("config|rewrite");
  EXPECT_EQ(SumOf(server_, rewrite.index).failed, 1);
  EXPECT_EQ(SumOf(server_).errors, 1);
}

TEST_F(ExecutorTest, CallsFailuresAndRefusalsAreCountedApart) {
  Run("SET a x");
  Run("INCR a");
  Run("INCR");
  Run("INCR b");
  const Command& incr = *server_.commands().FindName("incr");
  CommandTotals totals = SumOf(server_, incr.index);
  EXPECT_EQ(totals.calls, 2);
  EXPECT_EQ(totals.failed, 1);
  EXPECT_EQ(totals.rejected, 1);
  EXPECT_EQ(SumOf(server_).errors, 2);
}

TEST_F(ExecutorTest, HitsAndMissesAreCounted) {
  Run("SET a 1");
  Run("GET a");
  Run("GET b");
  EXPECT_EQ(SumOf(server_).keyspace_hits, 1);
  EXPECT_EQ(SumOf(server_).keyspace_misses, 1);
}

TEST_F(ExecutorTest, MonitorsSeeTheCommandAfterItRan) {
  RunAs("m", "MONITOR");
  Run({"SET", "k", "a\"b\n"});
  EXPECT_EQ(LinkOf("m").pushed,
            "+1800000000.000000 [0 127.0.0.1:50000] \"SET\" \"k\" \"a\\\"b\\n\"\r\n");
}

TEST_F(ExecutorTest, MonitorsSeeNoPasswordsAndNoAdministration) {
  RunAs("m", "MONITOR");
  Run("AUTH default secret");
  Run("CONFIG GET maxmemory");
  EXPECT_EQ(LinkOf("m").pushed,
            "+1800000000.000000 [0 127.0.0.1:50000] \"AUTH\" \"(redacted)\" \"(redacted)\"\r\n");
}

TEST_F(ExecutorTest, MonitorsSeeAnExecThatFails) {
  RunAs("m", "MONITOR");
  const auto seen = [&] { return std::exchange(LinkOf("m").pushed, ""); };
  const std::string at = "+1800000000.000000 [0 127.0.0.1:50000] ";
  const std::string multi = at + "\"MULTI\"\r\n";
  Run("MULTI");
  Run("NOSUCH");
  EXPECT_THAT(Run("EXEC"), testing::HasSubstr("EXECABORT"));
  EXPECT_EQ(seen(), multi + at + "\"EXEC\"\r\n");
  Run("MULTI");
  EXPECT_THAT(Run("EXEC x"), testing::HasSubstr("EXECABORT"));
  EXPECT_EQ(seen(), multi + at + "\"EXEC\" \"x\"\r\n");
}

TEST_F(ExecutorTest, SelectIsShownInTheDatabaseWhereItLed) {
  RunAs("m", "MONITOR");
  Run("SELECT 3");
  Run("PING");
  EXPECT_EQ(LinkOf("m").pushed,
            "+1800000000.000000 [3 127.0.0.1:50000] \"SELECT\" \"3\"\r\n"
            "+1800000000.000000 [3 127.0.0.1:50000] \"PING\"\r\n");
}

TEST_F(ExecutorTest, APauseOfAllHoldsEverythingBackEvenItsEnd) {
  server_.pause().Begin(now_ms() + 10, /*all=*/true);
  EXPECT_EQ(Run("GET a"), "(paused)");
  EXPECT_EQ(Run("CLIENT UNPAUSE"), "(paused)");
  Advance(10);
  EXPECT_EQ(Run("CLIENT UNPAUSE"), "+OK\r\n");
  EXPECT_EQ(Run("GET a"), "$-1\r\n");
}

TEST_F(ExecutorTest, APauseOfWritesHoldsATransactionBackThatWrites) {
  Run("MULTI");
  Run("SET a 1");
  server_.pause().Begin(now_ms() + 10, /*all=*/false);
  EXPECT_EQ(Run("SET b 1"), "(paused)");
  EXPECT_EQ(Run("GET a"), "+QUEUED\r\n");
  EXPECT_EQ(Run("EXEC"), "(paused)");
  Advance(10);
  EXPECT_EQ(Run("EXEC"), "*2\r\n+OK\r\n$1\r\n1\r\n");
}

TEST_F(ExecutorTest, APauseOfWritesGoesByWhatAScriptDeclares) {
  Run({"FUNCTION", "LOAD",
       "#!lua name=lib\nredis.register_function{function_name='reads', flags={'no-writes'}, "
       "callback=function() return 1 end}\n"
       "redis.register_function('writes', function() return 2 end)"});
  server_.pause().Begin(now_ms() + 10, /*all=*/false);
  EXPECT_EQ(Run({"EVAL", "#!lua flags=no-writes\nreturn 1", "0"}), ":1\r\n");
  EXPECT_EQ(Run({"EVAL", "#!lua\nreturn 1", "0"}), "(paused)");
  EXPECT_EQ(Run({"EVAL", "return 1", "0"}), "(paused)");
  EXPECT_EQ(Run({"EVAL_RO", "return 1", "0"}), ":1\r\n");
  EXPECT_EQ(Run({"EVAL_RO", "#!lua\nreturn 1", "0"}), "(paused)");
  EXPECT_EQ(Run("FCALL reads 0"), ":1\r\n");
  EXPECT_EQ(Run("FCALL writes 0"), "(paused)");
  EXPECT_EQ(Run("FCALL_RO writes 0"), "(paused)");
  Run("MULTI");
  EXPECT_EQ(Run("FCALL reads 0"), "+QUEUED\r\n");
  EXPECT_EQ(Run("EXEC"), "*1\r\n:1\r\n");
}

TEST_F(ExecutorTest, AnErrorThatAScriptPassesOnIsCountedOnce) {
  Run("SET s x");
  const Command& eval = *server_.commands().FindName("eval");
  const Command& lpush = *server_.commands().FindName("lpush");
  int64_t errors = 0;
  int64_t scripts = 0;
  for (const char* script :
       {"return redis.call('LPUSH', 's', 1)", "return redis.pcall('LPUSH', 's', 1)",
        "local r = redis.pcall('LPUSH', 's', 1) error(r)"}) {
    Run({"EVAL", script, "0"});
    EXPECT_EQ(SumOf(server_).errors, ++errors) << script;
    EXPECT_EQ(SumOf(server_, eval.index).failed, ++scripts) << script;
    EXPECT_EQ(SumOf(server_, lpush.index).failed, errors) << script;
  }
  Run({"EVAL", "redis.pcall('LPUSH', 's', 1) return 1", "0"});
  EXPECT_EQ(SumOf(server_).errors, ++errors);
  EXPECT_EQ(SumOf(server_, eval.index).failed, scripts);
  Run({"EVAL", "return redis.error_reply('MY own')", "0"});
  EXPECT_EQ(SumOf(server_).errors, ++errors);
  Run({"EVAL", "return {err = redis.pcall('LPUSH', 's', 1).err}", "0"});
  EXPECT_EQ(SumOf(server_).errors, errors + 2) << "the script's own error, too";
}

TEST_F(ExecutorTest, WhatAScriptIsRefusedIsCounted) {
  const Command& get = *server_.commands().FindName("get");
  Run({"EVAL", "return redis.call('GET')", "0"});
  EXPECT_EQ(SumOf(server_, get.index).rejected, 1);
  EXPECT_EQ(SumOf(server_).errors, 1);
  Run({"EVAL", "redis.pcall('NOSUCH') return 1", "0"});
  EXPECT_EQ(SumOf(server_).errors, 2);
}

}  // namespace
}  // namespace cloakroom
