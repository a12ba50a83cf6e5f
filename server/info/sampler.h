#ifndef CLOAKROOM_SERVER_INFO_SAMPLER_H_
#define CLOAKROOM_SERVER_INFO_SAMPLER_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/info/totals.h"
#include "storage/base/memory_meter.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// Recent events per second: the mean of the last 16 samples of a counter that only grows.
class Rate {
 public:
  static constexpr size_t kSamples = 16;

  /// `now_us` is monotonic. The first call only sets the start.
  void Add(int64_t counter, int64_t now_us);
  int64_t per_second() const;
  /// Call it when the counter was set back to `counter`; the mean stays.
  void Rebase(int64_t counter) { last_counter_ = counter; }

 private:
  std::array<int64_t, kSamples> rates_{};
  size_t next_ = 0;
  int64_t last_counter_ = 0;
  int64_t last_us_ = -1;
};

/// Figures for INFO that take too long to collect while a client waits, or that need regular
/// samples. Cron samples them; any thread reads.
class Sampler {
 public:
  struct Rates {
    int64_t commands = 0;
    int64_t input_bytes = 0;
    int64_t output_bytes = 0;
    int64_t repl_input_bytes = 0;   ///< from the primary
    int64_t repl_output_bytes = 0;  ///< to all replicas
  };
  /// As of the last second.
  struct Figures {
    int64_t resident_bytes = 0;
    MemoryMeter::Allocator allocator;
    int64_t client_bytes = 0;
    int64_t pubsub_clients = 0;
    int64_t watching_clients = 0;
    int64_t max_query_bytes = 0;
    int64_t max_output_bytes = 0;
    std::vector<int64_t> mean_ttl_ms;  ///< by database
  };

  /// Ten times a second.
  void SampleRates(Server& server);
  /// Once a second. Reads /proc, passes gates: not on an event loop.
  void SampleFigures(Server& server);

  Rates rates() const;
  Figures figures() const;

  /// The peak of used memory so far, in bytes, including now.
  int64_t PeakBytes();
  int64_t used_bytes_at_start() const { return used_at_start_; }

  /// CONFIG RESETSTAT.
  void Reset();

 private:
  const int64_t used_at_start_ = MemoryMeter::UsedBytes();
  std::atomic<int64_t> peak_bytes_ = 0;
  mutable Mutex mutex_;
  Rate commands_ ABSL_GUARDED_BY(mutex_);
  Rate input_bytes_ ABSL_GUARDED_BY(mutex_);
  Rate output_bytes_ ABSL_GUARDED_BY(mutex_);
  Rate repl_input_bytes_ ABSL_GUARDED_BY(mutex_);
  Rate repl_output_bytes_ ABSL_GUARDED_BY(mutex_);
  Figures figures_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_INFO_SAMPLER_H_
