#ifndef CLOAKROOM_SERVER_SESSIONS_SESSION_STATS_H_
#define CLOAKROOM_SERVER_SESSIONS_SESSION_STATS_H_

#include <array>
#include <atomic>
#include <cstdint>

#include "server/metrics/stats.h"

namespace cloakroom {

/// Durations that several threads count, in LatencyHistogram's buckets: exact to 19 %. Any thread.
class SharedHistogram {
 public:
  void Add(int64_t us);
  int64_t total_us() const { return total_us_.load(std::memory_order_relaxed); }
  Durations Read() const;
  void Reset();

 private:
  std::array<std::atomic<int64_t>, LatencyHistogram::kBuckets> counts_ = {};
  std::atomic<int64_t> total_us_ = 0;
};

/// A counter of several threads.
class SharedCounter {
 public:
  void operator++() { count_.fetch_add(1, std::memory_order_relaxed); }
  int64_t Get() const { return count_.load(std::memory_order_relaxed); }
  void Reset() { count_.store(0, std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> count_ = 0;
};

/// What native sessions have done since the start, or CONFIG RESETSTAT. Any thread.
struct SessionStats {
  SharedCounter opens;
  SharedCounter opens_waited;  ///< of them
  SharedCounter reads;
  SharedCounter commits;
  SharedCounter commits_unchanged;  ///< of them: without data
  SharedCounter commits_late;       ///< of them: without the lock, by the version
  SharedCounter commits_repeated;   ///< had been done before, and not counted among them
  SharedCounter fenced;             ///< answers FENCED
  SharedCounter breaks;             ///< locks broken, by a lease or an operator
  SharedCounter revoked;            ///< locks lost to a write or a delete of somebody else
  SharedCounter freed_by_disconnect;
  SharedCounter timeouts;       ///< answers LOCKED
  SharedCounter refused_limit;  ///< answers TOOMANY
  SharedCounter plain_turns;
  SharedHistogram waits;  ///< of those that waited and got the lock
  SharedHistogram holds;

  void Reset();
};

/// What native sessions do at the moment, sampled every second. Any thread.
struct SessionGauges {
  std::atomic<int64_t> held = 0;
  std::atomic<int64_t> published = 0;
  std::atomic<int64_t> waiters = 0;
  std::atomic<int64_t> longest_wait_ms = 0;
  std::atomic<int64_t> bytes = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SESSIONS_SESSION_STATS_H_
