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
Durations DurationsOf(Server& server, int command_index);

/// CONFIG RESETSTAT: sets all of these, and INFO's other counters, to zero.
void ResetStats(Server& server);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_INFO_TOTALS_H_
