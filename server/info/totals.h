#ifndef CLOAKROOM_SERVER_INFO_TOTALS_H_
#define CLOAKROOM_SERVER_INFO_TOTALS_H_

#include <cstdint>

#include "server/metrics/stats.h"

namespace cloakroom {

class Server;

/// The counters of all event loops together.
struct Totals {
  int64_t commands = 0;
  int64_t keyspace_hits = 0;
  int64_t keyspace_misses = 0;
  int64_t connections = 0;
  int64_t rejected_connections = 0;
  int64_t net_input_bytes = 0;
  int64_t net_output_bytes = 0;
  int64_t reads = 0;
  int64_t writes = 0;
  int64_t errors = 0;
  int64_t output_limit_disconnections = 0;
  int64_t query_limit_disconnections = 0;
};

/// Any thread; at worst a moment late.
Totals SumOf(Server& server);

/// What all event loops did with one command.
struct CommandTotals {
  int64_t calls = 0;
  int64_t usec = 0;
  int64_t rejected = 0;
  int64_t failed = 0;
};
CommandTotals SumOf(Server& server, int command_index);

/// The durations of one command, counted by the buckets of LatencyHistogram.
struct Durations {
  std::array<int64_t, LatencyHistogram::kBuckets> counts{};
  int64_t total = 0;

  /// The shortest duration in microseconds that `percentile` % of the calls did not exceed, to
  /// the precision of the buckets. REQUIRES: total > 0.
  int64_t PercentileUs(double percentile) const;
};
Durations DurationsOf(Server& server, int command_index);

/// CONFIG RESETSTAT: sets all of these, and INFO's other counters, to zero.
void ResetStats(Server& server);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_INFO_TOTALS_H_
