#ifndef CLOAKROOM_SERVER_CONTEXT_RELAY_H_
#define CLOAKROOM_SERVER_CONTEXT_RELAY_H_

#include <algorithm>
#include <cstddef>
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
/// whichever thread comes first.
///
/// The queue is bounded by its producers: a thread that finds more than kLong items waits until
/// those who hand them on have done a chunk, and then does one itself.
///
/// Thread rule: any thread. HandOn holds no stripe.
template <typename Item>
class Relay {
 public:
  static constexpr size_t kChunk = 64;
  static constexpr size_t kLong = 4096;

  /// Takes a moment.
  void Add(Item item) {
    MutexLock lock(mutex_);
    queue_.push_back(std::move(item));
  }

  /// Calls `deliver` with chunks of items until the queue is empty, or until another thread does
  /// the same and the queue is short.
  void HandOn(absl::FunctionRef<void(std::vector<Item>&)> deliver) {
    while (const size_t waiting = size()) {
      if (waiting > kLong) {
        turn_.Lock();
      } else if (!turn_.TryLock()) {
        return;
      }
      std::vector<Item> chunk = TakeChunk();
      deliver(chunk);
      turn_.Unlock();
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

  Mutex turn_;  ///< held while a chunk is handed on, so that chunks keep their order
  mutable Mutex mutex_;
  std::deque<Item> queue_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_CONTEXT_RELAY_H_
