#ifndef CLOAKROOM_SERVER_NET_PUSH_QUEUE_H_
#define CLOAKROOM_SERVER_NET_PUSH_QUEUE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/metrics/stats.h"
#include "server/session/client.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// Keeps what other threads push to a connection until its own thread hands it on. It counts the
/// bytes, so that CLIENT LIST and the output limits see them even while the loop is busy. One call
/// of the loop takes everything that has come.
///
/// A push whose offset is not known yet (PushOffset) stays, and so do all behind it, to keep the
/// order.
///
/// Thread rule: any thread; Take by one.
class PushQueue {
 public:
  /// `bytes` counts for the client what waits here, including the queue's own cost.
  explicit PushQueue(Relaxed<int64_t>& bytes) : bytes_(bytes) {}
  PushQueue(const PushQueue&) = delete;
  PushQueue& operator=(const PushQueue&) = delete;

  /// True: the caller must see to it that Take is called; nobody else was told since the last Take.
  bool Add(Pushed pushed);
  /// As Add, for pushes that are already here: their offsets may have become known.
  bool Remind();
  /// Takes all that may be handed on, in order.
  std::vector<Pushed> Take();
  /// Drops everything, now and later. Returns true the first time.
  bool Close();

  /// Whether the queue is empty, as far as this thread knows.
  bool empty() const { return count_.load(std::memory_order_acquire) == 0; }
  int64_t bytes() const { return bytes_; }

 private:
  /// The queue's own share, in bytes.
  static int64_t CostOf(const Pushed& pushed) {
    return static_cast<int64_t>(pushed.bytes.bytes.size() + sizeof(Pushed));
  }

  Relaxed<int64_t>& bytes_;  ///< written with the mutex held
  std::deque<Pushed>
      fetched_;  ///< the taking thread's: waits for an offset, or behind one that does
  std::atomic<size_t> count_ = 0;  ///< in both queues
  Mutex mutex_;
  std::deque<Pushed> waiting_ ABSL_GUARDED_BY(mutex_);
  bool told_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_PUSH_QUEUE_H_
