#ifndef CLOAKROOM_STORAGE_GATE_H_
#define CLOAKROOM_STORAGE_GATE_H_

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "storage/mutex.h"

namespace cloakroom {

/// The slot of a gate that the calling thread passes by: one per event-loop thread, and the last
/// one for all other threads together.
using GateSlot = int;

/// Who is in a logical database: many commands on single keys at once (a pass), or one that needs
/// the database for itself (closed).
///
/// Each thread passes by a slot of its own, a mutex on its own cache line that nobody else touches
/// while the gate is open, so passing costs an uncontended lock. Closing takes all the slots.
///
/// Event loops Try. A script lasts a few microseconds as a rule, less than it costs to park a
/// connection and to wake it, so a Try sleeps for up to kMoment. Where that was too short the gate
/// is slow: until it opens every Try is refused at once. Whoever is refused is called back.
/// Background threads may wait. Gates of several databases are taken in index order.
class ABSL_LOCKABLE Gate {
 public:
  explicit Gate(int slots);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  static constexpr std::chrono::microseconds kMoment{100};
  /// Who has been refused for so long should take a ticket.
  static constexpr std::chrono::microseconds kPatience{1000};

  /// The right of a connection that has waited long: while somebody holds one, nobody without one
  /// closes the gate, so a storm of scripts cannot keep others out. Not sooner than kPatience,
  /// since every script that gives way to a ticket has to park.
  class Ticket {
   public:
    explicit Ticket(Gate& gate) : gate_(gate) { gate_.tickets_.fetch_add(1); }
    ~Ticket() { gate_.ReturnTicket(); }
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    Gate& gate() const { return gate_; }

   private:
    Gate& gate_;
  };

  bool TryPass(GateSlot slot);
  void Pass(GateSlot slot);
  void Leave(GateSlot slot);

  /// `queued`: the caller holds a ticket.
  bool TryClose(bool queued);
  void Close();
  void Open();

  /// Whoever closed it will keep it closed for long: refused commands should not wait but say so.
  bool busy() const { return busy_.load(); }
  /// Set by the holder; calls those who wait, so that they learn of it.
  void SetBusy(bool busy);

  /// Calls `wake` once, when it is worth another try: at once, or from the thread that opens the
  /// gate or, for those who are not queued, gives back the last ticket. `wake` must only post.
  void WhenOpen(bool queued, std::function<void()> wake);

 private:
  struct alignas(64) Slot {
    TimedMutex mutex;
  };
  bool TryForAMoment(TimedMutex& mutex);
  void LockSlots();
  void ReturnTicket();

  const int slot_count_;
  std::unique_ptr<Slot[]> slots_;
  TimedMutex closer_;  ///< held while closed; taken before the slots
  std::atomic<int> tickets_ = 0;
  std::atomic<bool> busy_ = false;
  std::atomic<bool> slow_ = false;

  Mutex waiters_mutex_;
  bool closed_ ABSL_GUARDED_BY(waiters_mutex_) = false;
  std::deque<std::function<void()>> waiters_ ABSL_GUARDED_BY(waiters_mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_GATE_H_
