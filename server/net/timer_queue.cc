#include "server/net/timer_queue.h"

namespace cloakroom {

void TimerQueue::Timer::Set(Time time) {
  Cancel();
  queue_.timers_.emplace(time, this);
  time_ = time;
}

void TimerQueue::Timer::Cancel() {
  if (!time_) return;
  queue_.timers_.erase({*time_, this});
  time_.reset();
}

void TimerQueue::Run(Time now) {
  while (!timers_.empty() && timers_.begin()->first <= now) {
    Timer& timer = *timers_.begin()->second;
    timer.Cancel();
    timer.then_();
  }
}

}  // namespace cloakroom
