#include "server/config/command_line.h"
#include "server/info/totals.h"
#include "storage/keyspace/hold.h"
#include "tests/server/support/server_fixture.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

using TransactionTest = ServerTest;

TEST_F(TransactionTest, QueuedCommandsRunTogetherAtExec) {
  EXPECT_EQ(Run("MULTI"), "+OK\r\n");
  EXPECT_EQ(Run("SET a 1"), "+QUEUED\r\n");
  EXPECT_EQ(Run("INCR a"), "+QUEUED\r\n");
  EXPECT_EQ(RunAs("other", "GET a"), "$-1\r\n");
  EXPECT_EQ(Run("EXEC"), "*2\r\n+OK\r\n:2\r\n");
  EXPECT_EQ(Run("GET a"), "$1\r\n2\r\n");
}

TEST_F(TransactionTest, AnEmptyTransactionIsAnEmptyArray) {
  Run("MULTI");
  EXPECT_EQ(Run("EXEC"), "*0\r\n");
}

TEST_F(TransactionTest, AFailingCommandStopsNoOther) {
  Run("SET a x");
  Run("MULTI");
  Run("INCR a");
  Run("SET b 1");
  EXPECT_EQ(Run("EXEC"), "*2\r\n-ERR value is not an integer or out of range\r\n+OK\r\n");
}

TEST_F(TransactionTest, AnErrorWhileQueueingAbortsIt) {
  Run("MULTI");
  Run("SET a 1");
  Run("NOSUCH");
  EXPECT_EQ(Run("EXEC"), "-EXECABORT Transaction discarded because of previous errors.\r\n");
  EXPECT_EQ(Run("GET a"), "$-1\r\n");
  EXPECT_EQ(Run("EXEC"), "-ERR EXEC without MULTI\r\n");
}

TEST_F(TransactionTest, MultiDoesNotNest) {
  Run("MULTI");
  EXPECT_EQ(Run("MULTI"), "-ERR MULTI calls can not be nested\r\n");
  Run("SET a 1");
  EXPECT_EQ(Run("EXEC"), "*1\r\n+OK\r\n");
}

TEST_F(TransactionTest, DiscardForgetsTheQueueAndTheWatch) {
  Run("WATCH a");
  Run("MULTI");
  Run("SET b 1");
  EXPECT_EQ(Run("DISCARD"), "+OK\r\n");
  EXPECT_EQ(Run("GET b"), "$-1\r\n");
  EXPECT_EQ(Run("DISCARD"), "-ERR DISCARD without MULTI\r\n");
  RunAs("other", "SET a 2");
  Run("MULTI");
  EXPECT_EQ(Run("EXEC"), "*0\r\n");
}

TEST_F(TransactionTest, AWatchedKeyThatAnotherChangedVoidsIt) {
  Run("WATCH a");
  RunAs("other", "SET a 2");
  Run("MULTI");
  Run("SET b 1");
  EXPECT_EQ(Run("EXEC"), "*-1\r\n");
  EXPECT_EQ(Run("GET b"), "$-1\r\n");
}

TEST_F(TransactionTest, AWatchLastsForOneTransaction) {
  Run("WATCH a");
  RunAs("other", "SET a 2");
  Run("MULTI");
  Run("EXEC");
  Run("MULTI");
  EXPECT_EQ(Run("EXEC"), "*0\r\n");
}

TEST_F(TransactionTest, OnesOwnChangeVoidsItToo) {
  Run("WATCH a");
  Run("SET a 1");
  Run("MULTI");
  EXPECT_EQ(Run("EXEC"), "*-1\r\n");
}

TEST_F(TransactionTest, WhatGoesOverAllDatabasesWaitsForAllOfThem) {
  ASSERT_OK(config_.Load(ParseCommandLine({"--enable-debug-command", "local"})));
  Hold hold(server_.keyspace().background_slot());
  hold.WaitAndClose(server_.keyspace().db(1));
  Run("MULTI");
  EXPECT_EQ(Run("DEBUG DIGEST"), "+QUEUED\r\n");
  EXPECT_EQ(Run("EXEC"), "(waits for a gate)");
  hold.Release();
  EXPECT_TRUE(Run("EXEC").starts_with("*1\r\n+"));
}

TEST_F(TransactionTest, AScriptThatTheTransactionItselfBringsHasTheDatabasesForItself) {
  const std::string sha = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";  // of "return 1"
  Hold hold(server_.keyspace().background_slot());
  hold.WaitAndClose(server_.keyspace().db(1));
  Run("MULTI");
  Run({"SCRIPT", "LOAD", "return 1"});
  Run({"EVALSHA", sha, "0"});
  EXPECT_EQ(Run("EXEC"), "(waits for a gate)");
  hold.Release();
  EXPECT_EQ(Run("EXEC"), "*2\r\n$40\r\n" + sha + "\r\n:1\r\n");
}

TEST_F(TransactionTest, UnwatchInsideLeavesWhatIsHeldAlone) {
  Run("WATCH a b");
  Run("MULTI");
  Run("SET a 1");
  Run("UNWATCH");
  Run("INCR a");
  EXPECT_EQ(Run("EXEC"), "*3\r\n+OK\r\n+OK\r\n:2\r\n");
  EXPECT_TRUE(ClientNamed("").watched.empty());
  // This thread has given everything back.
  Hold hold(0);
  Database* all[] = {&server_.keyspace().db(0)};
  EXPECT_TRUE(hold.TryClose(all, false));
}

TEST_F(TransactionTest, AnotherDatabaseIsClosedOnlyWhenItIsNeeded) {
  Run("SET a 1");
  Hold hold(server_.keyspace().background_slot());
  hold.WaitAndClose(server_.keyspace().db(5));
  Run("MULTI");
  Run("MOVE a 1");
  Run("GET a");
  EXPECT_EQ(Run("EXEC"), "*2\r\n:1\r\n$-1\r\n");
  Run("MULTI");
  Run("MOVE a 5");
  EXPECT_EQ(Run("EXEC"), "(waits for a gate)");
}

TEST_F(TransactionTest, ACommandThatChangedNothingVoidsNothing) {
  Run("WATCH a");
  RunAs("other", "DEL a");
  RunAs("other", "GET a");
  Run("MULTI");
  EXPECT_EQ(Run("EXEC"), "*0\r\n");
}

TEST_F(TransactionTest, AWatchedKeyThatExpiresVoidsItThoughNobodyRemovedIt) {
  Run("SET a 1 PX 50");
  Run("WATCH a");
  Advance(51);
  Run("MULTI");
  Run("SET b 1");
  EXPECT_EQ(Run("EXEC"), "*-1\r\n");
}

TEST_F(TransactionTest, AKeyThatHadExpiredWhenWatchedVoidsNothing) {
  Run("SET a 1 PX 50");
  Advance(51);
  Run("WATCH a");
  RunAs("other", "GET a");
  Run("MULTI");
  EXPECT_EQ(Run("EXEC"), "*0\r\n");
}

TEST_F(TransactionTest, AKeyOfAnotherDatabaseIsWatchedThere) {
  Run("WATCH a");
  Run("SELECT 1");
  RunAs("other", "SET a 1");
  Run("MULTI");
  EXPECT_EQ(Run("EXEC"), "*-1\r\n");
  Run("WATCH a");
  RunAs("other", "SET a 2");
  Run("MULTI");
  EXPECT_EQ(Run("EXEC"), "*0\r\n");
}

TEST_F(TransactionTest, FlushVoidsAWatchOfAKeyThatIsThereAndOfNoOther) {
  Run("SET a 1");
  RunAs("two", "WATCH nosuch");
  Run("WATCH a");
  RunAs("other", "FLUSHALL");
  Run("MULTI");
  EXPECT_EQ(Run("EXEC"), "*-1\r\n");
  RunAs("two", "MULTI");
  EXPECT_EQ(RunAs("two", "EXEC"), "*0\r\n");
}

TEST_F(TransactionTest, FlushOfAKeyThatHadExpiredVoidsOnlyWhoWatchedItLiving) {
  for (const char* request : {"FLUSHDB", "FLUSHALL", "SWAPDB 0 1"}) {
    Run("SET a 1 PX 5");
    RunAs("other", "WATCH a");
    clock_.now_ms += 10;
    Run("WATCH a");
    Run(request);
    Run("MULTI");
    RunAs("other", "MULTI");
    EXPECT_EQ(Run("EXEC"), "*0\r\n") << request;
    EXPECT_EQ(RunAs("other", "EXEC"), "*-1\r\n") << request;
  }
}

TEST_F(TransactionTest, ASubscriptionOfAShardIsRefusedInside) {
  Run("MULTI");
  Run("SSUBSCRIBE a");
  EXPECT_EQ(Run("EXEC"), "*1\r\n-ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client\r\n");
}

TEST_F(TransactionTest, UnwatchForgetsAndWatchIsRefusedInside) {
  Run("WATCH a");
  EXPECT_EQ(Run("UNWATCH"), "+OK\r\n");
  RunAs("other", "SET a 1");
  Run("MULTI");
  EXPECT_EQ(Run("WATCH b"), "-ERR WATCH inside MULTI is not allowed\r\n");
  EXPECT_EQ(Run("EXEC"), "*0\r\n");
}

TEST_F(TransactionTest, ATransactionMaySelect) {
  Run("MULTI");
  Run("SELECT 2");
  Run("SET a 1");
  EXPECT_EQ(Run("EXEC"), "*2\r\n+OK\r\n+OK\r\n");
  EXPECT_EQ(Run("GET a"), "$1\r\n1\r\n");
  EXPECT_EQ(RunAs("other", "GET a"), "$-1\r\n");
}

TEST_F(TransactionTest, WithoutRoomItIsRefusedWhenItMayGrow) {
  Run("MULTI");
  Run("SET a 1");
  server_.keyspace().settings().maxmemory_bytes = 1;
  EXPECT_EQ(Run("EXEC"),
            "-EXECABORT Transaction discarded because of: OOM command not allowed when used memory "
            "> 'maxmemory'.\r\n");
  server_.keyspace().settings().maxmemory_bytes = 0;
  Run("MULTI");
  Run("GET a");
  server_.keyspace().settings().maxmemory_bytes = 1;
  EXPECT_EQ(Run("EXEC"), "*1\r\n$-1\r\n");
}

TEST_F(TransactionTest, LongWorkInsideRunsAtOnce) {
  Run("SET a 1");
  Run("MULTI");
  Run("KEYS *");
  Run("MEMORY PURGE");
  EXPECT_EQ(Run("EXEC"), "*2\r\n*1\r\n$1\r\na\r\n+OK\r\n");
}

TEST_F(TransactionTest, HelloInsideChangesTheProtocolOfWhatFollows) {
  Run("MULTI");
  Run("GET a");
  Run("HELLO 3");
  Run("GET a");
  std::string reply = Run("EXEC");
  EXPECT_TRUE(reply.starts_with("*3\r\n$-1\r\n%7\r\n")) << reply;
  EXPECT_TRUE(reply.ends_with("_\r\n")) << reply;
}

TEST_F(TransactionTest, MonitorsSeeWhatRanAndThenExec) {
  RunAs("m", "MONITOR");
  Run("MULTI");
  Run("SET a 1");
  Run("EXEC");
  const std::string start = "+1800000000.000000 [0 127.0.0.1:50000] ";
  EXPECT_EQ(LinkOf("m").pushed,
            start + "\"MULTI\"\r\n" + start + "\"SET\" \"a\" \"1\"\r\n" + start + "\"EXEC\"\r\n");
}

TEST_F(TransactionTest, AnAbortedOneIsACallThatFailed) {
  Run("MULTI");
  Run("NOSUCH");
  Run("EXEC");
  const Command& exec = *server_.commands().FindName("exec");
  EXPECT_EQ(SumOf(server_, exec.index).calls, 1);
  EXPECT_EQ(SumOf(server_, exec.index).failed, 1);
  EXPECT_EQ(SumOf(server_).errors, 2);
  EXPECT_NE(Run("INFO errorstats").find("errorstat_EXECABORT:count=1"), std::string::npos);
}

TEST_F(TransactionTest, ARefusedExecCountsAsItsReplySays) {
  Run("MULTI");
  Run("EXEC too many");
  const Command& exec = *server_.commands().FindName("exec");
  EXPECT_EQ(SumOf(server_, exec.index).calls, 0);
  EXPECT_EQ(SumOf(server_, exec.index).rejected, 1);
  const std::string info = Run("INFO errorstats");
  EXPECT_NE(info.find("errorstat_EXECABORT:count=1"), std::string::npos) << info;
  EXPECT_EQ(info.find("errorstat_ERR"), std::string::npos) << info;
}

}  // namespace
}  // namespace cloakroom
