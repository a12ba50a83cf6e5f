#ifndef CLOAKROOM_SERVER_NET_LOOP_LOADS_H_
#define CLOAKROOM_SERVER_NET_LOOP_LOADS_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// Counts the connections of each event loop, and chooses the loop for the next one. The kernel
/// spreads new connections by chance: of eight loops with eight connections, half have none.
///
/// A connection stays with the loop that accepted it, since a hand-over costs a wake-up, unless
/// another loop has clearly fewer: an eighth less, or any fewer while there are few.
///
/// Thread rule: any thread. Called once or twice in the life of a connection.
class LoopLoads {
 public:
  explicit LoopLoads(size_t loops) : loads_(loops) {}

  /// Chooses the loop for one more connection, which counts from now until Leave. None when there
  /// are already `most` connections, including those on their way to their loops.
  std::optional<size_t> Choose(size_t accepted_by, size_t most) {
    MutexLock lock(mutex_);
    if (total_ >= most) return std::nullopt;
    size_t chosen = accepted_by;
    // Start at another loop each time, so that equal loops take turns.
    for (size_t i = 0; i < loads_.size(); ++i) {
      const size_t other = (next_ + i) % loads_.size();
      if (loads_[other] < loads_[chosen]) chosen = other;
    }
    const size_t own = loads_[accepted_by];
    if (loads_[chosen] + own / kSlack >= own) chosen = accepted_by;
    next_ = chosen + 1;
    ++loads_[chosen];
    ++total_;
    return chosen;
  }
  /// Counts a connection that is given to a loop without a choice.
  void Enter(size_t loop) {
    MutexLock lock(mutex_);
    ++loads_[loop];
    ++total_;
  }
  void Leave(size_t loop) {
    MutexLock lock(mutex_);
    --loads_[loop];
    --total_;
  }
  size_t load(size_t loop) const {
    MutexLock lock(mutex_);
    return loads_[loop];
  }

 private:
  static constexpr size_t kSlack = 8;

  mutable Mutex mutex_;
  std::vector<size_t> loads_ ABSL_GUARDED_BY(mutex_);
  size_t total_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t next_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_LOOP_LOADS_H_
