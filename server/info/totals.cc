#include "server/info/totals.h"

#include "server/context/server.h"
#include "server/execution/thread_context.h"
#include "server/info/sampler.h"
#include "server/roles/replication.h"
#include "server/session/client_memory.h"
#include "server/sessions/native_sessions.h"
#include "storage/keyspace/keyspace.h"
#include "storage/keyspace/reclaimer.h"

namespace cloakroom {

namespace {

/// Calls `visit` with the statistics of each thread that executes commands.
template <typename Visit>
void ForEachStats(Server& server, Visit visit) {
  for (int i = 0; i < server.thread_count(); ++i) visit(server.thread(i).stats);
  visit(server.applier().stats);
}

}  // namespace

Totals SumOf(Server& server) {
  Totals sum;
  ForEachStats(server, [&](const ThreadStats& stats) {
    sum.commands += stats.commands;
    sum.keyspace_hits += stats.keyspace_hits;
    sum.keyspace_misses += stats.keyspace_misses;
    sum.connections += stats.connections;
    sum.rejected_connections += stats.rejected_connections;
    sum.net_input_bytes += stats.net_input_bytes;
    sum.net_output_bytes += stats.net_output_bytes;
    sum.reads += stats.reads;
    sum.writes += stats.writes;
    sum.errors += stats.errors;
    sum.output_limit_disconnections += stats.output_limit_disconnections;
    sum.query_limit_disconnections += stats.query_limit_disconnections;
  });
  return sum;
}

CommandTotals SumOf(Server& server, int command_index) {
  CommandTotals sum;
  ForEachStats(server, [&](const ThreadStats& of_thread) {
    const CommandStats& stats = of_thread.per_command[static_cast<size_t>(command_index)];
    sum.calls += stats.calls;
    sum.usec += stats.usec;
    sum.rejected += stats.rejected;
    sum.failed += stats.failed;
  });
  return sum;
}

Durations DurationsOf(Server& server, int command_index) {
  Durations sum;
  ForEachStats(server, [&](const ThreadStats& of_thread) {
    const CommandStats& stats = of_thread.per_command[static_cast<size_t>(command_index)];
    const LatencyHistogram* histogram = stats.histogram.load(std::memory_order_acquire);
    if (histogram == nullptr) return;
    for (int bucket = 0; bucket < LatencyHistogram::kBuckets; ++bucket) {
      int64_t count = histogram->count(bucket);
      sum.counts[static_cast<size_t>(bucket)] += count;
      sum.total += count;
    }
  });
  return sum;
}

void ResetStats(Server& server) {
  ForEachStats(server, [](ThreadStats& stats) { stats.Reset(); });
  server.errors().Reset();
  server.replication().ResetCounters();
  server.client_memory().ResetCounters();
  server.sampler().Reset();
  server.sessions().stats().Reset();
  Keyspace::Counters& counters = server.keyspace().counters();
  counters.expired = 0;
  counters.expired_fields = 0;
  counters.evicted = 0;
  server.keyspace().reclaimer().ResetFreed();
}

}  // namespace cloakroom
