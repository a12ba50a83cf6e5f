#ifndef CLOAKROOM_SERVER_METRICS_LATENCY_MONITOR_H_
#define CLOAKROOM_SERVER_METRICS_LATENCY_MONITOR_H_

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// Events that took longer than latency-monitor-threshold, for LATENCY. The caller compares with
/// the threshold, so that fast events lock nothing. Any thread.
class LatencyMonitor {
 public:
  /// Samples kept of each event, as in Redis.
  static constexpr size_t kSamples = 160;

  struct Sample {
    int64_t unix_seconds = 0;
    int64_t duration_ms = 0;
  };
  struct Event {
    std::string name;
    std::vector<Sample> samples;  ///< oldest first
    int64_t longest_ms = 0;       ///< ever
  };

  /// Keeps only the longest sample of each second.
  void Add(std::string_view event, int64_t unix_seconds, int64_t duration_ms);
  /// By name.
  std::vector<Event> Events() const;
  /// Has no samples if there is no such event.
  Event Find(std::string_view event) const;
  /// Returns whether there was such an event.
  bool Reset(std::string_view event);

 private:
  struct History {
    std::deque<Sample> samples;
    int64_t longest_ms = 0;
  };
  mutable Mutex mutex_;
  std::map<std::string, History, std::less<>> events_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_METRICS_LATENCY_MONITOR_H_
