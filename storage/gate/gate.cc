#include "storage/gate/gate.h"

#include <thread>
#include <utility>

#include "storage/base/spin.h"

namespace cloakroom {
Gate::Gate(int slots, std::chrono::microseconds moment)
    : shared_slot_(slots - 1), moment_(moment), slots_(std::make_unique<Slot[]>(slots)) {}

bool Gate::PassWithinMoment(GateSlot slot) {
  MutexLock lock(mutex_);
  // Nobody can close the gate while this thread has the mutex.
  if (!closed_) {
    Enter(slot);
    return true;
  }
  if (busy_ || slow_) return false;
  const Time until = std::chrono::steady_clock::now() + moment_;
  Sleeper sleeper{slot};
  sleepers_.push_back(&sleeper);
  while (!sleeper.passed && !busy_ && changed_.WaitUntil(mutex_, until)) {
  }
  if (sleeper.passed) return true;
  std::erase(sleepers_, &sleeper);
  slow_ = true;
  return false;
}

Gate::Closing Gate::TryClose(bool queued, Time until) {
  if (!Claim(queued, until)) return Closing::kRefused;
  if (AwaitEmpty(until)) return Closing::kDone;
  Open();
  return Closing::kOccupied;
}

bool Gate::Claim(bool queued, Time until) {
  if (!queued && tickets_.load() > 0) return false;
  MutexLock lock(mutex_);
  Time slow_at{};
  while (closed_) {
    if (busy_ || slow_) return false;
    if (slow_at == Time{}) slow_at = MomentFromNow();
    if (changed_.WaitUntil(mutex_, until) || !closed_) continue;
    // A caller that waits for several gates may have had little time left for this one.
    if (std::chrono::steady_clock::now() >= slow_at) slow_ = true;
    return false;
  }
  closed_.store(true, std::memory_order_seq_cst);
  return true;
}

bool Gate::AwaitEmpty(Time until) const {
  for (int i = 0; i < kSpins; ++i) {
    if (Empty()) return true;
    PauseProcessor();
  }
  // A thread inside was preempted, or passes for longer than usual.
  while (std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kPollInterval);
    if (Empty()) return true;
  }
  return false;
}

bool Gate::Empty() const {
  for (int i = 0; i <= shared_slot_; ++i) {
    if (slots_[i].inside.load(std::memory_order_seq_cst) != 0) return false;
  }
  return true;
}

void Gate::Open() {
  std::vector<Waiter> ready;
  {
    MutexLock lock(mutex_);
    for (Sleeper* sleeper : std::exchange(sleepers_, {})) {
      Enter(sleeper->slot);
      sleeper->passed = true;
    }
    closed_.store(false, std::memory_order_seq_cst);
    busy_ = false;
    loading_ = false;
    slow_ = false;
    ready = TakeReady();
  }
  changed_.NotifyAll();
  for (Waiter& waiter : ready) waiter.wake();
}

void Gate::SetBusy() {
  std::vector<Waiter> ready;
  {
    MutexLock lock(mutex_);
    busy_ = true;
    ready = TakeReady();
  }
  changed_.NotifyAll();
  for (Waiter& waiter : ready) waiter.wake();
}

void Gate::SetLoading() {
  std::vector<Waiter> ready;
  {
    MutexLock lock(mutex_);
    loading_ = true;
    ready = TakeReady();
  }
  for (Waiter& waiter : ready) waiter.wake();
}

void Gate::ReturnTicket() {
  if (tickets_.fetch_sub(1) > 1) return;
  std::vector<Waiter> ready;
  {
    MutexLock lock(mutex_);
    ready = TakeReady();
  }
  for (Waiter& waiter : ready) waiter.wake();
}

void Gate::WhenOpen(Wish wish, std::function<void()> wake) {
  {
    MutexLock lock(mutex_);
    if (MustWait(wish)) {
      waiters_.push_back({wish, std::move(wake)});
      return;
    }
  }
  wake();
}

bool Gate::MustWait(const Wish& wish) const {
  if ((busy_ && wish.hears_busy) || (loading_ && wish.hears_load)) return false;
  return closed_ || (wish.closes && !wish.queued && tickets_.load() > 0);
}

std::vector<Gate::Waiter> Gate::TakeReady() {
  std::vector<Waiter> ready;
  std::vector<Waiter> waiting;
  for (Waiter& waiter : waiters_) {
    (MustWait(waiter.wish) ? waiting : ready).push_back(std::move(waiter));
  }
  waiters_ = std::move(waiting);
  return ready;
}

}  // namespace cloakroom
