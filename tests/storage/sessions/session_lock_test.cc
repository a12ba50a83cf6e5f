// What the commands on sessions do in each state; session_lock_time_test.cc and
// session_lock_foreign_test.cc have the other rows of the table in storage/README.md.
#include "storage/sessions/session_lock.h"

#include <gtest/gtest.h>

#include "tests/storage/support/session_fixture.h"

namespace cloakroom {
namespace {

// ---- OPEN

TEST_F(SessionLockTest, OpenOfAFreeLockHoldsItAndWritesNothing) {
  EXPECT_EQ(Open('A'), "A has 1");
  EXPECT_EQ(State(), "held");
  EXPECT_EQ(lock_.holder()->client.owner, "a|1");
  EXPECT_EQ(lock_.holder()->client.req, "GET /A");
  EXPECT_EQ(lock_.holder()->since_ms, context_.now_ms);
}

TEST_F(SessionLockTest, OpenOfAHashWhoseLockIsNotCountedHoldsIt) {
  hash_ = {.exists = true, .lock = 0, .writes = 5, .pid = "p|1"};
  EXPECT_EQ(Open('A'), "A has 1");
  Release(1);
  hash_.lock = -2;
  EXPECT_EQ(Open('A'), "A has 2");
  EXPECT_EQ(State(), "held");
}

TEST_F(SessionLockTest, OpenOfAnOrphanPublishesItAnew) {
  hash_ = {.exists = true, .lock = kPublishedLock, .writes = 5, .pid = "web9|9|40"};
  EXPECT_EQ(Open('A'), "A has 41; publish a|1|40");
  EXPECT_EQ(State(), "published");
  EXPECT_EQ(hash_.req, "GET /A");
}

TEST_F(SessionLockTest, OpenOfAPlainClientsLockWaits) {
  PlainLock();
  EXPECT_EQ(Open('A'), "A waits");
  EXPECT_EQ(State(), "plain");
  EXPECT_EQ(Open('B'), "B waits");
  EXPECT_EQ(Waiting(), "AB");
  EXPECT_EQ(lock_.holder(), nullptr);
}

TEST_F(SessionLockTest, OpenOfAHeldLockWaits) {
  Held();
  EXPECT_EQ(Open('B'), "B waits");
  EXPECT_EQ(State(), "held");
  EXPECT_EQ(Fence(), 1);
}

TEST_F(SessionLockTest, OpenOfAPublishedLockWaits) {
  Published();
  EXPECT_EQ(Open('B'), "B waits");
  EXPECT_EQ(State(), "published");
}

TEST_F(SessionLockTest, OpenInAPlainTurnWaits) {
  Turn();
  EXPECT_EQ(Open('C'), "C waits");
  EXPECT_EQ(State(), "turn");
  EXPECT_EQ(Waiting(), "BC");
}

TEST_F(SessionLockTest, OpenAfterATurnThatNobodyAwaitedHoldsTheLock) {
  Held();
  PollUntilDue();
  Release(1);
  ASSERT_EQ(State(), "turn");
  context_.now_ms += 599;
  EXPECT_EQ(Open('B', {.may_wait = false}), "locked");
  context_.now_ms += 1;
  EXPECT_EQ(Open('B'), "B has 2");
}

TEST_F(SessionLockTest, OpenByTheHolderGivesTheSameFence) {
  Held();
  EXPECT_EQ(Open('A'), "A has 1");
  Poll();
  EXPECT_EQ(Open('A'), "A has 1");
  EXPECT_EQ(State(), "published");
}

TEST_F(SessionLockTest, WhoWillNotWaitIsToldThatItIsLocked) {
  Held();
  EXPECT_EQ(Open('B', {.may_wait = false}), "locked");
  EXPECT_EQ(Waiting(), "");
  EXPECT_EQ(Open('A', {.may_wait = false}), "A has 1");
  Release(1);
  PlainLock();
  EXPECT_EQ(Open('B', {.may_wait = false}), "locked");
  EXPECT_TRUE(lock_.idle()) << "nothing is known of a client that did not wait";
}

TEST_F(SessionLockTest, AsManyWaitAsTheLimitAllows) {
  Held();
  EXPECT_EQ(Open('B', {.max_waiting = 0}), "too many");
  EXPECT_EQ(Open('B', {.max_waiting = 1}), "B waits");
  EXPECT_EQ(Open('C', {.max_waiting = 1}), "too many");
  EXPECT_EQ(Open('C', {.max_waiting = 2}), "C waits");
  EXPECT_EQ(Open('A', {.max_waiting = 0}), "A has 1");
}

TEST_F(SessionLockTest, AWaiterThatRunsAgainKeepsItsPlace) {
  Held();
  Open('B');
  Open('C');
  EXPECT_EQ(lock_.Open(*waiters_['B'], hash_.view(), context_, {.max_waiting = 0}).answer,
            SessionOpened::Answer::kQueued);
  EXPECT_EQ(Waiting(), "BC");
}

// ---- RELEASE, and COMMIT and DESTROY with their fence

TEST_F(SessionLockTest, ReleaseWithoutWaitersFreesTheLock) {
  Held();
  context_.now_ms += 5;
  EXPECT_EQ(Release(1), "ended A released after 5");
  EXPECT_EQ(State(), "free");
  EXPECT_TRUE(lock_.idle());
}

TEST_F(SessionLockTest, ReleaseHandsTheLockToTheHead) {
  Held();
  Open('B');
  Open('C');
  EXPECT_EQ(Commit(1), "ended A released after 0; B has it");
  EXPECT_EQ(State(), "held");
  EXPECT_EQ(Fence(), 2);
  EXPECT_TRUE(waiters_['B']->granted());
  EXPECT_EQ(Open('B'), "B has 2");
  EXPECT_FALSE(waiters_['B']->placed());
  EXPECT_EQ(Waiting(), "C");
  EXPECT_EQ(Commit(2), "ended B released after 0; C has it");
}

TEST_F(SessionLockTest, ReleaseTakesAPublishedLockOutOfTheHash) {
  Published();
  Open('B');
  EXPECT_EQ(Commit(1), "clear; ended A released after 0; B has it");
  EXPECT_EQ(State(), "held");
  EXPECT_EQ(hash_.pid, "a|1|1");
}

TEST_F(SessionLockTest, ReleaseOfADestroyedSessionClearsNothing) {
  Published();
  hash_ = {};
  EXPECT_EQ(Release(1), "ended A released after 0");
}

TEST_F(SessionLockTest, ReleaseNeedsTheHoldersFence) {
  EXPECT_EQ(Release(0), "no");
  EXPECT_EQ(Release(1), "no");
  Held();
  EXPECT_EQ(Release(0), "no");
  EXPECT_EQ(Release(2), "no");
  Release(1);
  EXPECT_EQ(Release(1), "no");
  Plain();
  EXPECT_EQ(Release(1), "no");
}

TEST_F(SessionLockTest, ReleaseInATurnIsNobodys) {
  Turn();
  EXPECT_EQ(Release(1), "no");
  EXPECT_EQ(Release(0), "no");
  EXPECT_EQ(State(), "turn");
}

TEST_F(SessionLockTest, FencesOfOneSessionIncrease) {
  for (int64_t fence = 1; fence < 20; ++fence) {
    ASSERT_EQ(Open('A'), "A has " + std::to_string(fence));
    Commit(fence);
  }
}

// ---- COMMIT

TEST_F(SessionLockTest, CommitIsDecidedByTheNativeHolder) {
  Held();
  Commit(1);
  const SessionVersion version(hash_.view());
  EXPECT_EQ(lock_.Decide({9, version.view()}, hash_.view()), CommitCase::kLate);
  EXPECT_EQ(Open('B'), "B has 2");
  EXPECT_EQ(lock_.Decide({2}, hash_.view()), CommitCase::kHeld);
  EXPECT_EQ(lock_.Decide({9, version.view()}, hash_.view()), CommitCase::kFenced);
  Poll();
  EXPECT_EQ(lock_.Decide({2}, hash_.view()), CommitCase::kHeld);
  EXPECT_EQ(lock_.Decide({9, version.view()}, hash_.view()), CommitCase::kFenced);
  Commit(2);
  EXPECT_EQ(lock_.Decide({2}, hash_.view()), CommitCase::kRepeated);
}

TEST_F(SessionLockTest, CommitBehindAPlainClientIsFenced) {
  Plain();
  EXPECT_EQ(lock_.Decide({9, "3-0"}, hash_.view()), CommitCase::kFenced);
}

TEST_F(SessionLockTest, CommitInATurnIsLate) {
  Turn();
  hash_.pid = "a|1|5";
  EXPECT_EQ(lock_.Decide({9, SessionVersion(hash_.view()).view()}, hash_.view()),
            CommitCase::kLate);
  EXPECT_EQ(lock_.Decide({9}, hash_.view()), CommitCase::kFenced);
}

TEST_F(SessionLockTest, AFenceThatWasNeverKnownIsUnknown) {
  EXPECT_EQ(Why(77).reason, FencedReason::kUnknown);
  Held();
  EXPECT_EQ(Why(77).reason, FencedReason::kUnknown);
}

TEST_F(SessionLockTest, TheVersionTellsWhatBecameOfAnUnknownFence) {
  EXPECT_EQ(Why(77, "3-0").reason, FencedReason::kDeleted);
  hash_ = {.exists = true, .writes = 4, .pid = "web9|9"};
  EXPECT_EQ(Why(77, "3-0").reason, FencedReason::kChanged);
  hash_.lock = 1;
  EXPECT_EQ(Why(77, "4-0").reason, FencedReason::kTaken);
  EXPECT_EQ(Why(77, "4-0").by, "web9|9");
  hash_.lock = 0;
  EXPECT_EQ(Why(77, "4-0").reason, FencedReason::kUnknown) << "a plain client wrote last";
  Held();
  context_.now_ms += 30;
  EXPECT_EQ(Why(77, "4-0").reason, FencedReason::kTaken);
  EXPECT_EQ(Why(77, "4-0").by, "a|1");
  EXPECT_EQ(Why(77, "4-0").after_ms, 30);
}

// ---- the connection ends, RESET

TEST_F(SessionLockTest, AConnectionThatEndsFreesItsLock) {
  Held();
  EXPECT_EQ(Drop('A'), "ended A dropped after 0");
  EXPECT_EQ(State(), "free");
  EXPECT_EQ(Why(1).reason, FencedReason::kUnknown);
}

TEST_F(SessionLockTest, AConnectionThatEndsHandsTheLockOn) {
  Held();
  Open('B');
  EXPECT_EQ(Drop('A'), "ended A dropped after 0; B has it");
}

TEST_F(SessionLockTest, AConnectionThatEndsTakesItsLockOutOfTheHash) {
  Published();
  EXPECT_EQ(Drop('A'), "clear; ended A dropped after 0");
  EXPECT_EQ(State(), "free");
}

TEST_F(SessionLockTest, AConnectionThatHoldsNothingChangesNothing) {
  EXPECT_EQ(Drop('A'), "");
  Held();
  Open('B');
  EXPECT_EQ(Drop('B'), "");
  EXPECT_EQ(Drop('C'), "");
  EXPECT_EQ(Fence(), 1);
  EXPECT_EQ(Waiting(), "B");
}

TEST_F(SessionLockTest, WhileWritesArePausedADroppedLockStaysAsAnOrphan) {
  Published();
  context_.writes_paused = true;
  EXPECT_EQ(Drop('A'), "ended A dropped after 0");
  EXPECT_EQ(State(), "free");
  EXPECT_EQ(hash_.lock, 1'000'001);
}

TEST_F(SessionLockTest, WhileWritesArePausedTheHeadTakesTheOrphanOver) {
  Published();
  Open('B');
  context_.writes_paused = true;
  EXPECT_EQ(Drop('A'), "ended A dropped after 0; B has it");
  EXPECT_EQ(State(), "held") << "the hash says that A has it";
  context_.writes_paused = false;
  EXPECT_EQ(Open('B'), "B has 2; publish b|1|0");
  EXPECT_EQ(Poll(), "") << "the hash says already that the lock is held";
  EXPECT_EQ(Commit(2), "clear; ended B released after 0");
}

TEST_F(SessionLockTest, WhoWasGrantedAnOrphanDuringAPauseGivesItBackOrHasItPublished) {
  Published();
  Open('B');
  context_.writes_paused = true;
  Drop('A');
  EXPECT_EQ(Open('B'), "B has 2") << "delivered during the pause";
  context_.writes_paused = false;
  EXPECT_EQ(Poll(), "publish b|1|0");
  EXPECT_EQ(Drop('B'), "clear; ended B dropped after 0");
}

// ---- BREAK

TEST_F(SessionLockTest, BreakEndsTheNativeHold) {
  Held();
  Open('B');
  context_.now_ms += 7;
  EXPECT_EQ(Break(), "ended A broken by operator after 7; B has it");
  EXPECT_EQ(Why(1).reason, FencedReason::kBroken);
  EXPECT_EQ(Why(1).by, "operator");
  EXPECT_EQ(Why(1).after_ms, 7);
}

TEST_F(SessionLockTest, BreakTakesAPublishedLockOutOfTheHash) {
  Published();
  EXPECT_EQ(Break(), "clear; ended A broken by operator after 0");
  EXPECT_EQ(State(), "free");
}

TEST_F(SessionLockTest, BreakEndsAPlainClientsLock) {
  Plain();
  EXPECT_EQ(Break(), "clear; B has it");
  EXPECT_EQ(State(), "held");
  EXPECT_EQ(hash_.lock, 0);
}

TEST_F(SessionLockTest, BreakClearsAHashOfWhichNobodyWaits) {
  PlainLock();
  EXPECT_EQ(Break(), "clear");
  EXPECT_EQ(State(), "free");
}

TEST_F(SessionLockTest, BreakOfAFreeLockIsNone) {
  EXPECT_EQ(Break(), "no");
  Turn();
  EXPECT_EQ(Break(), "no");
  EXPECT_EQ(State(), "turn");
}

// ---- what it is

TEST_F(SessionLockTest, StatesHaveTheirNames) {
  EXPECT_EQ(State(), "free");
  Held();
  EXPECT_EQ(State(), "held");
  Poll();
  EXPECT_EQ(State(), "published");
  Drop('A');
  Plain();
  EXPECT_EQ(State(), "plain");
}

TEST_F(SessionLockTest, CountsTheMemoryOfItsTexts) {
  EXPECT_EQ(lock_.bytes(), 0u);
  SessionWaiter waiter({1, std::string(64, 'o'), std::string(256, 'r')}, kLease);
  lock_.Open(waiter, hash_.view(), context_, {});
  EXPECT_GE(lock_.bytes(), 320u);
  lock_.Drop(1, hash_.view(), context_);
  EXPECT_EQ(lock_.bytes(), 0u);
}

}  // namespace
}  // namespace cloakroom
