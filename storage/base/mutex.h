#ifndef CLOAKROOM_STORAGE_BASE_MUTEX_H_
#define CLOAKROOM_STORAGE_BASE_MUTEX_H_

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"

namespace cloakroom {

/// std::mutex, annotated for clang's thread-safety analysis. Not absl::Mutex: Debian builds that
/// one with its deadlock detector, which costs more than the lock, and ThreadSanitizer cannot see
/// into it.
///
/// Most locks are held for less time than a thread needs to fall asleep and to wake up, so a thread
/// tries a taken lock again several times before it sleeps.
class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    if (!mutex_.try_lock() && !Spin()) [[unlikely]]
      mutex_.lock();
  }
  bool TryLock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) { return mutex_.try_lock(); }
  /// Waits at most until `until`, plus the time that the system takes to wake a thread (about 60
  /// us). False: the lock was not free by then.
  bool TryLockUntil(std::chrono::steady_clock::time_point until)
      ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    if (mutex_.try_lock() || Spin()) [[likely]]
      return true;
    return Poll(until);
  }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  friend class CondVar;
  /// Tries again for about a microsecond.
  bool Spin();
  /// Tries again between short sleeps, in which a preempted holder can run.
  bool Poll(std::chrono::steady_clock::time_point until);

  std::mutex mutex_;
};

/// std::condition_variable for a Mutex. Not std::condition_variable_any: that one has a second
/// mutex inside, and a thread that was woken waits again for it.
class CondVar {
 public:
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

  void Wait(Mutex& mutex) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  /// False: the time has come.
  bool WaitUntil(Mutex& mutex, std::chrono::steady_clock::time_point time)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const bool woken = condition_.wait_until(lock, time) == std::cv_status::no_timeout;
    lock.release();
    return woken;
  }

 private:
  std::condition_variable condition_;
};

class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) {
    mutex_.Lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_BASE_MUTEX_H_
