// Leases, turns, and waiters that leave: what time does to a session's lock.
#include <gtest/gtest.h>

#include "storage/base/clock.h"
#include "storage/sessions/session_lock.h"
#include "tests/storage/support/session_fixture.h"

namespace cloakroom {
namespace {

class SessionLockTimeTest : public SessionLockTest {
 protected:
  /// From now on.
  int64_t DeadlineIn() const {
    const int64_t deadline_ms = lock_.NextDeadline();
    return deadline_ms == kNever ? -1 : deadline_ms - context_.now_ms;
  }
};

// ---- the lease of a native holder

TEST_F(SessionLockTimeTest, NoLeaseEndsWhileNobodyWaits) {
  Held();
  EXPECT_EQ(DeadlineIn(), -1);
  EXPECT_EQ(AfterMs(100 * kLease), "");
  EXPECT_EQ(Fence(), 1);
}

TEST_F(SessionLockTimeTest, TheLeaseCountsFromTheFirstWaiter) {
  Held();
  context_.now_ms += 10 * kLease;
  Open('B');
  EXPECT_EQ(DeadlineIn(), kLease);
  context_.now_ms += 10;
  Open('C');
  EXPECT_EQ(DeadlineIn(), kLease - 10);
  EXPECT_EQ(AfterMs(kLease - 11), "");
  EXPECT_EQ(AfterMs(1), "ended A broken by b|1 after 11000; B has it");
}

TEST_F(SessionLockTimeTest, TheLeaseIsTheHoldersOwn) {
  Open('A', {}, 300);
  Open('B', {}, 9000);
  EXPECT_EQ(DeadlineIn(), 300);
}

TEST_F(SessionLockTimeTest, AnEndedLeaseGivesTheLockToTheHead) {
  Held();
  Open('B');
  Open('C');
  context_.now_ms += kLease;
  OnTime();
  EXPECT_EQ(State(), "held");
  EXPECT_EQ(Open('B'), "B has 2");
  EXPECT_EQ(waiters_['B']->broken()->owner, "a|1");
  EXPECT_EQ(waiters_['B']->broken()->held_ms, kLease);
  EXPECT_EQ(waiters_['B']->broken()->req, "GET /A");
  EXPECT_EQ(lock_.Decide({1}, hash_.view()), CommitCase::kFenced);
  EXPECT_EQ(Why(1).reason, FencedReason::kBroken);
  EXPECT_EQ(Why(1).by, "b|1");
}

TEST_F(SessionLockTimeTest, AnEndedLeaseOfAPublishedLockPublishesTheHead) {
  Published();
  Open('B');
  EXPECT_EQ(AfterMs(kLease), "publish b|1|0; ended A broken by b|1 after 1000; B has it");
  EXPECT_EQ(State(), "published");
  EXPECT_EQ(hash_.req, "GET /B");
}

TEST_F(SessionLockTimeTest, WhenTheLastWaiterLeavesTheLeaseStops) {
  Held();
  Open('B');
  context_.now_ms += 900;
  Leave('B');
  EXPECT_EQ(DeadlineIn(), -1);
  Open('C');
  EXPECT_EQ(DeadlineIn(), kLease);
}

TEST_F(SessionLockTimeTest, WhileOthersWaitTheLeaseGoesOn) {
  Held();
  Open('B');
  context_.now_ms += 900;
  Open('C');
  Leave('B');
  EXPECT_EQ(DeadlineIn(), 100);
}

TEST_F(SessionLockTimeTest, RenewBeginsTheLeaseAnew) {
  Held();
  EXPECT_TRUE(lock_.Renew(1, std::nullopt, context_.now_ms));
  EXPECT_EQ(DeadlineIn(), -1) << "nobody waits";
  Open('B');
  context_.now_ms += 900;
  EXPECT_TRUE(lock_.Renew(1, std::nullopt, context_.now_ms));
  EXPECT_EQ(DeadlineIn(), kLease);
  EXPECT_TRUE(lock_.Renew(1, 300, context_.now_ms));
  EXPECT_EQ(DeadlineIn(), 300);
}

TEST_F(SessionLockTimeTest, RenewNeedsTheHoldersFence) {
  EXPECT_FALSE(lock_.Renew(0, std::nullopt, context_.now_ms));
  Held();
  EXPECT_FALSE(lock_.Renew(2, 5, context_.now_ms));
  EXPECT_EQ(lock_.holder()->lease_ms, kLease);
}

TEST_F(SessionLockTimeTest, ALeaseCountsFromTheDelivery) {
  Held();
  Open('B');
  Open('C');
  Release(1);
  EXPECT_EQ(DeadlineIn(), -1);
  EXPECT_EQ(AfterMs(100 * kLease), "") << "the client of B cannot know yet that it has the lock";
  EXPECT_EQ(Open('B'), "B has 2");
  EXPECT_EQ(DeadlineIn(), kLease);
}

TEST_F(SessionLockTimeTest, WhoQueuesBeforeADeliveryDoesNotStartTheLease) {
  Held();
  Open('B');
  Release(1);
  Open('C');
  EXPECT_EQ(DeadlineIn(), -1);
  context_.now_ms += 500;
  Open('B');
  EXPECT_EQ(DeadlineIn(), kLease);
}

TEST_F(SessionLockTimeTest, WhileWritesArePausedNoLeaseEnds) {
  Held();
  Open('B');
  context_.writes_paused = true;
  EXPECT_EQ(AfterMs(5 * kLease), "");
  context_.writes_paused = false;
  EXPECT_EQ(OnTime(), "ended A broken by b|1 after 5000; B has it");
}

TEST_F(SessionLockTimeTest, ALeaseThatNeverEndsDoesNotOverflow) {
  Open('A', {}, kNever);
  Open('B', {}, kNever);
  EXPECT_EQ(DeadlineIn(), -1);
  Drop('A');
  PlainLock();
  Replace(hash_);
  EXPECT_EQ(State(), "plain");
  EXPECT_EQ(DeadlineIn(), -1);
}

// ---- the lease of a plain holder

TEST_F(SessionLockTimeTest, APlainHolderHasTheLeaseOfTheHead) {
  PlainLock();
  Open('B', {}, 700);
  Open('C', {}, 100);
  EXPECT_EQ(DeadlineIn(), 700);
  context_.now_ms += 650;
  Leave('B');
  EXPECT_EQ(DeadlineIn(), -550) << "C came with B, and its lease is shorter";
  EXPECT_EQ(OnTime(), "publish c|1|0; C has it");
}

TEST_F(SessionLockTimeTest, AnEndedLeaseOfAPlainHolderFencesItByThePid) {
  Plain();
  context_.now_ms += kLease;
  EXPECT_EQ(OnTime(), "publish b|1|0; B has it");
  EXPECT_EQ(State(), "published");
  EXPECT_EQ(hash_.lock, kPublishedLock);
  EXPECT_EQ(Open('B'), "B has 1");
  EXPECT_EQ(waiters_['B']->broken()->owner, "p|1");
  EXPECT_EQ(waiters_['B']->broken()->held_ms, kLease);
  EXPECT_EQ(waiters_['B']->broken()->req, "GET /P");
}

TEST_F(SessionLockTimeTest, AnotherPlainHolderHasALeaseOfItsOwn) {
  Plain();
  context_.now_ms += 800;
  EXPECT_EQ(Write([](FakeHash& hash) { hash.pid = "q|1"; }), "");
  EXPECT_EQ(DeadlineIn(), kLease);
  EXPECT_EQ(AfterMs(kLease - 1), "");
  EXPECT_EQ(AfterMs(1), "publish b|1|0; B has it");
}

TEST_F(SessionLockTimeTest, ALaterHeadGivesAPlainHolderItsOwnLease) {
  Plain();
  context_.now_ms += 400;
  Open('C');
  Leave('B');
  EXPECT_EQ(DeadlineIn(), kLease);
}

// ---- turns of plain clients

TEST_F(SessionLockTimeTest, APatientPollerGetsATurnAtARelease) {
  Held();
  PollUntilDue();
  Open('B');
  EXPECT_EQ(Commit(1), "clear; ended A released after 2000; turn");
  EXPECT_EQ(DeadlineIn(), 600);
  EXPECT_EQ(hash_.lock, 0) << "so that HINCRBY reads 1";
  EXPECT_EQ(Poll(), "");
  EXPECT_EQ(State(), "plain");
}

TEST_F(SessionLockTimeTest, AnImpatientPollerGetsNone) {
  Held();
  for (int i = 0; i < 4; ++i) {
    Poll();
    context_.now_ms += 499;
  }
  Open('B');
  EXPECT_EQ(Commit(1), "clear; ended A released after 1996; B has it");
}

TEST_F(SessionLockTimeTest, APollerThatWentAwayGetsNone) {
  Held();
  PollUntilDue();
  context_.now_ms += PlainPollers::kStillPollsMs;
  Open('B');
  EXPECT_EQ(Commit(1), "clear; ended A released after 3100; B has it");
}

TEST_F(SessionLockTimeTest, AfterAnUnusedTurnTheHeadHasTheLock) {
  Turn();
  EXPECT_EQ(AfterMs(599), "");
  EXPECT_EQ(AfterMs(1), "B has it");
  EXPECT_EQ(State(), "held");
}

TEST_F(SessionLockTimeTest, TwoTurnsNeverFollowEachOther) {
  context_.plain_patience_ms = 0;
  Held();
  Poll();
  Open('B');
  EXPECT_EQ(Release(1), "clear; ended A released after 0; turn");
  EXPECT_EQ(AfterMs(600), "B has it");
}

TEST_F(SessionLockTimeTest, BetweenTurnsThatAreTakenIsANativeClient) {
  const auto unlock = [](FakeHash& hash) {
    hash.lock = 0;
    hash.writes += 1;
  };
  Held();
  Open('B', {}, 9000);
  for (int i = 0; i < 4; ++i) {
    Poll('P');
    Poll('Q');
    context_.now_ms += 500;
  }
  lock_.Renew(1, 9000, context_.now_ms);
  ASSERT_EQ(Release(1), "clear; ended A released after 2000; turn");
  Poll('P');
  ASSERT_EQ(State(), "plain");
  Poll('Q');
  context_.now_ms += 100;
  EXPECT_EQ(Write(unlock), "B has it") << "Q has waited for 2 s, but the latest turn was just now";
  Open('B');
  Open('C', {}, 9000);
  context_.now_ms += 100;
  EXPECT_EQ(Release(2), "ended B released after 100; turn");
}

TEST_F(SessionLockTimeTest, AfterATurnThatNobodyTookLiesThePatience) {
  Turn();
  ASSERT_EQ(AfterMs(600), "B has it");
  Open('B');
  Open('C', {}, 9000);
  for (int i = 0; i < 2; ++i) {
    Poll();
    context_.now_ms += 500;
  }
  EXPECT_EQ(Release(2), "clear; ended B released after 1000; C has it") << "1.6 s after the turn";
}

TEST_F(SessionLockTimeTest, WithoutLengthThereAreNoTurns) {
  context_.plain_turn_ms = 0;
  Held();
  PollUntilDue();
  Open('B');
  EXPECT_EQ(Release(1), "clear; ended A released after 2000; B has it");
}

TEST_F(SessionLockTimeTest, ABrokenLeaseIsNoRelease) {
  Held();
  Open('B', {}, 9000);
  PollUntilDue();
  EXPECT_EQ(OnTime(), "publish b|1|0; ended A broken by b|1 after 2000; B has it");
}

TEST_F(SessionLockTimeTest, WhileWritesArePausedATurnStillEnds) {
  Turn();
  context_.writes_paused = true;
  EXPECT_EQ(AfterMs(600), "B has it");
}

TEST_F(SessionLockTimeTest, WhileWritesArePausedAnOrphanGetsNoTurn) {
  Held();
  PollUntilDue();
  Open('B');
  context_.writes_paused = true;
  EXPECT_EQ(Drop('A'), "ended A dropped after 2000; B has it");
}

TEST_F(SessionLockTimeTest, PollersAreForgottenAfterTheirLastPoll) {
  Published();
  Release(1);
  EXPECT_EQ(State(), "free");
  EXPECT_FALSE(lock_.idle());
  EXPECT_EQ(DeadlineIn(), PlainPollers::kStillPollsMs);
  EXPECT_EQ(AfterMs(PlainPollers::kStillPollsMs), "");
  EXPECT_TRUE(lock_.idle());
}

TEST_F(SessionLockTimeTest, ATurnForWhichNobodyWaitsIsForgotten) {
  Held();
  PollUntilDue();
  Release(1);
  ASSERT_EQ(State(), "turn");
  lock_.Forget(context_.now_ms + 599);
  EXPECT_EQ(State(), "turn");
  lock_.Forget(context_.now_ms + 600);
  EXPECT_EQ(State(), "free");
}

TEST_F(SessionLockTimeTest, ForgetGrantsNothing) {
  Turn();
  lock_.Forget(context_.now_ms + 10'000);
  EXPECT_EQ(State(), "turn");
  EXPECT_EQ(Waiting(), "B");
}

// ---- waiters that leave

TEST_F(SessionLockTimeTest, WhoLeavesAHeldLockLeavesTheQueue) {
  Held();
  Open('B');
  Open('C');
  EXPECT_EQ(Leave('B'), "");
  EXPECT_EQ(Waiting(), "C");
  EXPECT_FALSE(waiters_['B']->placed());
  EXPECT_EQ(Release(1), "ended A released after 0; C has it");
}

TEST_F(SessionLockTimeTest, WhoLeavesAPublishedLockLeavesTheQueue) {
  Published();
  Open('B');
  EXPECT_EQ(Leave('B'), "");
  EXPECT_EQ(State(), "published");
}

TEST_F(SessionLockTimeTest, WhenNobodyWaitsForAPlainLockThereIsNothingToKnow) {
  Plain();
  Open('C');
  Leave('B');
  EXPECT_EQ(State(), "plain");
  EXPECT_EQ(Leave('C'), "");
  EXPECT_EQ(State(), "free");
  EXPECT_TRUE(lock_.idle());
}

TEST_F(SessionLockTimeTest, WhoLeavesATurnLeavesTheQueue) {
  Turn();
  EXPECT_EQ(Leave('B'), "");
  EXPECT_EQ(State(), "turn");
  context_.now_ms += 600;
  EXPECT_EQ(Open('C'), "C has 2");
}

TEST_F(SessionLockTimeTest, WhoWasGrantedTheLockAndLeavesPassesItOn) {
  Held();
  Open('B');
  Open('C');
  Release(1);
  EXPECT_EQ(Leave('B'), "ended B dropped after 0; C has it");
  EXPECT_FALSE(waiters_['B']->placed());
  EXPECT_EQ(Open('C'), "C has 3");
}

TEST_F(SessionLockTimeTest, AConnectionThatEndsBeforeItsDeliveryPassesTheLockOn) {
  Held();
  Open('B');
  Open('C');
  Release(1);
  EXPECT_EQ(Drop('B'), "ended B dropped after 0; C has it");
  EXPECT_FALSE(waiters_['B']->placed());
}

TEST_F(SessionLockTimeTest, WhoHasLeftChangesNothing) {
  Held();
  Open('B');
  Leave('B');
  EXPECT_EQ(Leave('B'), "");
  EXPECT_EQ(Leave('A'), "") << "a holder does not wait";
  EXPECT_EQ(Fence(), 1);
}

}  // namespace
}  // namespace cloakroom
