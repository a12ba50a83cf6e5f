#ifndef CLOAKROOM_SERVER_METRICS_STATS_H_
#define CLOAKROOM_SERVER_METRICS_STATS_H_

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/base/mutex.h"
#include "storage/base/relaxed.h"
#include "storage/base/string_map.h"

namespace cloakroom {

/// Durations of one command, in microseconds, in four buckets per power of two: exact to 19 %. One
/// thread writes, any thread reads.
class LatencyHistogram {
 public:
  static constexpr int kSteps = 4;
  static constexpr int kBuckets = 32 * kSteps;

  void Add(int64_t us) { counts_[static_cast<size_t>(BucketOf(us))] += 1; }
  int64_t count(int bucket) const { return counts_[static_cast<size_t>(bucket)]; }
  /// The longest duration in a bucket.
  static int64_t UpperUs(int bucket);
  static int BucketOf(int64_t us);
  void Reset() {
    for (auto& count : counts_) count = 0;
  }

 private:
  std::array<Relaxed<int64_t>, kBuckets> counts_;
};

/// Durations, counted by the buckets of LatencyHistogram.
struct Durations {
  std::array<int64_t, LatencyHistogram::kBuckets> counts{};
  int64_t total = 0;

  /// The shortest duration in microseconds that `percentile` % of them did not exceed, to
  /// the precision of the buckets. REQUIRES: total > 0.
  int64_t PercentileUs(double percentile) const;
};

/// What one thread did with one command.
struct CommandStats {
  Relaxed<int64_t> calls;
  Relaxed<int64_t> usec;
  Relaxed<int64_t> rejected;
  Relaxed<int64_t> failed;
  /// Made at the first call; never freed while the server runs.
  std::atomic<LatencyHistogram*> histogram = nullptr;

  ~CommandStats() { delete histogram.load(); }
};

/// The counters of one event-loop thread, on cache lines of its own. INFO sums them.
struct alignas(64) ThreadStats {
  explicit ThreadStats(int command_count) : per_command(static_cast<size_t>(command_count)) {}

  Relaxed<int64_t> commands;
  Relaxed<int64_t> keyspace_hits;
  Relaxed<int64_t> keyspace_misses;
  Relaxed<int64_t> connections;
  Relaxed<int64_t> rejected_connections;
  Relaxed<int64_t> net_input_bytes;
  Relaxed<int64_t> net_output_bytes;
  Relaxed<int64_t> reads;
  Relaxed<int64_t> writes;
  Relaxed<int64_t> errors;
  Relaxed<int64_t> output_limit_disconnections;
  Relaxed<int64_t> query_limit_disconnections;
  std::vector<CommandStats> per_command;

  /// Back to zero (CONFIG RESETSTAT). A count that another thread makes meanwhile may survive.
  void Reset();
};

/// Error replies by their code, for INFO errorstats. Any thread.
class ErrorStats {
 public:
  /// Further codes are counted together.
  static constexpr size_t kMaxCodes = 128;

  void Count(std::string_view code) ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<std::pair<std::string, int64_t>> Sorted() const ABSL_LOCKS_EXCLUDED(mutex_);
  void Reset() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable Mutex mutex_;
  StringMap<int64_t> counts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_METRICS_STATS_H_
