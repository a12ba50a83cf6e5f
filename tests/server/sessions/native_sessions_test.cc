#include "server/sessions/native_sessions.h"

#include <string>

#include "server/context/pause.h"
#include "server/sessions/session_fields.h"
#include "storage/keyspace/hold.h"
#include "storage/upkeep/expirer.h"
#include "tests/server/support/session_fixture.h"

namespace cloakroom {
namespace {

class NativeSessionsTest : public SessionTest {
 protected:
  std::string Commit(const std::string& name, const std::string& fence) {
    return RunAs(name, {"SESSION.COMMIT", "s", fence, "DATA", "mine"});
  }
  void ExpectFenced(const std::string& name, const std::string& fence, std::string_view why) {
    const std::string reply = Commit(name, fence);
    EXPECT_EQ(reply.substr(0, 8 + why.size()), "-FENCED " + std::string(why)) << reply;
  }
};

TEST_F(NativeSessionsTest, APlainClientSeesALockThatItPollsFor) {
  const std::string fence = Open("a", "REQ GET_/");
  EXPECT_EQ(Run("HINCRBY s lock 1"), ":1000001\r\n");
  EXPECT_EQ(Run("HMGET s pid req"), Bulks({"a|1|0", "GET_/"}));
  EXPECT_EQ(Run("TTL s"), ":21600\r\n") << "of a session that only the lock made";
  EXPECT_EQ(StateOf(), "published");
  EXPECT_EQ(Commit("a", fence), ":1\r\n");
  EXPECT_EQ(Run("HGET s lock"), Bulk("0"));
}

TEST_F(NativeSessionsTest, APlainClientThatTakesTheLockFencesTheHolder) {
  const std::string fence = Open("a");
  Run("HINCRBY s lock 1");
  EXPECT_EQ(Run("HSET s lock 1 pid web9|9 req x"), ":0\r\n");
  EXPECT_EQ(OpenAs("b", "WAIT 0"), "-LOCKED web9|9 holds it, 0 wait before you\r\n");
  ExpectFenced("a", fence, "taken by web9|9");
  EXPECT_EQ(Run("HGET s data"), "$-1\r\n");
}

TEST_F(NativeSessionsTest, APlainClientThatIsDoneWakesTheNext) {
  Run("HSET s data old lock 1 pid web9|9");
  EXPECT_EQ(OpenAs("a"), "(blocked)");
  Run("HSET s data new lock 0");
  EXPECT_EQ(Again("a", blocked_), "(blocked)") << "the write is not counted yet";
  EXPECT_EQ(blocked_->time_limit_ms(), SessionLock::kPlainLastMs);
  Run("HINCRBY s writes 1");
  ASSERT_TRUE(blocked_->settled());
  const std::string reply = Again("a", blocked_);
  FenceOf(reply);
  EXPECT_NE(reply.find("new"), std::string::npos);
}

TEST_F(NativeSessionsTest, AWriteThatIgnoresTheLockFencesTheHolder) {
  Run("HSET s data old writes 3");
  const std::string fence = Open("a");
  Run("HSET s data theirs writes 4");
  ExpectFenced("a", fence, "changed");
  EXPECT_EQ(Run("HGET s data"), Bulk("theirs"));
  EXPECT_EQ(Run("HGET s lock"), Bulk("0"));
}

TEST_F(NativeSessionsTest, OtherFieldsAndTheLifetimeTakeNothing) {
  Run("HSET s data old writes 3");
  const std::string fence = Open("a");
  Run("EXPIRE s 100");
  Run("HSET s wait 2 extra x");
  EXPECT_EQ(Commit("a", fence), ":4\r\n");
}

TEST_F(NativeSessionsTest, AScriptAndATransactionAreForeignWritesAsAny) {
  Run("HSET s data old writes 3");
  std::string fence = Open("a");
  Run({"EVAL", "return redis.call('HINCRBY', KEYS[1], 'writes', 1)", "1", "s"});
  ExpectFenced("a", fence, "changed");
  fence = Open("a");
  Run("MULTI");
  Run("HINCRBY s writes 1");
  Run("EXEC");
  ExpectFenced("a", fence, "changed");
}

TEST_F(NativeSessionsTest, WhateverRemovesTheSessionFencesItsHolder) {
  for (const char* way : {"DEL s", "UNLINK s", "RENAME s t", "MOVE s 1", "FLUSHDB", "FLUSHALL",
                          "SWAPDB 0 1", "COPY other s REPLACE", "RENAME other s",
                          "SESSION.DESTROY s", "HDEL s data writes lock pid req"}) {
    SCOPED_TRACE(way);
    Run("FLUSHALL");
    Run("HSET other data y");
    Run("HSET s data x writes 1");
    const std::string fence = Open("a");
    EXPECT_NE(Run(way)[0], '-');
    ExpectFenced("a", fence, "deleted");
    executor_.GiveBackSessions(ClientNamed("a"));
  }
}

TEST_F(NativeSessionsTest, AKeyOfAnotherTypeIsNoSession) {
  const std::string fence = Open("a");
  Run("SET s v");
  EXPECT_EQ(Commit("a", fence).substr(0, 10), "-WRONGTYPE");
  Run("DEL s");
  ExpectFenced("a", fence, "deleted");
}

TEST_F(NativeSessionsTest, AFlushGrantsTheLocksAnew) {
  Run("HSET s data x");
  const std::string fence = Open("a");
  EXPECT_EQ(OpenAs("b"), "(blocked)");
  Run("FLUSHALL");
  ASSERT_TRUE(blocked_->settled());
  const std::string reply = Again("b", blocked_);
  EXPECT_EQ(reply, State(FenceOf(reply), "$-1\r\n", 0, "0-0", -2));
}

TEST_F(NativeSessionsTest, ASwapBringsTheOtherDatabasesSession) {
  Run("HSET s data here");
  RunAs("one", "SELECT 1");
  RunAs("one", "HSET s data there lock 1 pid web9|9");
  Open("a");
  EXPECT_EQ(OpenAs("b"), "(blocked)");
  Run("SWAPDB 0 1");
  EXPECT_FALSE(blocked_->settled()) << "a plain client has the one that came";
  EXPECT_EQ(StateOf(), "plain");
  Run("HSET s lock 0");
  Run("HINCRBY s writes 1");
  ASSERT_TRUE(blocked_->settled());
  EXPECT_NE(Again("b", blocked_).find("there"), std::string::npos);
}

TEST_F(NativeSessionsTest, AnExpiredSessionKeepsItsHolder) {
  Run("HSET s data x");
  Run("PEXPIRE s 100");
  const std::string fence = Open("a");
  Run("HINCRBY s lock 1");
  EXPECT_EQ(StateOf(), "published");
  Advance(200);
  EXPECT_EQ(Run("EXISTS s"), ":0\r\n");
  EXPECT_EQ(StateOf(), "held");
  EXPECT_EQ(Commit("a", fence), ":1\r\n");
  EXPECT_EQ(Run("HGET s lock"), "$-1\r\n");
}

TEST_F(NativeSessionsTest, TheExpirerTellsOfAPlainClientsSession) {
  Run("HSET s data x lock 1 pid web9|9");
  Run("PEXPIRE s 100");
  EXPECT_EQ(OpenAs("a"), "(blocked)");
  Advance(200);
  Expirer(server_.keyspace()).Run([] { return true; });
  ASSERT_TRUE(blocked_->settled());
  FenceOf(Again("a", blocked_));
}

TEST_F(NativeSessionsTest, EvictionPassesOverSessionsInUse) {
  Run("HSET s data x");
  Open("a");
  // More than one command evicts.
  for (int i = 0; i < 1500; ++i) Run({"SET", "k" + std::to_string(i), "x"});
  Run("CONFIG SET maxmemory-policy allkeys-random");
  Run("CONFIG SET maxmemory 1");
  for (int i = 0; i < 5; ++i) Run("SET k v");
  Run("CONFIG SET maxmemory 0");
  EXPECT_EQ(Run("HGET s data"), Bulk("x"));
  EXPECT_GT(server_.keyspace().counters().evicted, 1000);
}

TEST_F(NativeSessionsTest, SessionsInUseAreEvictedWhenThereIsNothingElse) {
  Run("HSET s data x");
  Open("a");
  Run("CONFIG SET maxmemory-policy allkeys-random");
  Run("CONFIG SET maxmemory 1");
  for (int i = 0; i < 20 && Run("EXISTS s") == ":1\r\n"; ++i) Run("SET k v");
  Run("CONFIG SET maxmemory 0");
  EXPECT_EQ(Run("EXISTS s"), ":0\r\n");
}

TEST_F(NativeSessionsTest, AHashThatOnlyPublishingMadeGoesWithTheLock) {
  const std::string fence = Open("a");
  EXPECT_EQ(Run("HDEL s nothing"), ":0\r\n");
  EXPECT_EQ(Run("EXISTS s"), ":1\r\n");
  EXPECT_EQ(RunAs("a", {"SESSION.RELEASE", "s", fence}), ":1\r\n");
  EXPECT_EQ(Run("EXISTS s"), ":0\r\n");
}

TEST_F(NativeSessionsTest, TheCountOfPlainClientsThatWaitKeepsNoSession) {
  const std::string fence = Open("a");
  Run("HINCRBY s lock 1");
  Run("HINCRBY s wait 1");
  EXPECT_EQ(RunAs("a", {"SESSION.RELEASE", "s", fence}), ":1\r\n");
  EXPECT_EQ(Run("EXISTS s"), ":0\r\n");
}

TEST_F(NativeSessionsTest, WhoGetsTheLockDuringAPauseIsPublishedUnderItsOwnName) {
  for (const bool delivered_late : {false, true}) {
    Run("FLUSHALL");
    Open("a");
    Run("HINCRBY s lock 1");
    EXPECT_EQ(OpenAs("b"), "(blocked)");
    const auto b = blocked_;
    server_.pause().Begin(now_ms() + 100, /*all=*/false);
    executor_.GiveBackSessions(ClientNamed("a"));
    ASSERT_TRUE(b->settled());
    if (delivered_late) Advance(200);
    FenceOf(Again("b", b));
    EXPECT_EQ(Run("HGET s pid"), Bulk(delivered_late ? "b|1|0" : "a|1|0"));
    if (!delivered_late) Advance(200);
    Run("HINCRBY s lock 1");
    EXPECT_EQ(Run("HGET s pid"), Bulk("b|1|0"));
    executor_.GiveBackSessions(ClientNamed("b"));
    EXPECT_EQ(Run("EXISTS s"), ":0\r\n");
    server_.pause().End();
  }
}

TEST_F(NativeSessionsTest, ABreakTakesTheLockFromAPlainClient) {
  Run("HSET s data x lock 1 pid web9|9 req GET_/slow");
  EXPECT_EQ(OpenAs("a"), "(blocked)");
  Advance(70);
  const std::string list = Run("SESSION.LIST");
  EXPECT_NE(list.find("web9|9"), std::string::npos) << list;
  EXPECT_NE(list.find("GET_/slow"), std::string::npos);
  EXPECT_NE(list.find(Bulk("held-ms") + ":70"), std::string::npos);
  EXPECT_EQ(Run("SESSION.BREAK s"), ":1\r\n");
  ASSERT_TRUE(blocked_->settled());
  FenceOf(Again("a", blocked_));
  EXPECT_EQ(Run("HMGET s lock pid"), Bulks({"0", "broken|0|0"})) << "so its write is refused";
  EXPECT_EQ(server_.sessions().stats().breaks.Get(), 1);
}

TEST_F(NativeSessionsTest, ATakeoverIsCounted) {
  Run("HSET s data x lock 1 pid web9|9");
  EXPECT_EQ(OpenAs("a", "LEASE 1000"), "(blocked)");
  Advance(1000);
  ASSERT_TRUE(blocked_->TimeOut());
  EXPECT_NE(Again("a", blocked_).find("web9|9 1000ms"), std::string::npos);
  EXPECT_EQ(server_.sessions().stats().breaks.Get(), 1);
}

TEST_F(NativeSessionsTest, AnOrphanIsTakenAtOnce) {
  Run("HSET s data x writes 5 lock 1000000 pid gone|1|77 req GET_/");
  const std::string fence = Open("a");
  EXPECT_EQ(StateOf(), "published");
  EXPECT_EQ(Run("HMGET s lock pid"), Bulks({"1000000", "a|1|77"}));
  EXPECT_EQ(Commit("a", fence), ":6\r\n");
}

TEST_F(NativeSessionsTest, AReplicaEndsAllLocksAndWaits) {
  const std::string fence = Open("a");
  EXPECT_EQ(OpenAs("b"), "(blocked)");
  const auto b = blocked_;
  Run("REPLICAOF 127.0.0.1 1");
  EXPECT_TRUE(b->settled());
  EXPECT_FALSE(b->runs_again());
  EXPECT_TRUE(b->closes_client());
  EXPECT_EQ(Commit("a", fence).substr(0, 9), "-READONLY");
  EXPECT_EQ(StateOf(), "free");
  Run("REPLICAOF NO ONE");
  ExpectFenced("a", fence, "unknown");
}

TEST_F(NativeSessionsTest, AWritableReplicaGivesNoLocks) {
  Run("CONFIG SET replica-read-only no");
  Run("REPLICAOF 127.0.0.1 1");
  EXPECT_EQ(OpenAs("a").substr(0, 9), "-READONLY");
  Run("REPLICAOF NO ONE");
}

TEST_F(NativeSessionsTest, TheGaugesAreThoseOfTheLastSweep) {
  Open("a");
  Run("HINCRBY s lock 1");
  EXPECT_EQ(OpenAs("b"), "(blocked)");
  Advance(40);
  server_.sessions().Sweep();
  const SessionGauges& gauges = server_.sessions().gauges();
  EXPECT_EQ(gauges.held, 1);
  EXPECT_EQ(gauges.published, 1);
  EXPECT_EQ(gauges.waiters, 1);
  EXPECT_EQ(gauges.longest_wait_ms, 40);
  EXPECT_GT(gauges.bytes, 0);
}

TEST_F(NativeSessionsTest, ASweepForgetsPollers) {
  const std::string fence = Open("a");
  Run("HINCRBY s lock 1");
  Run("HINCRBY s lock 1");
  EXPECT_EQ(Commit("a", fence), ":1\r\n");
  Advance(10000);
  server_.sessions().Sweep();
  Stripe& stripe = server_.keyspace().db(0).StripeOf(KeyHash::Of("s"));
  MutexLock lock(stripe.mutex);
  EXPECT_TRUE(stripe.sessions.empty());
}

TEST_F(NativeSessionsTest, AnImpatientPollerGetsATurn) {
  const std::string fence = Open("a");
  EXPECT_EQ(OpenAs("b"), "(blocked)");
  const auto b = blocked_;
  for (int i = 0; i < 5; ++i) {
    RunAs("plain", "HINCRBY s lock 1");
    Advance(500);
  }
  EXPECT_EQ(Commit("a", fence), ":1\r\n");
  EXPECT_EQ(StateOf(), "turn");
  EXPECT_FALSE(b->runs_again() && StateOf() == "held");
  EXPECT_EQ(RunAs("plain", "HINCRBY s lock 1"), ":1\r\n") << "the lock is its own";
  EXPECT_EQ(StateOf(), "plain");
}

}  // namespace
}  // namespace cloakroom
