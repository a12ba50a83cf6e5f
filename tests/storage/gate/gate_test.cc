#include "storage/gate/gate.h"

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace cloakroom {
namespace {

using Closing = Gate::Closing;
using std::chrono::microseconds;

/// Tries that do not wait.
constexpr microseconds kNow{0};

bool Closes(Gate& gate, bool queued = false) { return gate.TryClose(queued) == Closing::kDone; }

TEST(GateTest, ManyPassAtOnce) {
  Gate gate(3, kNow);
  EXPECT_TRUE(gate.TryPass(0));
  EXPECT_TRUE(gate.TryPass(1));
  EXPECT_TRUE(gate.TryPass(2));
  EXPECT_TRUE(gate.TryPass(2));
  EXPECT_EQ(gate.TryClose(false), Closing::kOccupied);
  for (int slot : {0, 1, 2}) gate.Leave(slot);
  EXPECT_EQ(gate.TryClose(false), Closing::kOccupied);
  gate.Leave(2);
  EXPECT_EQ(gate.TryClose(false), Closing::kDone);
}

TEST(GateTest, AClosedGateLetsNobodyThroughNotEvenTheThreadThatClosedIt) {
  Gate gate(2, kNow);
  ASSERT_TRUE(Closes(gate));
  EXPECT_FALSE(gate.TryPass(0));
  EXPECT_FALSE(gate.TryPassNow(1));
  EXPECT_EQ(gate.TryClose(false), Closing::kRefused);
  gate.Open();
  EXPECT_TRUE(gate.TryPass(1));
}

TEST(GateTest, WhoCannotCloseAnOccupiedGateLeavesItOpen) {
  Gate gate(2, kNow);
  ASSERT_TRUE(gate.TryPass(0));
  EXPECT_EQ(gate.TryClose(false), Closing::kOccupied);
  EXPECT_TRUE(gate.TryPass(1));
}

TEST(GateTest, AnOpenGateWakesAtOnce) {
  Gate gate(1, kNow);
  int woken = 0;
  gate.WhenOpen({}, [&] { ++woken; });
  EXPECT_EQ(woken, 1);
}

TEST(GateTest, OpeningWakesEachWaiterOnceInTheOrderOfTheirComing) {
  Gate gate(1, kNow);
  ASSERT_TRUE(Closes(gate));
  std::vector<int> woken;
  for (int i = 0; i < 3; ++i) gate.WhenOpen({.closes = i == 1}, [&, i] { woken.push_back(i); });
  EXPECT_TRUE(woken.empty());
  gate.Open();
  EXPECT_EQ(woken, (std::vector{0, 1, 2}));
  ASSERT_TRUE(Closes(gate));
  gate.Open();
  EXPECT_EQ(woken.size(), 3u);
}

TEST(GateTest, WhoWaitsComesBeforeWhoDoesNot) {
  Gate gate(1, kNow);
  {
    Gate::Ticket ticket(gate);
    EXPECT_FALSE(Closes(gate, /*queued=*/false));
    ASSERT_TRUE(Closes(gate, /*queued=*/true));
    gate.Open();
    EXPECT_TRUE(gate.TryPass(0));
    gate.Leave(0);
  }
  EXPECT_TRUE(Closes(gate, /*queued=*/false));
}

TEST(GateTest, ATicketKeepsThoseFromClosingWhoHaveNoneAndNobodyFromPassing) {
  Gate gate(1, kNow);
  int closers = 0;
  int others = 0;
  {
    Gate::Ticket last(gate);
    {
      Gate::Ticket first(gate);
      gate.WhenOpen({.closes = true}, [&] { ++closers; });
      gate.WhenOpen({.closes = true, .queued = true}, [&] { ++others; });
      gate.WhenOpen({.closes = false}, [&] { ++others; });
      EXPECT_EQ(others, 2);
    }
    EXPECT_EQ(closers, 0);
  }
  EXPECT_EQ(closers, 1);
}

TEST(GateTest, ATicketReturnedWhileTheGateIsClosedWakesNobodyYet) {
  Gate gate(1, kNow);
  int woken = 0;
  std::optional<Gate::Ticket> ticket(gate);
  ASSERT_TRUE(Closes(gate, /*queued=*/true));
  gate.WhenOpen({.closes = true}, [&] { ++woken; });
  ticket.reset();
  EXPECT_EQ(woken, 0);
  gate.Open();
  EXPECT_EQ(woken, 1);
}

TEST(GateTest, AMovedTicketIsReturnedOnce) {
  Gate gate(1, kNow);
  {
    Gate::Ticket first(gate);
    Gate::Ticket second(std::move(first));
    EXPECT_EQ(&second.gate(), &gate);
    EXPECT_FALSE(Closes(gate));
  }
  EXPECT_TRUE(Closes(gate));
}

TEST(GateTest, BeingBusyIsHeardByThoseWhoWantToHearOfItAndByNobodyElse) {
  Gate gate(1, kNow);
  ASSERT_TRUE(Closes(gate));
  int clients = 0;
  int workers = 0;
  gate.WhenOpen({.hears_busy = true}, [&] { ++clients; });
  gate.WhenOpen({}, [&] { ++workers; });
  EXPECT_FALSE(gate.busy());
  gate.SetBusy();
  EXPECT_TRUE(gate.busy());
  EXPECT_EQ(clients, 1);
  EXPECT_EQ(workers, 0);
  // Somebody who comes later hears of it at once: the gate may have become busy after the refusal.
  gate.WhenOpen({.hears_busy = true}, [&] { ++clients; });
  EXPECT_EQ(clients, 2);
  gate.WhenOpen({}, [&] { ++workers; });
  gate.Open();
  EXPECT_FALSE(gate.busy());
  EXPECT_EQ(clients, 2);
  EXPECT_EQ(workers, 2);
}

TEST(GateTest, ALoadIsHeardByThoseWhoWantToHearOfItAndByNobodyElse) {
  Gate gate(1, kNow);
  ASSERT_TRUE(Closes(gate));
  int clients = 0;
  int workers = 0;
  gate.WhenOpen({.hears_load = true}, [&] { ++clients; });
  gate.WhenOpen({.hears_busy = true}, [&] { ++workers; });
  gate.SetLoading();
  EXPECT_FALSE(gate.busy());
  EXPECT_EQ(clients, 1);
  EXPECT_EQ(workers, 0);
  gate.WhenOpen({.hears_load = true}, [&] { ++clients; });
  EXPECT_EQ(clients, 2) << "it was refused before the load, and came to wait behind it";
  gate.Open();
  EXPECT_EQ(workers, 1);
  ASSERT_TRUE(Closes(gate));
  gate.WhenOpen({.hears_load = true}, [&] { ++clients; });
  EXPECT_EQ(clients, 2) << "the mark went";
  gate.Open();
  EXPECT_EQ(clients, 3);
}

TEST(GateTest, AGateIsSlowFromTheFirstTryThatWaitedInVainUntilItOpens) {
  Gate gate(1, kNow);
  ASSERT_TRUE(Closes(gate));
  EXPECT_FALSE(gate.slow());
  EXPECT_FALSE(gate.TryPass(0));
  EXPECT_TRUE(gate.slow());
  gate.Open();
  EXPECT_FALSE(gate.slow());
  ASSERT_TRUE(Closes(gate));
  EXPECT_FALSE(Closes(gate));
  EXPECT_TRUE(gate.slow());
  gate.Open();
  EXPECT_FALSE(gate.slow());
}

/// Longer than any test takes.
constexpr std::chrono::seconds kLong{600};

TEST(GateTest, WhoWaitsToPassGoesInBeforeAnybodyClosesAgain) {
  Gate gate(2, kLong);
  ASSERT_TRUE(Closes(gate));
  std::atomic<bool> passed = false;
  std::thread passer([&] { passed = gate.TryPass(0); });
  // The passer waited at the gate if a closer finds it inside right after the gate was opened.
  while (true) {
    gate.Open();
    const auto until = std::chrono::steady_clock::now();
    if (gate.TryClose(false, until) == Closing::kOccupied) break;
    std::this_thread::yield();
  }
  passer.join();
  EXPECT_TRUE(passed);
}

TEST(GateTest, WhatIsOverInAMomentIsWaitedFor) {
  Gate gate(1, kLong);
  ASSERT_TRUE(Closes(gate));
  std::thread closer([&] {
    EXPECT_TRUE(Closes(gate));
    gate.Open();
  });
  gate.Open();
  closer.join();
  ASSERT_TRUE(gate.TryPass(0));
  std::thread second([&] { EXPECT_TRUE(Closes(gate)); });
  gate.Leave(0);
  second.join();
}

TEST(GateTest, BecomingBusyEndsTheWaitForAMoment) {
  Gate gate(1, kLong);
  ASSERT_TRUE(Closes(gate));
  std::thread passer([&] { EXPECT_FALSE(gate.TryPass(0)); });
  std::thread closer([&] { EXPECT_FALSE(Closes(gate)); });
  gate.SetBusy();
  passer.join();
  closer.join();
}

}  // namespace
}  // namespace cloakroom
