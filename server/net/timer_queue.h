#ifndef CLOAKROOM_SERVER_NET_TIMER_QUEUE_H_
#define CLOAKROOM_SERVER_NET_TIMER_QUEUE_H_

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <utility>

namespace cloakroom {

/// What is to be called at which time, by the steady clock. It waits for nothing itself: whoever
/// owns it asks when the next timer is due, and comes then.
///
/// Thread rule: one thread.
class TimerQueue {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Calls `then` once at a time that may be changed. The queue must outlive it.
  class Timer {
   public:
    Timer(TimerQueue& queue, std::function<void()> then) : queue_(queue), then_(std::move(then)) {}
    ~Timer() { Cancel(); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    /// In place of a time that was set before.
    void Set(Time time);
    void Cancel();

   private:
    friend class TimerQueue;
    TimerQueue& queue_;
    const std::function<void()> then_;
    std::optional<Time> time_;  ///< under which it stands in the queue
  };

  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  /// When the next one is due; Time::max(): none is set.
  Time next() const { return timers_.empty() ? Time::max() : timers_.begin()->first; }
  /// Calls those that are due at `now`, in the order of their times. They may set and cancel any.
  void Run(Time now);

 private:
  std::set<std::pair<Time, Timer*>> timers_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_TIMER_QUEUE_H_
