// The gate with all its users, in random orders: compared with a simple model, and with threads,
// where a closer must be alone inside and every waiter must be woken.
#include <algorithm>
#include <atomic>
#include <deque>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "storage/gate/gate.h"
#include "storage/gate/gate_tickets.h"

namespace cloakroom {
namespace {

constexpr int kSlots = 3;
constexpr int kParties = 8;

/// The rules of a gate, in their simplest form.
struct Model {
  struct Waiter {
    Gate::Wish wish;
    int who;
  };

  bool closed = false;
  bool busy = false;
  bool slow = false;
  int inside = 0;
  int tickets = 0;
  std::vector<Waiter> waiters;
  std::vector<int> woken;

  bool MustWait(const Gate::Wish& wish) const {
    if (busy && wish.hears_busy) return false;
    return closed || (wish.closes && !wish.queued && tickets > 0);
  }
  void Wake() {
    for (const Waiter& waiter : waiters) {
      if (!MustWait(waiter.wish)) woken.push_back(waiter.who);
    }
    std::erase_if(waiters, [&](const Waiter& waiter) { return !MustWait(waiter.wish); });
  }
  bool Pass() {
    if (!closed) return ++inside, true;
    if (!busy) slow = true;
    return false;
  }
  Gate::Closing Close(bool queued) {
    if (!queued && tickets > 0) return Gate::Closing::kRefused;
    if (closed) {
      if (!busy) slow = true;
      return Gate::Closing::kRefused;
    }
    if (inside > 0) {
      // It was closed for an instant, and those who wait are told that it is open again.
      Wake();
      return Gate::Closing::kOccupied;
    }
    closed = true;
    return Gate::Closing::kDone;
  }
  void Open() {
    closed = busy = slow = false;
    Wake();
  }
};

class GateModelTest : public testing::TestWithParam<unsigned> {
 protected:
  int Below(int end) { return std::uniform_int_distribution<int>(0, end - 1)(random_); }

  /// One random action of one user, done to the gate and to the model.
  void Step() {
    const int who = Below(kParties);
    switch (Below(8)) {
      case 0:
      case 1:
        return Pass(Below(kSlots));
      case 2:
        if (!passes_.empty()) Leave();
        return;
      case 3:
        ASSERT_EQ(gate_.TryClose(Queued(who)), model_.Close(Queued(who)));
        return;
      case 4:
        if (!model_.closed) return;
        gate_.Open();
        return model_.Open();
      case 5:
        if (!model_.closed || Below(3) > 0) return;
        model_.busy = true;
        model_.Wake();
        return gate_.SetBusy();
      case 6:
        return Ticket(who);
      default:
        return Wait(who);
    }
  }

  void Pass(int slot) {
    const bool passed = gate_.TryPass(slot);
    ASSERT_EQ(passed, model_.Pass());
    if (passed) passes_.push_back(slot);
  }
  void Leave() {
    gate_.Leave(passes_.front());
    passes_.pop_front();
    --model_.inside;
  }
  bool Queued(int who) const { return tickets_[static_cast<size_t>(who)].has_value(); }
  void Ticket(int who) {
    auto& ticket = tickets_[static_cast<size_t>(who)];
    if (!ticket) {
      ++model_.tickets;
      ticket.emplace(gate_);
      return;
    }
    if (--model_.tickets == 0) model_.Wake();
    ticket.reset();
  }
  void Wait(int who) {
    const Gate::Wish wish{Below(2) == 0, Queued(who), Below(2) == 0};
    if (model_.MustWait(wish)) {
      model_.waiters.push_back({wish, who});
    } else {
      model_.woken.push_back(who);
    }
    gate_.WhenOpen(wish, [this, who] { woken_.push_back(who); });
  }

  std::mt19937 random_{GetParam()};
  std::vector<int> woken_;  ///< outlives the tickets, which wake waiters at the end
  Gate gate_{kSlots, std::chrono::microseconds(0)};
  Model model_;
  std::deque<int> passes_;
  std::vector<std::optional<Gate::Ticket>> tickets_{kParties};
};

TEST_P(GateModelTest, DoesWhatTheModelDoes) {
  for (int i = 0; i < 5'000; ++i) {
    Step();
    ASSERT_EQ(woken_, model_.woken) << "step " << i;
    ASSERT_EQ(gate_.busy(), model_.busy) << "step " << i;
    ASSERT_EQ(gate_.slow(), model_.slow) << "step " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, GateModelTest, testing::Range(0u, 20u));

/// Threads at several gates: passers, closers of one and of several, one that stays busy.
class GateThreadsTest : public testing::Test {
 protected:
  static constexpr int kGates = 3;
  static constexpr int kRounds = 300;

  /// Waits as a thread does that was refused.
  void Await(Gate& gate, Gate::Wish wish) {
    auto rung = std::make_shared<std::atomic<bool>>(false);
    gate.WhenOpen(wish, [rung] {
      rung->store(true);
      rung->notify_all();
    });
    rung->wait(false);
  }

  void Passer(int slot) {
    for (int i = 0; i < kRounds; ++i) {
      const size_t at = static_cast<size_t>(i % kGates);
      Gate& gate = gates_[at];
      while (!gate.TryPass(slot)) Await(gate, {.hears_busy = i % 2 == 0 && !gate.busy()});
      EXPECT_FALSE(alone_[at]);
      ++inside_[at];
      EXPECT_FALSE(alone_[at]);
      --inside_[at];
      gate.Leave(slot);
    }
  }

  /// The gate that refused to be closed; null when none did. TryCloseFrom closes all the gates from
  /// `first` on, or none.
  struct Refusal {
    Gate* gate = nullptr;
    bool occupied = false;
  };
  Refusal TryCloseFrom(size_t first, bool queued) {
    const auto until = gates_[0].MomentFromNow();
    for (size_t at = first; at < kGates; ++at) {
      const Gate::Closing closing = gates_[at].TryClose(queued, until);
      if (closing == Gate::Closing::kDone) continue;
      for (size_t taken = at; taken-- > first;) gates_[taken].Open();
      return {&gates_[at], closing == Gate::Closing::kOccupied};
    }
    return {};
  }

  void Closer(size_t first, bool gets_busy) {
    GateTickets tickets;
    for (int i = 0; i < kRounds; ++i) {
      for (Refusal no = TryCloseFrom(first, tickets.any()); no.gate != nullptr;
           no = TryCloseFrom(first, tickets.any())) {
        tickets.Refused(*no.gate);
        if (no.occupied) {
          std::this_thread::yield();
        } else {
          Await(*no.gate, {.closes = true, .queued = true});
        }
      }
      tickets.Clear();
      for (size_t at = first; at < kGates; ++at) {
        EXPECT_FALSE(alone_[at].exchange(true));
        EXPECT_EQ(inside_[at], 0);
      }
      if (gets_busy && i % 8 == 0) {
        for (size_t at = first; at < kGates; ++at) gates_[at].SetBusy();
        std::this_thread::yield();
      }
      for (size_t at = kGates; at-- > first;) {
        EXPECT_EQ(inside_[at], 0);
        alone_[at] = false;
        gates_[at].Open();
      }
    }
  }

  Gate gates_[kGates]{Gate(kSlots), Gate(kSlots), Gate(kSlots)};
  std::atomic<int> inside_[kGates] = {};
  std::atomic<bool> alone_[kGates] = {};
};

TEST_F(GateThreadsTest, NobodyMeetsACloserAndEverybodyGetsThrough) {
  std::vector<std::thread> threads;
  for (int slot = 0; slot < kSlots; ++slot) threads.emplace_back([this, slot] { Passer(slot); });
  threads.emplace_back([this] { Passer(kSlots - 1); });
  threads.emplace_back([this] { Closer(0, /*gets_busy=*/false); });
  threads.emplace_back([this] { Closer(1, /*gets_busy=*/true); });
  threads.emplace_back([this] { Closer(2, /*gets_busy=*/false); });
  threads.emplace_back([this] { Closer(2, /*gets_busy=*/true); });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace cloakroom
