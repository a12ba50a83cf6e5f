#ifndef CLOAKROOM_CLIENTS_DRILL_SIGNAL_H_
#define CLOAKROOM_CLIENTS_DRILL_SIGNAL_H_

#include <chrono>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "clients/drill/mutex.h"

namespace cloakroom::drill {

/// Is raised once, and wakes everybody who waits for it. Any thread may call it.
class Signal {
 public:
  void Raise();
  bool raised() const;
  /// Waits at most until then; true: it is raised.
  bool WaitUntil(std::chrono::steady_clock::time_point until) const;
  bool WaitFor(std::chrono::nanoseconds time) const {
    return WaitUntil(std::chrono::steady_clock::now() + time);
  }

 private:
  mutable Mutex mutex_;
  mutable CondVar is_raised_;
  bool raised_ ABSL_GUARDED_BY(mutex_) = false;
};

/// While it lives, SIGINT, SIGTERM and SIGHUP raise a Signal instead of ending the process.
/// REQUIRES: the thread that makes it has started no other thread, since it blocks these signals
/// for itself and for those that it starts.
class InterruptWatch {
 public:
  explicit InterruptWatch(Signal& interrupt);
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

 private:
  void Watch();

  Signal& interrupt_;
  Signal ended_;
  std::thread thread_;
};

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_SIGNAL_H_
