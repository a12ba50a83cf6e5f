#include "server/metrics/stats.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace cloakroom {

int LatencyHistogram::BucketOf(int64_t us) {
  uint64_t value = static_cast<uint64_t>(std::max<int64_t>(us, 1));
  int octave = std::bit_width(value) - 1;
  // The two bits below the highest one.
  int step = octave >= 2 ? static_cast<int>((value >> (octave - 2)) & 3)
                         : static_cast<int>((value << (2 - octave)) & 3);
  return std::min(octave * kSteps + step, kBuckets - 1);
}

int64_t LatencyHistogram::UpperUs(int bucket) {
  int octave = bucket / kSteps;
  int64_t step = bucket % kSteps;
  // Rounded up: below four microseconds a quarter of an octave is not a whole number.
  int64_t end = ((int64_t{1} << octave) * (kSteps + step + 1) + kSteps - 1) / kSteps;
  return end - 1;
}

int64_t Durations::PercentileUs(double percentile) const {
  double rank = std::ceil(static_cast<double>(total) * percentile / 100);
  int64_t wanted = std::max<int64_t>(static_cast<int64_t>(rank), 1);
  int64_t seen = 0;
  for (int bucket = 0; bucket < LatencyHistogram::kBuckets; ++bucket) {
    seen += counts[static_cast<size_t>(bucket)];
    if (seen >= wanted) return LatencyHistogram::UpperUs(bucket);
  }
  return LatencyHistogram::UpperUs(LatencyHistogram::kBuckets - 1);
}

void ThreadStats::Reset() {
  for (Relaxed<int64_t>* counter :
       {&commands, &keyspace_hits, &keyspace_misses, &connections, &rejected_connections,
        &net_input_bytes, &net_output_bytes, &reads, &writes, &errors, &output_limit_disconnections,
        &query_limit_disconnections}) {
    *counter = 0;
  }
  for (CommandStats& command : per_command) {
    command.calls = 0;
    command.usec = 0;
    command.rejected = 0;
    command.failed = 0;
    if (LatencyHistogram* histogram = command.histogram.load()) histogram->Reset();
  }
}

void ErrorStats::Count(std::string_view code) {
  MutexLock lock(mutex_);
  auto found = counts_.find(code);
  if (found != counts_.end()) {
    ++found->second;
  } else if (counts_.size() < kMaxCodes) {
    counts_.emplace(code, 1);
  }
}

std::vector<std::pair<std::string, int64_t>> ErrorStats::Sorted() const {
  MutexLock lock(mutex_);
  std::vector<std::pair<std::string, int64_t>> sorted(counts_.begin(), counts_.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

void ErrorStats::Reset() {
  MutexLock lock(mutex_);
  counts_.clear();
}

}  // namespace cloakroom
