#include "storage/gate.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace cloakroom {
namespace {

/// Runs on a thread of its own, so that locks are taken by another thread than the test's.
template <typename Work>
auto Elsewhere(Work work) {
  decltype(work()) result{};
  std::thread([&] { result = work(); }).join();
  return result;
}

TEST(GateTest, ManyPassAtOnce) {
  Gate gate(2);
  ASSERT_TRUE(gate.TryPass(0));
  EXPECT_TRUE(Elsewhere([&] {
    bool passed = gate.TryPass(1);
    if (passed) gate.Leave(1);
    return passed;
  }));
  gate.Leave(0);
}

TEST(GateTest, AClosedGateLetsNobodyThrough) {
  Gate gate(2);
  ASSERT_TRUE(gate.TryClose(false));
  EXPECT_FALSE(Elsewhere([&] { return gate.TryPass(0) || gate.TryPass(1); }));
  EXPECT_FALSE(Elsewhere([&] { return gate.TryClose(false); }));
  gate.Open();
  EXPECT_TRUE(gate.TryPass(1));
  gate.Leave(1);
}

TEST(GateTest, AnOpenGateWakesAtOnce) {
  Gate gate(1);
  int woken = 0;
  gate.WhenOpen(/*queued=*/false, [&] { ++woken; });
  EXPECT_EQ(woken, 1);
}

TEST(GateTest, OpeningWakesEachWaiterOnce) {
  Gate gate(1);
  gate.Close();
  int woken = 0;
  for (int i = 0; i < 3; ++i) gate.WhenOpen(/*queued=*/false, [&] { ++woken; });
  EXPECT_EQ(woken, 0);
  gate.Open();
  EXPECT_EQ(woken, 3);
  gate.Close();
  gate.Open();
  EXPECT_EQ(woken, 3);
}

TEST(GateTest, WhoWaitsComesBeforeWhoDoesNot) {
  Gate gate(1);
  {
    Gate::Ticket ticket(gate);
    EXPECT_FALSE(gate.TryClose(/*queued=*/false));
    ASSERT_TRUE(gate.TryClose(/*queued=*/true));
    gate.Open();
    EXPECT_TRUE(gate.TryPass(0));
    gate.Leave(0);
  }
  ASSERT_TRUE(gate.TryClose(/*queued=*/false));
  gate.Open();
}

TEST(GateTest, WhoHasNoTicketIsWokenWhenTheLastOneIsReturned) {
  Gate gate(1);
  int woken = 0;
  {
    Gate::Ticket last(gate);
    {
      Gate::Ticket first(gate);
      gate.WhenOpen(/*queued=*/false, [&] { ++woken; });
      gate.WhenOpen(/*queued=*/true, [&] { woken += 10; });
      EXPECT_EQ(woken, 10);
    }
    EXPECT_EQ(woken, 10);
  }
  EXPECT_EQ(woken, 11);
}

TEST(GateTest, ATicketReturnedWhileTheGateIsClosedWakesNobodyYet) {
  Gate gate(1);
  int woken = 0;
  gate.Close();
  {
    Gate::Ticket ticket(gate);
    gate.WhenOpen(/*queued=*/false, [&] { ++woken; });
  }
  EXPECT_EQ(woken, 0);
  gate.Open();
  EXPECT_EQ(woken, 1);
}

TEST(GateTest, WhatIsOverInAMomentIsWaitedFor) {
  Gate gate(1);
  gate.Close();
  bool closed = false;
  // However long the threads take to meet: a try sleeps, or is refused and comes again.
  std::thread other([&] {
    while (!gate.TryClose(/*queued=*/false)) std::this_thread::yield();
    closed = true;
    gate.Open();
  });
  gate.Open();
  other.join();
  EXPECT_TRUE(closed);
}

TEST(GateTest, BeingBusyWakesWaitersUntilTheGateOpens) {
  Gate gate(1);
  gate.Close();
  int woken = 0;
  gate.WhenOpen(/*queued=*/false, [&] { ++woken; });
  EXPECT_FALSE(gate.busy());
  gate.SetBusy(true);
  EXPECT_EQ(woken, 1);
  EXPECT_TRUE(gate.busy());
  gate.Open();
  EXPECT_FALSE(gate.busy());
  EXPECT_EQ(woken, 1);
}

TEST(GateTest, ClosingExcludesAllWhoPass) {
  constexpr int kPassers = 3;
  Gate gate(kPassers);
  std::atomic<int> inside = 0;
  int64_t exclusive = 0;  // Guarded by the closed gate.
  std::vector<std::thread> threads;
  for (int slot = 0; slot < kPassers; ++slot) {
    threads.emplace_back([&, slot] {
      for (int i = 0; i < 5'000; ++i) {
        if (i % 2 == 0) {
          gate.Pass(slot);
        } else if (!gate.TryPass(slot)) {
          continue;
        }
        ++inside;
        --inside;
        gate.Leave(slot);
      }
    });
  }
  for (int closer = 0; closer < 2; ++closer) {
    threads.emplace_back([&] {
      for (int i = 0; i < 300; ++i) {
        gate.Close();
        EXPECT_EQ(inside, 0);
        ++exclusive;
        gate.Open();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(exclusive, 600);
}

}  // namespace
}  // namespace cloakroom
