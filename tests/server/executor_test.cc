#include "server/executor.h"

#include "server/config/command_line.h"
#include "tests/server/support/server_fixture.h"

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
  config_.Load(ParseCommandLine({"--enable-debug-command", "local"}));
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

}  // namespace
}  // namespace cloakroom
