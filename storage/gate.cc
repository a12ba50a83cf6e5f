#include "storage/gate.h"

#include <utility>

namespace cloakroom {

Gate::Gate(int slots) : slot_count_(slots), slots_(std::make_unique<Slot[]>(slots)) {}

bool Gate::TryPass(GateSlot slot) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  return TryForAMoment(slots_[slot].mutex);
}

void Gate::Pass(GateSlot slot) ABSL_NO_THREAD_SAFETY_ANALYSIS { slots_[slot].mutex.Lock(); }

void Gate::Leave(GateSlot slot) ABSL_NO_THREAD_SAFETY_ANALYSIS { slots_[slot].mutex.Unlock(); }

bool Gate::TryForAMoment(TimedMutex& mutex) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (mutex.TryLock()) [[likely]]
    return true;
  // Busy, it may be this very thread that closed it: a long script serves others now and then.
  if (busy_ || slow_) return false;
  if (mutex.TryLockFor(kMoment)) return true;
  slow_ = true;
  return false;
}

bool Gate::TryClose(bool queued) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (!queued && tickets_.load() > 0) return false;
  if (!TryForAMoment(closer_)) return false;
  LockSlots();
  return true;
}

void Gate::Close() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  closer_.Lock();
  LockSlots();
}

void Gate::LockSlots() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  {
    MutexLock lock(waiters_mutex_);
    closed_ = true;
  }
  for (int i = 0; i < slot_count_; ++i) slots_[i].mutex.Lock();
}

void Gate::SetBusy(bool busy) {
  std::deque<std::function<void()>> waiters;
  {
    MutexLock lock(waiters_mutex_);
    busy_ = busy;
    if (busy) waiters.swap(waiters_);
  }
  for (auto& wake : waiters) wake();
}

void Gate::Open() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  std::deque<std::function<void()>> waiters;
  {
    MutexLock lock(waiters_mutex_);
    closed_ = false;
    busy_ = false;
    slow_ = false;
    waiters.swap(waiters_);
  }
  for (int i = slot_count_; i-- > 0;) slots_[i].mutex.Unlock();
  closer_.Unlock();
  for (auto& wake : waiters) wake();
}

void Gate::ReturnTicket() {
  if (tickets_.fetch_sub(1) > 1) return;
  std::deque<std::function<void()>> waiters;
  {
    MutexLock lock(waiters_mutex_);
    if (!closed_) waiters.swap(waiters_);
  }
  for (auto& wake : waiters) wake();
}

void Gate::WhenOpen(bool queued, std::function<void()> wake) {
  {
    MutexLock lock(waiters_mutex_);
    if (closed_ || (!queued && tickets_.load() > 0)) {
      waiters_.push_back(std::move(wake));
      return;
    }
  }
  wake();
}

}  // namespace cloakroom
