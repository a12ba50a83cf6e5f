#ifndef CLOAKROOM_SERVER_CONTEXT_PAUSE_H_
#define CLOAKROOM_SERVER_CONTEXT_PAUSE_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "storage/base/mutex.h"
#include "storage/keyspace/settings.h"

namespace cloakroom {

/// CLIENT PAUSE, and that of a failover or of the server's end: until a point in time, all commands
/// wait, or those that may write. The hot path asks with one atomic load. Thread rule: any thread.
class Pause {
 public:
  /// Who pauses. The end of one pause leaves the other's.
  enum class By : uint8_t { kClient, kFailover, kShutdown };

  /// `settings`: of the keyspace, which must not change anything by itself during a pause; null:
  /// none.
  explicit Pause(StorageSettings* settings = nullptr) : settings_(settings) {}

  void Begin(int64_t until_ms, bool all, By by = By::kClient) {
    {
      MutexLock lock(mutex_);
      // A pause of one kind never shortens or weakens one under way, as in Redis.
      Times& times = times_[static_cast<size_t>(by)];
      int64_t& until = all ? times.all_until_ms : times.write_until_ms;
      until = std::max(until, until_ms);
      Apply();
    }
    // Those that wait since an earlier pause ask again: none waits longer than the pause that it
    // met.
    WakeAll();
  }
  void End(By by = By::kClient) {
    {
      MutexLock lock(mutex_);
      times_[static_cast<size_t>(by)] = {};
      Apply();
    }
    WakeAll();
  }

  bool active() const { return active_.load(std::memory_order_relaxed); }
  /// When the pause ends for a command, in ms since the epoch; 0 when it may run.
  int64_t UntilMs(bool may_write, int64_t now_ms) const {
    int64_t until = all_until_ms_;
    if (may_write) until = std::max(until, write_until_ms_.load());
    return until > now_ms ? until : 0;
  }
  /// How many clients the pause keeps waiting, for INFO.
  int64_t Waiting(int64_t now_ms) {
    if (UntilMs(/*may_write=*/true, now_ms) == 0) return 0;
    MutexLock lock(mutex_);
    return static_cast<int64_t>(waiters_.size());
  }
  using Waiter = uint64_t;
  /// Calls `wake` at most once: when the pause ends early or another begins, or at once if the
  /// pause has ended since the caller was told to wait. `wake` must only post. The caller also sets
  /// a timer for the end of the pause and asks again then, and calls Forget when it no longer
  /// waits.
  Waiter WhenEnded(std::function<void()> wake) {
    {
      MutexLock lock(mutex_);
      if (active_) {
        waiters_.emplace(++last_waiter_, std::move(wake));
        return last_waiter_;
      }
    }
    wake();
    return 0;
  }
  /// The waiter may have been woken already.
  void Forget(Waiter waiter) {
    MutexLock lock(mutex_);
    waiters_.erase(waiter);
  }

 private:
  struct Times {
    int64_t all_until_ms = 0;
    int64_t write_until_ms = 0;
  };
  void Apply() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    Times latest;
    for (const Times& times : times_) {
      latest.all_until_ms = std::max(latest.all_until_ms, times.all_until_ms);
      latest.write_until_ms = std::max(latest.write_until_ms, times.write_until_ms);
    }
    all_until_ms_ = latest.all_until_ms;
    write_until_ms_ = latest.write_until_ms;
    const int64_t until_ms = std::max(latest.all_until_ms, latest.write_until_ms);
    active_ = until_ms != 0;
    if (settings_ != nullptr) settings_->unchanging_until_ms = until_ms;
  }
  void WakeAll() {
    std::map<Waiter, std::function<void()>> waiters;
    {
      MutexLock lock(mutex_);
      waiters.swap(waiters_);
    }
    for (auto& [waiter, wake] : waiters) wake();
  }

  StorageSettings* const settings_;
  std::atomic<bool> active_ = false;
  std::atomic<int64_t> all_until_ms_ = 0;
  std::atomic<int64_t> write_until_ms_ = 0;
  Mutex mutex_;
  std::array<Times, 3> times_ ABSL_GUARDED_BY(mutex_);  ///< by By
  Waiter last_waiter_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<Waiter, std::function<void()>> waiters_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_CONTEXT_PAUSE_H_
