#ifndef CLOAKROOM_STORAGE_GATE_GATE_H_
#define CLOAKROOM_STORAGE_GATE_GATE_H_

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// The slot of a gate that the calling thread passes by: one per event-loop thread, and the last
/// one for all other threads together.
using GateSlot = int;

/// Who is in a logical database: many commands on single keys at once (a pass), or one that needs
/// the database for itself (closed).
///
/// Each thread counts its passes in a slot of its own, on a cache line that nobody else writes, and
/// then looks whether the gate is closed. Whoever closes it says so first and then looks whether
/// the slots are empty. So one of the two always sees the other.
///
/// Nobody waits here for long. A script lasts some microseconds as a rule, less than it costs to
/// park a connection and to wake it, so a Try waits for up to kMoment. If that was too short the
/// gate is slow: until it opens every Try is refused at once. Whoever was refused holds nothing,
/// and asks WhenOpen to be called back.
///
/// Fairness: who waits at the gate to pass goes in when it opens, before anybody can close it
/// again. Who was refused for kPatience takes a Ticket, and while there are tickets, nobody without
/// one closes the gate.
///
/// Thread rule: any thread. A slot belongs to one thread, the last one to all others.
class ABSL_LOCKABLE Gate {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// How long a Try waits.
  static constexpr std::chrono::microseconds kMoment{100};
  /// Who has been refused for so long should take a ticket. Not sooner, since every script that
  /// gives way to a ticket has to park.
  static constexpr std::chrono::microseconds kPatience{1000};

  /// `moment`: tests set it to zero, so that they need not wait.
  explicit Gate(int slots, std::chrono::microseconds moment = kMoment);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// The right of one who has waited long; it keeps those without one from closing the gate, so a
  /// storm of scripts cannot keep others out.
  class Ticket {
   public:
    explicit Ticket(Gate& gate) : gate_(&gate) { gate_->tickets_.fetch_add(1); }
    ~Ticket() {
      if (gate_ != nullptr) gate_->ReturnTicket();
    }
    Ticket(Ticket&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Ticket& operator=(Ticket&& other) noexcept {
      std::swap(gate_, other.gate_);
      return *this;
    }
    Gate& gate() const { return *gate_; }

   private:
    Gate* gate_;
  };

  /// False: refused. A thread that has closed the gate itself is refused as well.
  bool TryPass(GateSlot slot) {
    Enter(slot);
    if (!closed_.load(std::memory_order_seq_cst)) [[likely]]
      return true;
    Leave(slot);
    return PassWithinMoment(slot);
  }
  /// The same without waiting at all.
  bool TryPassNow(GateSlot slot) {
    Enter(slot);
    if (!closed_.load(std::memory_order_seq_cst)) [[likely]]
      return true;
    Leave(slot);
    return false;
  }
  void Leave(GateSlot slot) {
    std::atomic<int>& inside = slots_[slot].inside;
    if (slot == shared_slot_) {
      inside.fetch_sub(1, std::memory_order_release);
    } else {
      inside.store(inside.load(std::memory_order_relaxed) - 1, std::memory_order_release);
    }
  }

  enum class Closing {
    kDone,
    kRefused,   ///< somebody else has closed it, or tickets go first: see WhenOpen
    kOccupied,  ///< somebody stayed inside for longer than a moment: try again soon
  };
  /// Unless it is done the gate is as it was. `queued`: the caller holds a ticket. It waits for
  /// those inside, or for whoever has closed the gate, until `until` at most.
  Closing TryClose(bool queued, Time until);
  Closing TryClose(bool queued) { return TryClose(queued, MomentFromNow()); }
  void Open();
  Time MomentFromNow() const { return std::chrono::steady_clock::now() + moment_; }

  /// Whoever closed it will keep it closed for long: refused commands should not wait but say so.
  bool busy() const { return busy_.load(std::memory_order_relaxed); }
  /// By the one who has closed it; tells those who wait and want to hear of it. False again when
  /// the gate opens.
  void SetBusy();
  /// Somebody waited a moment in vain since the gate was closed.
  bool slow() const { return slow_.load(std::memory_order_relaxed); }

  /// What somebody who was refused waits for.
  struct Wish {
    bool closes = false;      ///< to close the gate, not to pass
    bool queued = false;      ///< with a ticket
    bool hears_busy = false;  ///< or to hear that the gate is busy
  };
  /// Calls `wake` once, when another try is worth it: at once, or later from the thread that opens
  /// the gate, makes it busy, or returns the last ticket. `wake` must only post.
  void WhenOpen(Wish wish, std::function<void()> wake);

 private:
  struct alignas(64) Slot {
    std::atomic<int> inside = 0;
  };
  /// A thread that waits, for a moment, to pass.
  struct Sleeper {
    GateSlot slot;
    bool passed = false;  ///< whoever opened the gate has entered its slot for it
  };
  struct Waiter {
    Wish wish;
    std::function<void()> wake;
  };

  void Enter(GateSlot slot) {
    std::atomic<int>& inside = slots_[slot].inside;
    if (slot == shared_slot_) {
      inside.fetch_add(1, std::memory_order_seq_cst);
    } else {
      inside.store(inside.load(std::memory_order_relaxed) + 1, std::memory_order_seq_cst);
    }
  }
  bool PassWithinMoment(GateSlot slot);
  /// Waits until the gate is open, and marks it closed.
  bool Claim(bool queued, Time until);
  bool AwaitEmpty(Time until) const;
  bool Empty() const;
  void ReturnTicket();
  bool MustWait(const Wish& wish) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<Waiter> TakeReady() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int shared_slot_;  ///< the last one
  const std::chrono::microseconds moment_;
  std::unique_ptr<Slot[]> slots_;
  /// Written under mutex_; every pass reads it.
  std::atomic<bool> closed_ = false;
  std::atomic<bool> busy_ = false;
  std::atomic<bool> slow_ = false;

  /// Apart from what every pass reads.
  alignas(64) std::atomic<int> tickets_ = 0;
  Mutex mutex_;
  CondVar changed_;  ///< the gate was opened, or is busy
  std::vector<Sleeper*> sleepers_ ABSL_GUARDED_BY(mutex_);
  std::vector<Waiter> waiters_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_GATE_GATE_H_
