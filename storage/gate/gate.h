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

/// The slot of a gate that a thread passes by: one per event-loop thread, and the last one for all
/// other threads together.
using GateSlot = int;

/// Controls the use of a logical database: many commands on single keys at once (each with a pass),
/// or one command that has the database to itself (closed).
///
/// Each thread counts its passes in a slot of its own, on a cache line that no other thread writes,
/// and then checks whether the gate is closed. A thread that closes the gate first marks it closed
/// and then checks whether the slots are empty. So one of the two always sees the other.
///
/// Nobody waits here for long. A script usually lasts some microseconds, less than parking and
/// waking a connection costs, so a Try waits for up to kMoment. If that was too short the gate is
/// slow: until it opens, every Try is refused at once. A refused caller holds nothing, and asks
/// WhenOpen to be called back.
///
/// Fairness: threads that wait at the gate to pass go in when it opens, before it can be closed
/// again. A command that has been refused for kPatience takes a Ticket; while there are tickets,
/// nobody without one closes the gate.
///
/// Thread rule: any thread. A slot belongs to one thread, the last one to all others.
class ABSL_LOCKABLE Gate {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// How long a Try waits.
  static constexpr std::chrono::microseconds kMoment{100};
  /// A command that has been refused for this long should take a ticket. Not sooner, since every
  /// script that gives way to a ticket must park.
  static constexpr std::chrono::microseconds kPatience{1000};

  /// `moment`: tests set it to zero so that they need not wait.
  explicit Gate(int slots, std::chrono::microseconds moment = kMoment);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// The right of a command that has waited long. While there is one, commands without a ticket
  /// cannot close the gate, so a storm of scripts cannot keep others out.
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

  /// False: refused. Also refuses the thread that has closed the gate itself.
  bool TryPass(GateSlot slot) {
    Enter(slot);
    if (!closed_.load(std::memory_order_seq_cst)) [[likely]]
      return true;
    Leave(slot);
    return PassWithinMoment(slot);
  }
  /// The same without any wait.
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
    kRefused,   ///< another thread has closed it, or tickets go first: see WhenOpen
    kOccupied,  ///< a thread stayed inside for longer than a moment: try again soon
  };
  /// Unless the result is kDone the gate is unchanged. `queued`: the caller holds a ticket. Waits
  /// at most until `until` for the threads inside, or for the one that has closed the gate.
  Closing TryClose(bool queued, Time until);
  Closing TryClose(bool queued) { return TryClose(queued, MomentFromNow()); }
  void Open();
  Time MomentFromNow() const { return std::chrono::steady_clock::now() + moment_; }

  /// The gate will stay closed for long: refused commands should answer BUSY and not wait.
  bool busy() const { return busy_.load(std::memory_order_relaxed); }
  /// Called by the thread that closed the gate; wakes those that wait and asked for it
  /// (`hears_busy`). The mark goes when the gate opens.
  void SetBusy();
  /// Data is about to be loaded behind the closed gate. Called by the thread that closed it, after
  /// it has said so elsewhere; wakes those that wait and asked for it (`hears_load`). The mark goes
  /// when the gate opens.
  void SetLoading();
  /// A thread has waited a moment in vain since the gate was closed.
  bool slow() const { return slow_.load(std::memory_order_relaxed); }

  /// What a refused caller waits for.
  struct Wish {
    bool closes = false;      ///< to close the gate, not to pass
    bool queued = false;      ///< with a ticket
    bool hears_busy = false;  ///< or to hear that the gate is busy
    bool hears_load = false;  ///< or that a load keeps it closed
  };
  /// Calls `wake` once, when another try is worth it: at once, or later from the thread that opens
  /// the gate, marks it, or returns the last ticket. `wake` must only post.
  void WhenOpen(Wish wish, std::function<void()> wake);

 private:
  struct alignas(64) Slot {
    std::atomic<int> inside = 0;
  };
  /// A thread that waits, for a moment, to pass.
  struct Sleeper {
    GateSlot slot;
    bool passed = false;  ///< the thread that opened the gate has entered its slot for it
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

  /// On another cache line than what every pass reads.
  alignas(64) std::atomic<int> tickets_ = 0;
  Mutex mutex_;
  CondVar changed_;  ///< the gate was opened, or is busy
  std::vector<Sleeper*> sleepers_ ABSL_GUARDED_BY(mutex_);
  std::vector<Waiter> waiters_ ABSL_GUARDED_BY(mutex_);
  bool loading_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_GATE_GATE_H_
