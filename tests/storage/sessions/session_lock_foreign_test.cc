// What plain clients and other commands do to a session's lock through its hash.
#include <gtest/gtest.h>

#include "storage/sessions/session_lock.h"
#include "tests/storage/support/session_fixture.h"

namespace cloakroom {
namespace {

using SessionLockForeignTest = SessionLockTest;

void Touch(FakeHash& hash) { hash.exists = true; }
/// What a plain client does when it breaks a lock.
/// A plain holder gives the lock back, and counts its write.
void Done(FakeHash& hash) {
  hash.lock = 0;
  hash.writes += 1;
}
void Take(FakeHash& hash) {
  hash.lock = 1;
  hash.pid = "p|1";
}
void CountWrite(FakeHash& hash) { hash.writes += 1; }

// ---- writes that leave the lock alone

TEST_F(SessionLockForeignTest, AnyWritePublishesAHeldLockFirst) {
  hash_ = {.exists = true, .writes = 4, .pid = "z|9|30"};
  ASSERT_EQ(Open('A'), "A has 31");
  EXPECT_EQ(Write(Touch), "publish a|1|30");
  EXPECT_EQ(State(), "published");
  EXPECT_EQ(Fence(), 31);
  EXPECT_EQ(hash_.lock, kPublishedLock);
  EXPECT_EQ(SessionVersion(hash_.view()).view(), "4-30") << "publishing makes no new version";
}

TEST_F(SessionLockForeignTest, APollThatPublishesReadsAboveAMillion) {
  Held();
  EXPECT_EQ(Poll(), "publish a|1|0");
  EXPECT_EQ(hash_.lock, 1'000'001);
  EXPECT_EQ(State(), "published");
}

TEST_F(SessionLockForeignTest, APublishedLockIsPublishedOnce) {
  Published();
  EXPECT_EQ(Write(Touch), "");
  EXPECT_EQ(Poll(), "");
  EXPECT_EQ(State(), "published");
  EXPECT_EQ(Fence(), 1);
}

TEST_F(SessionLockForeignTest, AWriteBesidesAPlainLockChangesNothing) {
  Plain();
  EXPECT_EQ(Write(Touch), "");
  EXPECT_EQ(Poll('Q'), "");
  EXPECT_EQ(Write(CountWrite), "");
  EXPECT_EQ(State(), "plain");
}

TEST_F(SessionLockForeignTest, AWriteInATurnThatLeavesTheLockChangesNothing) {
  Turn();
  EXPECT_EQ(Write(CountWrite), "");
  EXPECT_EQ(State(), "turn");
}

TEST_F(SessionLockForeignTest, WritesBesidesAFreeLockChangeNothing) {
  Published();
  Release(1);
  ASSERT_EQ(State(), "free");
  EXPECT_EQ(Write(Take), "");
  EXPECT_EQ(State(), "free");
  EXPECT_EQ(Poll('Q'), "");
  EXPECT_EQ(Open('B'), "B waits");
}

TEST_F(SessionLockForeignTest, AWriteThatLeavesTheCountIsNoPoll) {
  Held();
  Write(Touch, 'P');
  Write(Touch, 'P');
  Release(1);
  EXPECT_TRUE(lock_.idle());
}

TEST_F(SessionLockForeignTest, ACountThatNoClientRaisedIsNoPoll) {
  Held();
  Poll('\0');
  Release(1);
  EXPECT_TRUE(lock_.idle());
}

// ---- plain clients that take the lock

TEST_F(SessionLockForeignTest, APlainClientThatBreaksAPublishedLockFencesTheHolder) {
  Published();
  context_.now_ms += 5000;
  EXPECT_EQ(Write(Take), "ended A taken by p|1 after 5000");
  EXPECT_EQ(State(), "free") << "nobody waits for it natively";
  EXPECT_EQ(hash_.lock, 1);
  EXPECT_EQ(Why(1).reason, FencedReason::kTaken);
  EXPECT_EQ(Why(1).by, "p|1");
  EXPECT_EQ(Why(1).after_ms, 5000);
}

TEST_F(SessionLockForeignTest, APlainClientThatBrokeTheLockPollsNoMore) {
  Published();
  Write([](FakeHash& hash) {
    hash.lock = 2;
    hash.pid = "p|1";
  });
  EXPECT_EQ(State(), "free");
  EXPECT_TRUE(lock_.idle());
}

TEST_F(SessionLockForeignTest, NativesWaitBehindAPlainClientThatBrokeTheLock) {
  Published();
  Open('B');
  EXPECT_EQ(Write(Take), "ended A taken by p|1 after 0");
  EXPECT_EQ(State(), "plain");
  EXPECT_EQ(Waiting(), "B");
}

TEST_F(SessionLockForeignTest, APlainClientThatBreaksAHeldLockFindsItPublished) {
  Held();
  Open('B');
  EXPECT_EQ(Write(Take), "publish a|1|0; ended A taken by p|1 after 0");
  EXPECT_EQ(State(), "plain");
}

TEST_F(SessionLockForeignTest, AnotherPidAloneGivesTheLockToTheHead) {
  Published();
  Open('B');
  EXPECT_EQ(Write([](FakeHash& hash) { hash.pid = "p|1"; }),
            "clear; ended A taken by p|1 after 0; B has it");
  EXPECT_EQ(State(), "held");
}

TEST_F(SessionLockForeignTest, ALockThatIsSetToZeroEndsTheHold) {
  Published();
  Open('B');
  EXPECT_EQ(Write([](FakeHash& hash) { hash.lock = 0; }), "ended A changed after 0; B has it");
  EXPECT_EQ(State(), "held");
}

TEST_F(SessionLockForeignTest, ALockThatIsSetBelowZeroEndsTheHold) {
  Published();
  EXPECT_EQ(Write([](FakeHash& hash) { hash.lock = -1; }), "clear; ended A changed after 0");
}

TEST_F(SessionLockForeignTest, ALockJustBelowAMillionIsAPlainClients) {
  Published();
  Open('B');
  EXPECT_EQ(Write([](FakeHash& hash) { hash.lock = 999'999; }), "ended A taken after 0");
  EXPECT_EQ(State(), "plain");
}

TEST_F(SessionLockForeignTest, APlainClientTakesItsTurn) {
  Turn();
  EXPECT_EQ(Poll(), "");
  EXPECT_EQ(State(), "plain");
  EXPECT_EQ(hash_.lock, 1);
  EXPECT_EQ(Waiting(), "B");
}

TEST_F(SessionLockForeignTest, APlainClientTakesATurnThatNobodyAwaits) {
  Held();
  PollUntilDue();
  Release(1);
  ASSERT_EQ(State(), "turn");
  Poll();
  EXPECT_EQ(State(), "free");
  EXPECT_TRUE(lock_.idle()) << "the poller has what it polled for";
}

TEST_F(SessionLockForeignTest, APlainClientThatUnlocksWakesTheHead) {
  Plain();
  Open('C');
  EXPECT_EQ(Write([](FakeHash& hash) {
              hash.writes += 1;
              hash.lock = 0;
            }),
            "B has it");
  EXPECT_EQ(State(), "held");
  EXPECT_EQ(Waiting(), "C");
}

TEST_F(SessionLockForeignTest, APlainHolderThatRemovesTheLockWakesTheHead) {
  Plain();
  EXPECT_EQ(Write([](FakeHash& hash) { hash.lock = -7; }), "B has it");
}

TEST_F(SessionLockForeignTest, AWinningPollerDoesNotCountAsPolling) {
  Turn();
  Poll('P');
  ASSERT_EQ(State(), "plain");
  Open('C');
  context_.now_ms += 1000;
  EXPECT_EQ(Write(Done), "B has it");
}

TEST_F(SessionLockForeignTest, APlainHoldersLastWriteIsWaitedFor) {
  Plain();
  EXPECT_EQ(Write([](FakeHash& hash) { hash.lock = 0; }), "");
  EXPECT_EQ(State(), "plain");
  EXPECT_EQ(lock_.NextDeadline(), context_.now_ms + SessionLock::kPlainLastMs);
  EXPECT_EQ(Write([](FakeHash& hash) { hash.writes += 1; }), "B has it");
}

TEST_F(SessionLockForeignTest, APlainHoldersLastWriteIsNotWaitedForLong) {
  Plain();
  Write([](FakeHash& hash) { hash.lock = 0; });
  EXPECT_EQ(AfterMs(SessionLock::kPlainLastMs), "B has it");
}

TEST_F(SessionLockForeignTest, APlainClientMayTakeTheLockBeforeTheLastWriteIsCounted) {
  Plain();
  Write([](FakeHash& hash) { hash.lock = 0; });
  EXPECT_EQ(Write([](FakeHash& hash) { hash.lock = 1; }), "");
  EXPECT_EQ(State(), "plain");
  EXPECT_GT(lock_.NextDeadline(), context_.now_ms + SessionLock::kPlainLastMs);
}

TEST_F(SessionLockForeignTest, AnOrphanThatSomebodyWritesIsTakenOver) {
  const auto orphan = [](FakeHash& hash) { hash.lock = kPublishedLock; };
  Plain();
  EXPECT_EQ(Write(orphan), "publish b|1|0; B has it");
  EXPECT_EQ(State(), "published");
}

TEST_F(SessionLockForeignTest, AnOrphanThatSomebodyWritesInATurnIsTakenOver) {
  Turn();
  EXPECT_EQ(Write([](FakeHash& hash) { hash.lock = kPublishedLock; }), "publish b|1|0; B has it");
}

// ---- writes without the lock

TEST_F(SessionLockForeignTest, AWriteThatCountsEndsAPublishedHold) {
  Published();
  Open('B');
  EXPECT_EQ(Write(CountWrite), "clear; ended A changed after 0; B has it");
  EXPECT_EQ(Why(1).reason, FencedReason::kChanged);
}

TEST_F(SessionLockForeignTest, AWriteThatCountsEndsAHeldHold) {
  hash_ = {.exists = true, .writes = 4};
  Held();
  EXPECT_EQ(Write(CountWrite), "publish a|1|0; clear; ended A changed after 0");
  EXPECT_EQ(State(), "free");
}

TEST_F(SessionLockForeignTest, AWriteThatNobodyAnnouncedEndsAHeldHold) {
  Held();
  hash_ = {.exists = true, .writes = 1};
  EXPECT_TRUE(lock_.AfterForeignWrite(hash_.view(), 0, context_).ended);
  EXPECT_EQ(Fence(), 0);
}

// ---- the session goes

TEST_F(SessionLockForeignTest, ADeleteEndsAHeldHold) {
  Held();
  EXPECT_EQ(Replace(), "ended A deleted after 0");
  EXPECT_TRUE(lock_.idle());
  EXPECT_EQ(Why(1).reason, FencedReason::kDeleted);
}

TEST_F(SessionLockForeignTest, ADeleteGivesTheHeadAnEmptySession) {
  Published();
  Open('B');
  EXPECT_EQ(Replace(), "ended A deleted after 0; B has it");
  EXPECT_EQ(State(), "held");
}

TEST_F(SessionLockForeignTest, AWriteThatRemovesTheHashIsADelete) {
  Published();
  Open('B');
  EXPECT_EQ(Write([](FakeHash& hash) { hash = {}; }), "ended A deleted after 0; B has it");
}

TEST_F(SessionLockForeignTest, ADeleteOfAPlainLockGivesItToTheHead) {
  Plain();
  EXPECT_EQ(Replace(), "B has it");
  EXPECT_EQ(State(), "held");
}

TEST_F(SessionLockForeignTest, ADeleteEndsATurn) {
  Turn();
  EXPECT_EQ(Replace(), "B has it");
}

TEST_F(SessionLockForeignTest, ADeleteOfAFreeSessionChangesNothing) {
  EXPECT_EQ(Replace(), "");
  Published();
  Release(1);
  EXPECT_EQ(Replace(), "");
  EXPECT_EQ(State(), "free");
}

TEST_F(SessionLockForeignTest, ASwapBringsAPlainClientsLock) {
  Held();
  Open('B');
  EXPECT_EQ(Replace({.exists = true, .lock = 2, .pid = "q|1"}), "ended A deleted after 0");
  EXPECT_EQ(State(), "plain");
  EXPECT_EQ(Replace({.exists = true, .lock = 1, .pid = "r|1"}), "");
  EXPECT_EQ(State(), "plain");
}

TEST_F(SessionLockForeignTest, ASwapBringsAnOrphan) {
  Published();
  Open('B');
  EXPECT_EQ(Replace({.exists = true, .lock = kPublishedLock, .pid = "q|1|60"}),
            "publish b|1|60; ended A deleted after 0; B has it");
  EXPECT_EQ(State(), "published");
  EXPECT_EQ(Fence(), 61);
}

TEST_F(SessionLockForeignTest, ASwapInATurnBringsAPlainClientsLock) {
  Turn();
  EXPECT_EQ(Replace({.exists = true, .lock = 2, .pid = "q|1"}), "");
  EXPECT_EQ(State(), "plain");
}

TEST_F(SessionLockForeignTest, ExpiryDoesNotEndANativeHold) {
  Held();
  EXPECT_EQ(Expire(), "");
  EXPECT_EQ(Fence(), 1);
  EXPECT_EQ(lock_.Decide({1}, hash_.view()), CommitCase::kHeld);
}

TEST_F(SessionLockForeignTest, AfterAnExpiryAPublishedLockIsPublishedAgain) {
  Published();
  EXPECT_EQ(Expire(), "");
  EXPECT_EQ(Fence(), 1);
  EXPECT_EQ(Poll(), "publish a|1|0") << "or the poll would read 1";
}

TEST_F(SessionLockForeignTest, ExpiryOfAPlainLockGivesItToTheHead) {
  Plain();
  EXPECT_EQ(Expire(), "B has it");
}

TEST_F(SessionLockForeignTest, ExpiryInATurnChangesNothing) {
  Turn();
  EXPECT_EQ(Expire(), "");
  EXPECT_EQ(State(), "turn");
}

TEST_F(SessionLockForeignTest, ExpiryOfAFreeSessionChangesNothing) {
  EXPECT_EQ(Expire(), "");
  EXPECT_EQ(State(), "free");
}

// ---- holds that were not delivered yet

TEST_F(SessionLockForeignTest, WhoHasReadNothingGetsAnotherFenceInsteadOfTheNext) {
  Held();
  Open('B');
  Open('C');
  Release(1);
  EXPECT_EQ(Replace(), "B has it");
  EXPECT_EQ(Waiting(), "C");
  EXPECT_EQ(Open('B'), "B has 3");
  EXPECT_EQ(Why(2).reason, FencedReason::kUnknown);
}

TEST_F(SessionLockForeignTest, WhoHasReadNothingWaitsAgainAtTheHead) {
  Held();
  Open('B');
  Open('C');
  Release(1);
  EXPECT_EQ(Write(Take), "publish b|1|0");
  EXPECT_EQ(State(), "plain");
  EXPECT_EQ(Waiting(), "BC");
  EXPECT_EQ(waiters_['B']->client().req, "GET /B");
  EXPECT_EQ(lock_.Open(*waiters_['B'], hash_.view(), context_, {}).answer,
            SessionOpened::Answer::kQueued);
  EXPECT_EQ(Write(Done), "B has it");
}

// ---- demotion

TEST_F(SessionLockForeignTest, ADemotionEndsTheHoldAndTheWaiting) {
  Published();
  Open('B');
  Open('C');
  EXPECT_EQ(Demote(), "ended A demoted after 0; B unblocked; C unblocked");
  EXPECT_EQ(hash_.lock, 1'000'001) << "the hash is not the server's to change any more";
  EXPECT_TRUE(lock_.idle());
}

TEST_F(SessionLockForeignTest, ADemotionUnblocksAWaiterThatWasGrantedTheLock) {
  Held();
  Open('B');
  Open('C');
  Release(1);
  EXPECT_EQ(Demote(), "; B unblocked; C unblocked");
  EXPECT_FALSE(waiters_['B']->placed());
}

TEST_F(SessionLockForeignTest, ADemotionUnblocksThoseBehindAPlainClient) {
  Plain();
  EXPECT_EQ(Demote(), "; B unblocked");
  EXPECT_TRUE(lock_.idle());
}

TEST_F(SessionLockForeignTest, ADemotionEndsATurn) {
  Turn();
  EXPECT_EQ(Demote(), "; B unblocked");
  EXPECT_TRUE(lock_.idle());
}

TEST_F(SessionLockForeignTest, ADemotionOfAFreeLockIsNothing) {
  EXPECT_EQ(Demote(), "");
  EXPECT_TRUE(lock_.idle());
}

}  // namespace
}  // namespace cloakroom
