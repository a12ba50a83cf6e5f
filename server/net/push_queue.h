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

/// What other threads push to a connection until its own hands it on: a loop that is busy must not
/// be sent more than the client may have waiting. So the bytes are counted, where CLIENT LIST and
/// the output limits see them, and one call of the loop fetches all that has come until then.
///
/// What has a ticket that is not known yet (PushOffset) stays, and all behind it: the order is
/// kept.
///
/// Thread rule: any thread; Take by one.
class PushQueue {
 public:
  /// `bytes` is the client's count of what waits here, what keeping it costs included.
  explicit PushQueue(Relaxed<int64_t>& bytes) : bytes_(bytes) {}
  PushQueue(const PushQueue&) = delete;
  PushQueue& operator=(const PushQueue&) = delete;

  /// True: Take is to be called; nobody else was told so since it was called last.
  bool Add(Pushed pushed);
  /// As Add, for what is there already: its tickets may have become known.
  bool Remind();
  /// All that may be handed on, in order.
  std::vector<Pushed> Take();
  /// Drops everything, and whatever is still to come. True: for the first time.
  bool Close();

  /// Nothing is there, as far as this thread has heard.
  bool empty() const { return count_.load(std::memory_order_relaxed) == 0; }
  int64_t bytes() const { return bytes_; }

 private:
  /// The queue's own share, in bytes.
  static int64_t CostOf(const Pushed& pushed) {
    return static_cast<int64_t>(pushed.bytes.bytes.size() + sizeof(Pushed));
  }

  Relaxed<int64_t>& bytes_;        ///< written with the mutex held
  std::deque<Pushed> fetched_;     ///< the taking thread's: what waits for a ticket, or behind one
  std::atomic<size_t> count_ = 0;  ///< of both
  Mutex mutex_;
  std::deque<Pushed> waiting_ ABSL_GUARDED_BY(mutex_);
  bool told_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_PUSH_QUEUE_H_
