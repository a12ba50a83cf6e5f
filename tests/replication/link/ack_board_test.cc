#include "replication/link/ack_board.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace cloakroom {
namespace {

using Goal = AckBoard::Goal;

class AckBoardTest : public testing::Test {
 protected:
  std::function<void()> Wake() {
    return [this] { ++woken_; };
  }

  AckBoard board_;
  int woken_ = 0;
};

TEST_F(AckBoardTest, CountsReplicasThatHaveAckedAnOffset) {
  board_.Join(1, "host:1", 0, 0, 0);
  board_.Join(2, "host:2", 0, 0, 0);
  board_.Acked(1, 100, 50, 0);
  EXPECT_EQ(board_.online(), 2u);
  EXPECT_EQ(board_.CountAcked(100), 1);
  EXPECT_EQ(board_.CountAcked(101), 0);
  EXPECT_EQ(board_.CountAcked(0), 2);
  EXPECT_EQ(board_.CountFsynced(50), 1);
  EXPECT_EQ(board_.CountFsynced(51), 0);
}

TEST_F(AckBoardTest, OffsetsNeverGoBack) {
  board_.Join(1, "host:1", 100, 90, 0);
  board_.Acked(1, 50, 40, 0);
  EXPECT_EQ(board_.CountAcked(100), 1);
  EXPECT_EQ(board_.CountFsynced(90), 1);
}

TEST_F(AckBoardTest, WhoLeftCountsNoMore) {
  board_.Join(1, "host:1", 100, 0, 0);
  board_.Leave(1);
  EXPECT_EQ(board_.CountAcked(100), 0);
  board_.Acked(1, 200, 0, 0);
  EXPECT_EQ(board_.online(), 0u);
}

TEST_F(AckBoardTest, TheLeastAckIsThatOfAnyReplicaThatMayComeBack) {
  EXPECT_EQ(board_.LeastAcked(), std::nullopt);
  board_.Join(1, "a:1", 100, 0, 0);
  board_.Join(2, "b:1", 300, 0, 0);
  EXPECT_EQ(board_.LeastAcked(), 100);
  board_.Acked(1, 200, 0, 0);
  board_.Leave(1);
  EXPECT_EQ(board_.LeastAcked(), 200);
  board_.Join(3, "a:1", 250, 0, 0);
  EXPECT_EQ(board_.LeastAcked(), 250);
  board_.Leave(2);
  board_.Leave(3);
  EXPECT_EQ(board_.LeastAcked(), 250);
  board_.Clear();
  EXPECT_EQ(board_.LeastAcked(), std::nullopt);
}

TEST_F(AckBoardTest, AToolWithoutANameIsNoReplicaToWaitFor) {
  board_.Join(1, "", 0, 0, 0);
  EXPECT_EQ(board_.LeastAcked(), std::nullopt);
  board_.Join(2, "a:1", 100, 0, 0);
  board_.Leave(1);
  EXPECT_EQ(board_.LeastAcked(), 100);
}

TEST_F(AckBoardTest, OfManyThatLeftTheLeastAckIsNotForgotten) {
  for (uint64_t id = 1; id <= 1000; ++id) {
    board_.Join(id, "host:" + std::to_string(id), static_cast<int64_t>(2000 - id), 0, 0);
    board_.Leave(id);
  }
  EXPECT_EQ(board_.LeastAcked(), 1000);
}

TEST_F(AckBoardTest, AWaitForWhatIsReachedIsOverAtOnce) {
  board_.Join(1, "host:1", 100, 0, 0);
  EXPECT_EQ(board_.Wait({.offset = 100, .replicas = 1}, kNever, Wake()), std::nullopt);
  EXPECT_EQ(board_.Wait({.offset = 500, .replicas = 0}, kNever, Wake()), std::nullopt);
  EXPECT_EQ(woken_, 0);
  EXPECT_EQ(board_.waiters(), 0u);
}

TEST_F(AckBoardTest, WakesOnceWhenEnoughReplicasHaveAcked) {
  board_.Join(1, "host:1", 0, 0, 0);
  board_.Join(2, "host:2", 0, 0, 0);
  EXPECT_TRUE(board_.Wait({.offset = 100, .replicas = 2}, kNever, Wake()));
  board_.Acked(1, 200, 0, 0);
  EXPECT_EQ(woken_, 0);
  board_.Acked(2, 99, 0, 0);
  EXPECT_EQ(woken_, 0);
  board_.Acked(2, 100, 0, 0);
  EXPECT_EQ(woken_, 1);
  board_.Acked(2, 101, 0, 0);
  EXPECT_EQ(woken_, 1);
  EXPECT_EQ(board_.waiters(), 0u);
}

TEST_F(AckBoardTest, AReplicaThatLeftDoesNotHelp) {
  board_.Join(1, "host:1", 0, 0, 0);
  board_.Join(2, "host:2", 0, 0, 0);
  board_.Wait({.offset = 100, .replicas = 2}, kNever, Wake());
  board_.Acked(1, 100, 0, 0);
  board_.Leave(1);
  board_.Acked(2, 100, 0, 0);
  EXPECT_EQ(woken_, 0);
  board_.Join(1, "host:1", 100, 0, 0);
  EXPECT_EQ(woken_, 1) << "what it acknowledged before counts when it is back";
}

TEST_F(AckBoardTest, AWaitOfAClientThatWroteNothingEndsWithTheFirstReplica) {
  board_.Wait({.offset = 0, .replicas = 1}, kNever, Wake());
  board_.Join(1, "host:1", 0, 0, 0);
  EXPECT_EQ(woken_, 1);
}

TEST_F(AckBoardTest, WaitaofWaitsForDisks) {
  board_.Join(1, "host:1", 0, 0, 0);
  board_.Wait({.offset = 100, .replicas = 1, .fsynced = true}, kNever, Wake());
  board_.Acked(1, 100, 99, 0);
  EXPECT_EQ(woken_, 0);
  board_.Acked(1, 100, 100, 0);
  EXPECT_EQ(woken_, 1);
}

TEST_F(AckBoardTest, WaitaofWaitsForOurDiskToo) {
  board_.Join(1, "host:1", 0, 0, 0);
  board_.Wait({.offset = 100, .replicas = 1, .fsynced = true, .local = true}, kNever, Wake());
  board_.Acked(1, 100, 100, 0);
  board_.LocalSynced(99);
  EXPECT_EQ(woken_, 0);
  EXPECT_FALSE(board_.IsLocalSynced(100));
  board_.LocalSynced(100);
  EXPECT_EQ(woken_, 1);
  EXPECT_TRUE(board_.IsLocalSynced(100));
  board_.LocalSynced(10);
  EXPECT_TRUE(board_.IsLocalSynced(100));
}

TEST_F(AckBoardTest, OurDiskAloneIsEnoughForWaitaofOneZero) {
  board_.Wait({.offset = 100, .fsynced = true, .local = true}, kNever, Wake());
  board_.LocalSynced(100);
  EXPECT_EQ(woken_, 1);
}

TEST_F(AckBoardTest, ADeadlineWakes) {
  EXPECT_EQ(board_.NextDeadline(), kNever);
  board_.Wait({.offset = 1, .replicas = 1}, 500, Wake());
  board_.Wait({.offset = 1, .replicas = 1}, 300, Wake());
  board_.Wait({.offset = 1, .replicas = 1}, kNever, Wake());
  EXPECT_EQ(board_.NextDeadline(), 300);
  board_.Expire(299);
  EXPECT_EQ(woken_, 0);
  board_.Expire(300);
  EXPECT_EQ(woken_, 1);
  EXPECT_EQ(board_.NextDeadline(), 500);
  board_.Expire(kNever - 1);
  EXPECT_EQ(woken_, 2);
  EXPECT_EQ(board_.waiters(), 1u);
}

TEST_F(AckBoardTest, WhoWasWokenByAnAckHasNoDeadlineLeft) {
  board_.Join(1, "host:1", 0, 0, 0);
  board_.Wait({.offset = 1, .replicas = 1}, 300, Wake());
  board_.Acked(1, 1, 0, 0);
  EXPECT_EQ(board_.NextDeadline(), kNever);
  board_.Expire(1000);
  EXPECT_EQ(woken_, 1);
}

TEST_F(AckBoardTest, ACancelledWaiterIsNotWoken) {
  const auto ticket = board_.Wait({.offset = 1, .replicas = 1}, 300, Wake());
  board_.Cancel(*ticket);
  board_.Cancel(*ticket);
  EXPECT_EQ(board_.NextDeadline(), kNever);
  board_.Join(1, "host:1", 10, 0, 0);
  EXPECT_EQ(woken_, 0);
}

TEST_F(AckBoardTest, AnotherHistoryForgetsAcksAndKeepsWaiters) {
  board_.Join(1, "host:1", 100, 0, 0);
  board_.LocalSynced(100);
  board_.Wait({.offset = 200, .replicas = 1}, 300, Wake());
  board_.Clear();
  EXPECT_EQ(board_.online(), 0u);
  EXPECT_FALSE(board_.IsLocalSynced(1));
  board_.Expire(300);
  EXPECT_EQ(woken_, 1);
}

TEST_F(AckBoardTest, ACallbackMayUseTheBoard) {
  board_.Join(1, "host:1", 0, 0, 0);
  int64_t count = -1;
  board_.Wait({.offset = 5, .replicas = 1}, kNever, [this, &count] {
    count = board_.CountAcked(5);
    board_.Wait({.offset = 6, .replicas = 1}, kNever, Wake());
  });
  board_.Acked(1, 5, 0, 0);
  EXPECT_EQ(count, 1);
  board_.Acked(1, 6, 0, 0);
  EXPECT_EQ(woken_, 1);
}

TEST_F(AckBoardTest, GoodReplicasHaveAckedLately) {
  board_.Join(1, "host:1", 0, 0, 1000);
  board_.Join(2, "host:2", 0, 0, 5000);
  EXPECT_EQ(board_.CountGood(5000, 10), 2);
  EXPECT_EQ(board_.CountGood(11'999, 10), 2);
  EXPECT_EQ(board_.CountGood(12'000, 10), 1);
  board_.Acked(1, 0, 0, 12'000);
  EXPECT_EQ(board_.CountGood(12'000, 10), 2) << "any ACK is a sign of life";
}

TEST_F(AckBoardTest, WritesNeedEnoughGoodReplicas) {
  board_.Join(1, "host:1", 0, 0, 0);
  EXPECT_TRUE(board_.EnoughGood(0, 1, 10));
  EXPECT_FALSE(board_.EnoughGood(0, 2, 10));
  EXPECT_FALSE(board_.EnoughGood(11'000, 1, 10));
}

TEST_F(AckBoardTest, AZeroTurnsTheRuleOff) {
  EXPECT_TRUE(board_.EnoughGood(0, 0, 10));
  EXPECT_TRUE(board_.EnoughGood(0, 3, 0));
}

TEST_F(AckBoardTest, ThreadsWakeEveryWaiterOnce) {
  constexpr int kEach = 2000;
  board_.Join(1, "host:1", 0, 0, 0);
  board_.Join(2, "host:2", 0, 0, 0);
  std::atomic<int> woken = 0;
  std::vector<std::thread> threads;
  threads.reserve(5);
  for (int thread = 0; thread < 2; ++thread)
    threads.emplace_back([this, &woken] {
      for (int64_t i = 1; i <= kEach; ++i) {
        const auto wake = [&woken] { ++woken; };
        if (!board_.Wait({.offset = i, .replicas = 2}, i, wake)) ++woken;
      }
    });
  for (const AckBoard::Replica replica : {1, 2})
    threads.emplace_back([this, replica] {
      for (int64_t i = 1; i <= kEach; ++i) board_.Acked(replica, i, 0, i);
    });
  threads.emplace_back([this] {
    for (int64_t i = 1; i <= kEach; i += 7) board_.Expire(i);
  });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(woken, 2 * kEach);
  EXPECT_EQ(board_.waiters(), 0u);
  EXPECT_EQ(board_.NextDeadline(), kNever);
}

}  // namespace
}  // namespace cloakroom
