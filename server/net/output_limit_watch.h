#ifndef CLOAKROOM_SERVER_NET_OUTPUT_LIMIT_WATCH_H_
#define CLOAKROOM_SERVER_NET_OUTPUT_LIMIT_WATCH_H_

#include <atomic>
#include <cstdint>

#include "server/config/config.h"
#include "storage/base/clock.h"

namespace cloakroom {

/// Whether the bytes that wait for one client exceed its client-output-buffer-limit: the hard
/// limit, or the soft limit for longer than it allows. Any thread: those who push to a client ask
/// as well as its own thread, which may be busy for long.
class OutputLimitWatch {
 public:
  bool Over(const OutputLimit& limit, int64_t waiting_bytes, const Clock& clock) {
    const int64_t soft = limit.soft_bytes;
    if (soft == 0 || waiting_bytes < soft) {
      Forget();
    } else {
      const int64_t now_ms = clock.NowMs();
      int64_t since_ms = kNotOver;
      if (!over_soft_since_ms_.compare_exchange_strong(since_ms, now_ms) &&
          now_ms - since_ms > limit.soft_seconds * 1000) {
        return true;
      }
    }
    return limit.hard_bytes != 0 && waiting_bytes >= limit.hard_bytes;
  }
  /// Call it when nothing waits any more.
  void Forget() {
    if (over_soft_since_ms_.load(std::memory_order_relaxed) != kNotOver)
      over_soft_since_ms_ = kNotOver;
  }

 private:
  static constexpr int64_t kNotOver = -1;
  std::atomic<int64_t> over_soft_since_ms_ = kNotOver;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_OUTPUT_LIMIT_WATCH_H_
