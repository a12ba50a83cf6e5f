#ifndef CLOAKROOM_SERVER_CONTEXT_RELAY_H_
#define CLOAKROOM_SERVER_CONTEXT_RELAY_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// Carries what a change entails from under the stripes, where its order is decided and little may
/// be done, to work after the hold. Items are handed on in the order in which they were added, by
/// whichever thread comes first. When HandOn returns, everything that its thread has added has been
/// handed on: so it is on its way before the writer's client hears that the change is made.
///
/// A thread waits for others only while they hand on a chunk. That also bounds the queue.
///
/// Thread rule: any thread. HandOn holds no stripe, and `deliver` adds nothing.
template <typename Item>
class Relay {
 public:
  static constexpr size_t kChunk = 32;

  /// Takes a moment.
  void Add(Item item) {
    MutexLock lock(mutex_);
    queue_.push_back(std::move(item));
    ++added_;
  }

  /// Calls `deliver` with chunks of items until all that were there at the call have been handed
  /// on.
  void HandOn(absl::FunctionRef<void(std::vector<Item>&)> deliver) {
    const uint64_t end = added();
    while (handed_on_.load(std::memory_order_acquire) < end) {
      MutexLock turn(turn_);
      std::vector<Item> chunk = TakeChunk();
      deliver(chunk);
      handed_on_.fetch_add(chunk.size(), std::memory_order_release);
    }
  }

  size_t size() const {
    MutexLock lock(mutex_);
    return queue_.size();
  }

 private:
  std::vector<Item> TakeChunk() {
    MutexLock lock(mutex_);
    const auto end = queue_.begin() + static_cast<ptrdiff_t>(std::min(queue_.size(), kChunk));
    std::vector<Item> chunk(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
    queue_.erase(queue_.begin(), end);
    return chunk;
  }

  uint64_t added() const {
    MutexLock lock(mutex_);
    return added_;
  }

  Mutex turn_;  ///< held while a chunk is handed on, so that chunks keep their order
  std::atomic<uint64_t> handed_on_ = 0;  ///< how many items
  mutable Mutex mutex_;
  uint64_t added_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Item> queue_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_CONTEXT_RELAY_H_
