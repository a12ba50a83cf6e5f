#include "server/sessions/session_stats.h"

namespace cloakroom {

void SharedHistogram::Add(int64_t us) {
  counts_[static_cast<size_t>(LatencyHistogram::BucketOf(us))].fetch_add(1,
                                                                         std::memory_order_relaxed);
  total_us_.fetch_add(us, std::memory_order_relaxed);
}

Durations SharedHistogram::Read() const {
  Durations durations;
  for (size_t i = 0; i < counts_.size(); ++i) {
    durations.counts[i] = counts_[i].load(std::memory_order_relaxed);
    durations.total += durations.counts[i];
  }
  return durations;
}

void SharedHistogram::Reset() {
  for (auto& count : counts_) count.store(0, std::memory_order_relaxed);
  total_us_.store(0, std::memory_order_relaxed);
}

void SessionStats::Reset() {
  for (SharedCounter* counter : {&opens, &opens_waited, &reads, &commits, &commits_unchanged,
                                 &commits_late, &commits_repeated, &fenced, &breaks, &revoked,
                                 &freed_by_disconnect, &timeouts, &refused_limit, &plain_turns}) {
    counter->Reset();
  }
  waits.Reset();
  holds.Reset();
}

}  // namespace cloakroom
