#include <string>
#include <string_view>
#include <vector>

#include "server/config/config_store.h"
#include "server/context/pause.h"
#include "server/sessions/native_sessions.h"
#include "storage/sessions/session_fences.h"
#include "tests/server/support/replies.h"
#include "tests/server/support/session_fixture.h"

namespace cloakroom {
namespace {

class SessionCommandsTest : public SessionTest {};

TEST_F(SessionCommandsTest, AVisitReadsAndWritesOneContent) {
  const std::string fence = Open("a");
  EXPECT_EQ(RunAs("a", {"SESSION.COMMIT", "s", fence, "DATA", "n|i:1;", "EX", "60"}), ":1\r\n");
  EXPECT_EQ(Run("HGET s pid"), Bulk("a|1|" + fence));
  EXPECT_EQ(Run("PTTL s"), ":60000\r\n");
  EXPECT_EQ(Run("SESSION.READ s"), State("0", Bulk("n|i:1;"), 1, "1-" + fence, 60000));
}

TEST_F(SessionCommandsTest, WaitersGetTheLockInTheOrderInWhichTheyCame) {
  const std::string first = Open("a");
  EXPECT_EQ(OpenAs("b"), "(blocked)");
  const auto b = blocked_;
  EXPECT_EQ(OpenAs("c"), "(blocked)");
  const auto c = blocked_;
  EXPECT_EQ(RunAs("a", {"SESSION.COMMIT", "s", first, "DATA", "1"}), ":1\r\n");
  EXPECT_TRUE(b->settled());
  const std::string second = FenceOf(Again("b", b));
  EXPECT_GT(std::stoll(second), std::stoll(first));
  EXPECT_EQ(RunAs("b", {"SESSION.RELEASE", "s", second}), ":1\r\n");
  ASSERT_TRUE(c->settled());
  EXPECT_EQ(Again("c", c).substr(0, 5), "*6\r\n:");
}

TEST_F(SessionCommandsTest, ALogoutStandsAgainstAFenceOfAnotherServerFromTheSameMillisecond) {
  const std::string theirs = std::to_string((now_ms() + 1) * SessionFences::kPerMs - 1);
  EXPECT_EQ(Run("SESSION.DESTROY s"), ":0\r\n");
  EXPECT_EQ(Run({"SESSION.COMMIT", "s", theirs, "DATA", "x", "IF", "0-0"}), "-FENCED deleted\r\n");
  EXPECT_EQ(Run("EXISTS s"), ":0\r\n");
  const std::string ours = Open("a");
  EXPECT_EQ(RunAs("a", {"SESSION.COMMIT", "s", ours, "DATA", "new"}), ":1\r\n") << "a new login";
}

TEST_F(SessionCommandsTest, TheHeadIsToldWhenItsTimerIsToRing) {
  const std::string first = Open("a");
  EXPECT_EQ(OpenAs("b"), "(blocked)");
  const auto b = blocked_;
  EXPECT_EQ(OpenAs("c", "WAIT 600000"), "(blocked)");
  auto c = blocked_;
  EXPECT_EQ(c->time_limit_ms(), 600000) << "it is not the head";
  EXPECT_EQ(RunAs("a", {"SESSION.RELEASE", "s", first}), ":1\r\n");
  EXPECT_FALSE(c->settled()) << "a grant that was not delivered has no lease yet";
  FenceOf(Again("b", b));
  ASSERT_TRUE(c->settled());
  EXPECT_EQ(Again("c", c, "WAIT 600000"), "(blocked)");
  EXPECT_EQ(blocked_->time_limit_ms(), 30000);
}

TEST_F(SessionCommandsTest, ALeaseEndsOnlyWhileSomebodyWaits) {
  const std::string fence = Open("a", "LEASE 1000 REQ GET_/checkout");
  Advance(3600 * 1000);
  EXPECT_EQ(OpenAs("b", "WAIT 5000"), "(blocked)");
  EXPECT_EQ(blocked_->time_limit_ms(), 1000) << "from now on";
  const auto b = blocked_;
  Advance(1000);
  ASSERT_TRUE(b->TimeOut());
  const std::string reply = Again("b", b, "WAIT 5000");
  FenceOf(reply);
  EXPECT_NE(reply.find("a|1 3601000ms GET_/checkout"), std::string::npos) << reply;
  EXPECT_EQ(RunAs("a", {"SESSION.COMMIT", "s", fence, "DATA", "x"}),
            "-FENCED broken by b|1 after 3601000 ms\r\n");
  EXPECT_EQ(Run("EXISTS s"), ":0\r\n");
}

TEST_F(SessionCommandsTest, AWaitThatIsOverSaysWhoHolds) {
  Open("a");
  EXPECT_EQ(OpenAs("b", "WAIT 500"), "(blocked)");
  const auto b = blocked_;
  EXPECT_EQ(OpenAs("c"), "(blocked)");
  Advance(500);
  ASSERT_TRUE(b->TimeOut());
  EXPECT_EQ(Again("b", b, "WAIT 500"), "-LOCKED a|1 holds it for 500 ms, 0 wait before you\r\n");
  EXPECT_EQ(Run("SESSION.INFO s").find("b|1"), std::string::npos) << "it has left the queue";
}

TEST_F(SessionCommandsTest, AWaitThatIsOverSaysSinceWhenAPlainClientIsKnownToHold) {
  Run("HSET s data x lock 1 pid web9|9");
  EXPECT_EQ(OpenAs("b", "WAIT 500"), "(blocked)");
  Advance(500);
  ASSERT_TRUE(blocked_->TimeOut());
  EXPECT_EQ(Again("b", blocked_, "WAIT 500"),
            "-LOCKED web9|9 holds it for 500 ms, 0 wait before you\r\n");
  EXPECT_EQ(OpenAs("b", "WAIT 0"), "-LOCKED web9|9 holds it, 0 wait before you\r\n");
}

TEST_F(SessionCommandsTest, AFenceThatNobodyGaveDoesNotStay) {
  const std::string most = "9007199254740991";
  EXPECT_EQ(Run({"SESSION.COMMIT", "s", most, "DATA", "y", "IF", "0-0"}), ":1\r\n");
  EXPECT_EQ(Run("HGET s pid").find(most), std::string::npos);
}

TEST_F(SessionCommandsTest, ACommitWithoutDataMakesNoSessionWhereALockWasPublished) {
  for (const char* near : {"HINCRBY s lock 1", "EXPIRE s 100", "HDEL s nothing"}) {
    const std::string fence = Open("a");
    Run(near);
    EXPECT_EQ(RunAs("a", {"SESSION.COMMIT", "s", fence}), ":0\r\n") << near;
    EXPECT_EQ(Run("EXISTS s"), ":0\r\n") << near;
  }
}

TEST_F(SessionCommandsTest, ACommitOfTheSameDataStays) {
  Run("HSET s data x writes 1");
  Run("HPEXPIRE s 100 FIELDS 2 data writes");
  const std::string fence = Open("a");
  EXPECT_EQ(RunAs("a", {"SESSION.COMMIT", "s", fence, "DATA", "x", "EX", "100"}), ":2\r\n");
  Advance(200);
  EXPECT_EQ(Run("HMGET s data writes"), "*2\r\n$1\r\nx\r\n$1\r\n2\r\n");
}

TEST_F(SessionCommandsTest, WhatAPlainClientWroteLastIsCommittedWithTheLockOnly) {
  Run("HSET s data x writes 1");
  EXPECT_EQ(Run("SESSION.COMMIT s 77 DATA y IF 1-0"), "-FENCED unknown\r\n");
  EXPECT_EQ(Run("SESSION.COMMIT s 0 DATA y IF 1-0"), "-FENCED unknown\r\n");
  const std::string fence = Open("a");
  EXPECT_EQ(RunAs("a", {"SESSION.COMMIT", "s", fence, "DATA", "y", "IF", "1-0"}), ":2\r\n");
  EXPECT_EQ(Run({"SESSION.COMMIT", "s", "77", "DATA", "z", "IF", "2-" + fence}), ":3\r\n");
}

TEST_F(SessionCommandsTest, ATimerThatRingsLatePutsTheTakeoverOff) {
  const std::string fence = Open("a", "LEASE 1000");
  EXPECT_EQ(OpenAs("b"), "(blocked)");
  auto b = blocked_;
  Advance(1000 + NativeSessions::kLateMs + 1);
  ASSERT_TRUE(b->TimeOut());
  EXPECT_EQ(Again("b", b), "(blocked)");
  EXPECT_EQ(blocked_->time_limit_ms(), NativeSessions::kGraceMs);
  b = blocked_;
  EXPECT_EQ(RunAs("a", {"SESSION.COMMIT", "s", fence, "DATA", "x"}), ":1\r\n") << "in time";
  ASSERT_TRUE(b->settled());
  FenceOf(Again("b", b));
}

TEST_F(SessionCommandsTest, NoLeaseIsBrokenDuringAPauseAndShortlyAfter) {
  Open("a", "LEASE 1000");
  EXPECT_EQ(OpenAs("b"), "(blocked)");
  auto b = blocked_;
  server_.pause().Begin(now_ms() + 2000, /*all=*/false);
  EXPECT_EQ(OpenAs("c"), "(paused)");
  Advance(1000);
  ASSERT_TRUE(b->TimeOut());
  EXPECT_EQ(Again("b", b), "(blocked)");
  EXPECT_EQ(blocked_->time_limit_ms(), 1000 + NativeSessions::kGraceMs);
  b = blocked_;
  Advance(1000 + NativeSessions::kGraceMs);
  ASSERT_TRUE(b->TimeOut());
  FenceOf(Again("b", b));
}

TEST_F(SessionCommandsTest, AWaitEndsDuringAPause) {
  Open("a");
  EXPECT_EQ(OpenAs("b", "WAIT 500"), "(blocked)");
  server_.pause().Begin(now_ms() + 2000, /*all=*/true);
  Advance(500);
  ASSERT_TRUE(blocked_->TimeOut());
  EXPECT_EQ(Again("b", blocked_, "WAIT 500").substr(0, 7), "-LOCKED");
  server_.pause().End();
}

TEST_F(SessionCommandsTest, ARenewalWithAShorterLeaseReachesTheHeadsTimer) {
  const std::string fence = Open("a");
  EXPECT_EQ(OpenAs("b"), "(blocked)");
  EXPECT_EQ(RunAs("a", {"SESSION.RENEW", "s", fence, "LEASE", "200"}), "+OK\r\n");
  EXPECT_EQ(Again("b", blocked_), "(blocked)");
  EXPECT_EQ(blocked_->time_limit_ms(), 200);
}

TEST_F(SessionCommandsTest, InfoNamesWaitersByTheirClientsIds) {
  RunAs("other", "PING");
  Open("a");
  EXPECT_EQ(OpenAs("b"), "(blocked)");
  const std::string id = std::to_string(ClientNamed("b").id);
  EXPECT_NE(Run("SESSION.INFO s").find("*3\r\n:" + id + "\r\n$3\r\nb|1"), std::string::npos);
}

TEST_F(SessionCommandsTest, ARequestThatMayNotRunAgainLeavesTheQueue) {
  const std::string fence = Open("a");
  EXPECT_EQ(OpenAs("b"), "(blocked)");
  executor_.EndBlock(ClientNamed("b"), blocked_);
  executor_.LeaveSessionQueue(ClientNamed("b"));
  EXPECT_EQ(Waiting(), 0);
  EXPECT_EQ(RunAs("a", {"SESSION.RELEASE", "s", fence}), ":1\r\n");
  FenceOf(OpenAs("c"));
}

TEST_F(SessionCommandsTest, AGrantThatNobodyFetchesGoesToTheNext) {
  const std::string fence = Open("a");
  EXPECT_EQ(OpenAs("b"), "(blocked)");
  const auto b = blocked_;
  EXPECT_EQ(OpenAs("c"), "(blocked)");
  const auto c = blocked_;
  EXPECT_EQ(RunAs("a", {"SESSION.RELEASE", "s", fence}), ":1\r\n");
  executor_.AbandonBlocked(ClientNamed("b"), b);
  executor_.GiveBackSessions(ClientNamed("b"));
  ASSERT_TRUE(c->settled());
  FenceOf(Again("c", c));
}

TEST_F(SessionCommandsTest, TheEndOfAConnectionGivesItsLocksBack) {
  Open("a");
  EXPECT_EQ(OpenAs("b"), "(blocked)");
  executor_.GiveBackSessions(ClientNamed("a"));
  ASSERT_TRUE(blocked_->settled());
  FenceOf(Again("b", blocked_));
  EXPECT_EQ(server_.sessions().stats().freed_by_disconnect.Get(), 1);
}

TEST_F(SessionCommandsTest, OnlySomeSessionsForAConnection) {
  for (size_t i = 0; i < NativeSessions::kMostHeld; ++i) {
    EXPECT_EQ(RunAs("a", "SESSION.OPEN s" + std::to_string(i)).substr(0, 2), "*6");
  }
  EXPECT_EQ(
      RunAs("a", "SESSION.OPEN more"),
      "-ERR this connection holds 64 sessions already: commit, release or reset them first\r\n");
  EXPECT_EQ(RunAs("a", "SESSION.OPEN s3").substr(0, 2), "*6") << "its own again";
  EXPECT_EQ(RunAs("a", "SESSION.RESET"), ":64\r\n");
  EXPECT_EQ(RunAs("a", "SESSION.OPEN more").substr(0, 2), "*6");
}

TEST_F(SessionCommandsTest, LocksThatWereLostDoNotCount) {
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < NativeSessions::kMostHeld; ++i) {
      const std::string key = "s" + std::to_string(i);
      EXPECT_EQ(RunAs("a", "SESSION.OPEN " + key).substr(0, 2), "*6") << round << " " << key;
      Run("SESSION.BREAK " + key);
    }
  }
  EXPECT_EQ(RunAs("a", "SESSION.OPEN s").substr(0, 2), "*6");
  RunAs("a", "SESSION.DESTROY s");
  EXPECT_EQ(RunAs("a", "SESSION.RESET"), ":0\r\n");
}

TEST_F(SessionCommandsTest, AReleaseIsNeverRefusedForLackOfReplicas) {
  const std::string fence = Open("a");
  Run("CONFIG SET min-replicas-to-write 1");
  EXPECT_EQ(RunAs("a", {"SESSION.COMMIT", "s", fence, "DATA", "x"}).substr(0, 11), "-NOREPLICAS");
  EXPECT_EQ(RunAs("a", {"SESSION.RELEASE", "s", fence}), ":1\r\n");
  Run("CONFIG SET min-replicas-to-write 0");
}

TEST_F(SessionCommandsTest, WhoHearsNothingGetsNoLock) {
  RunAs("a", "CLIENT REPLY OFF");
  RunAs("a", "SESSION.OPEN s");
  FenceOf(OpenAs("b", "WAIT 0"));
}

TEST_F(SessionCommandsTest, TheConnectionMayBeAnotherOne) {
  const std::string fence = Open("a");
  EXPECT_EQ(RunAs("b", {"SESSION.COMMIT", "s", fence, "DATA", "x"}), ":1\r\n");
  EXPECT_EQ(RunAs("a", "SESSION.RESET"), ":0\r\n");
}

TEST_F(SessionCommandsTest, AResetDoesNotDropWhatIsOpenedAfterwards) {
  Open("a");
  EXPECT_EQ(RunAs("a", "SESSION.RESET"), ":1\r\n");
  const std::string fence = Open("a");
  EXPECT_EQ(RunAs("a", {"SESSION.RENEW", "s", fence}), "+OK\r\n");
}

TEST_F(SessionCommandsTest, ATransactionCommitsWithOtherWrites) {
  const std::string fence = Open("a");
  EXPECT_EQ(OpenAs("b"), "(blocked)");
  RunAs("a", "MULTI");
  RunAs("a", {"SESSION.COMMIT", "s", fence, "DATA", "x"});
  RunAs("a", "SET k v");
  EXPECT_FALSE(blocked_->settled());
  EXPECT_EQ(RunAs("a", "EXEC"), "*2\r\n:1\r\n+OK\r\n");
  EXPECT_TRUE(blocked_->settled());
}

TEST_F(SessionCommandsTest, TheLimitOfWaitersCanOnlyBeLowered) {
  Run("CONFIG SET session-max-waiters 1");
  Open("a");
  EXPECT_EQ(OpenAs("b", "LIMIT 5"), "(blocked)");
  EXPECT_EQ(OpenAs("c", "LIMIT 5"), "-TOOMANY 1 wait already\r\n");
  EXPECT_EQ(OpenAs("c", "LIMIT 0"), "-TOOMANY 1 wait already\r\n");
}

TEST_F(SessionCommandsTest, TheLogHasACommitAsPlainCommands) {
  const std::string fence = Open("a");
  RunAs("a", {"SESSION.COMMIT", "s", fence, "DATA", "x"});
  EXPECT_EQ(Run("HGETALL s"), Bulks({"data", "x", "writes", "1", "pid", "a|1|" + fence}))
      << "and no lock";
}

}  // namespace
}  // namespace cloakroom
