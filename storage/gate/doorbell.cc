#include "storage/gate/doorbell.h"

#include <thread>

#include "absl/base/thread_annotations.h"
#include "storage/base/mutex.h"

namespace cloakroom {

struct Doorbell::Bell {
  Mutex mutex;
  CondVar changed;
  bool rung ABSL_GUARDED_BY(mutex) = false;
};

void Doorbell::Await(Gate* gate, Gate::Wish wish) {
  if (gate == nullptr) return std::this_thread::sleep_for(kSoon);
  if (gate != gate_) {
    gate_ = gate;
    bell_ = std::make_shared<Bell>();
    gate->WhenOpen(wish, [bell = bell_] {
      MutexLock lock(bell->mutex);
      bell->rung = true;
      bell->changed.NotifyAll();
    });
  }
  const auto until = std::chrono::steady_clock::now() + kLookAgain;
  MutexLock lock(bell_->mutex);
  while (!bell_->rung && bell_->changed.WaitUntil(bell_->mutex, until)) {
  }
  if (bell_->rung) gate_ = nullptr;
}

}  // namespace cloakroom
