// INFO's sections about activity: stats, commandstats, errorstats, latencystats.
#include <array>

#include "absl/strings/str_cat.h"
#include "protocol/text.h"
#include "server/config/config.h"
#include "server/config/config_store.h"
#include "server/execution/command_table.h"
#include "server/info/info.h"
#include "server/info/sampler.h"
#include "server/info/totals.h"
#include "server/metrics/stats.h"
#include "server/pubsub/pubsub.h"
#include "server/roles/replication.h"
#include "server/session/client_memory.h"
#include "server/tracking/tracking_table.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {
namespace {

double Kilobytes(int64_t bytes) { return static_cast<double>(bytes) / 1024; }

/// Fields of features that this server does not have, or does not have yet.
void AppendIdle(InfoText& text, std::span<const std::string_view> names) {
  for (std::string_view name : names) text.Line(name, 0);
}

}  // namespace

void AppendStats(Server& server, InfoText& text) {
  Totals totals = SumOf(server);
  Sampler::Rates rates = server.sampler().rates();
  const Keyspace::Counters& counters = server.keyspace().counters();
  const Replication::Figures replication = server.replication().figures();
  text.Section("Stats");
  text.Line("total_connections_received", totals.connections);
  text.Line("total_commands_processed", totals.commands);
  text.Line("instantaneous_ops_per_sec", rates.commands);
  text.Line("total_net_input_bytes", totals.net_input_bytes);
  text.Line("total_net_output_bytes", totals.net_output_bytes);
  text.Line("total_net_repl_input_bytes", replication.received_bytes);
  text.Line("total_net_repl_output_bytes", replication.sent_bytes);
  text.Ratio("instantaneous_input_kbps", Kilobytes(rates.input_bytes));
  text.Ratio("instantaneous_output_kbps", Kilobytes(rates.output_bytes));
  text.Ratio("instantaneous_input_repl_kbps", Kilobytes(rates.repl_input_bytes));
  text.Ratio("instantaneous_output_repl_kbps", Kilobytes(rates.repl_output_bytes));
  text.Line("rejected_connections", totals.rejected_connections);
  text.Line("sync_full", replication.full_syncs);
  text.Line("sync_partial_ok", replication.partial_syncs);
  text.Line("sync_partial_err", replication.refused_partial_syncs);
  text.Line("expired_keys", counters.expired.load());
  text.Line("expired_subkeys", counters.expired_fields.load());
  text.Ratio("expired_stale_perc", 0);
  AppendIdle(text, std::array<std::string_view, 2>{"expired_time_cap_reached_count",
                                                   "expire_cycle_cpu_milliseconds"});
  text.Line("evicted_keys", counters.evicted.load());
  text.Line("evicted_clients", server.client_memory().evicted());
  AppendIdle(text, std::array<std::string_view, 2>{"total_eviction_exceeded_time",
                                                   "current_eviction_exceeded_time"});
  text.Line("keyspace_hits", totals.keyspace_hits);
  text.Line("keyspace_misses", totals.keyspace_misses);
  const PubSub& pubsub = server.pubsub();
  text.Line("pubsub_channels", pubsub.NameCount(Topic::kChannel));
  text.Line("pubsub_patterns", pubsub.NameCount(Topic::kPattern));
  text.Line("pubsubshard_channels", pubsub.NameCount(Topic::kShardChannel));
  AppendIdle(text, std::array<std::string_view, 10>{
                       "latest_fork_usec", "total_forks", "migrate_cached_sockets",
                       "slave_expires_tracked_keys", "active_defrag_hits", "active_defrag_misses",
                       "active_defrag_key_hits", "active_defrag_key_misses",
                       "total_active_defrag_time", "current_active_defrag_time"});
  text.Line("tracking_total_keys", server.tracking().keys());
  text.Line("tracking_total_items", server.tracking().items());
  text.Line("tracking_total_prefixes", server.tracking().prefixes());
  text.Line("unexpected_error_replies", replication.replica_errors);
  text.Line("total_error_replies", totals.errors);
  text.Line("dump_payload_sanitizations", 0);
  text.Line("total_reads_processed", totals.reads);
  text.Line("total_writes_processed", totals.writes);
  text.Line("io_threaded_reads_processed", totals.reads);
  text.Line("io_threaded_writes_processed", totals.writes);
  text.Line("client_query_buffer_limit_disconnections", totals.query_limit_disconnections);
  text.Line("client_output_buffer_limit_disconnections", totals.output_limit_disconnections);
  AppendIdle(text,
             std::array<std::string_view, 6>{"reply_buffer_shrinks", "reply_buffer_expands",
                                             "acl_access_denied_auth", "acl_access_denied_cmd",
                                             "acl_access_denied_key", "acl_access_denied_channel"});
}

void AppendCommandStats(Server& server, InfoText& text) {
  text.Section("Commandstats");
  for (int i = 0; i < server.commands().size(); ++i) {
    CommandTotals totals = SumOf(server, i);
    if (totals.calls == 0 && totals.rejected == 0 && totals.failed == 0) continue;
    double mean_us = totals.calls == 0
                         ? 0
                         : static_cast<double>(totals.usec) / static_cast<double>(totals.calls);
    text.Line(Concat({"cmdstat_", server.commands().at(i).row->name}),
              fmt::format("calls={},usec={},usec_per_call={:.2f},rejected_calls={},failed_calls={}",
                          totals.calls, totals.usec, mean_us, totals.rejected, totals.failed));
  }
}

void AppendErrorStats(Server& server, InfoText& text) {
  text.Section("Errorstats");
  for (const auto& [code, count] : server.errors().Sorted()) {
    text.Line(absl::StrCat("errorstat_", code), fmt::format("count={}", count));
  }
}

void AppendLatencyStats(Server& server, InfoText& text) {
  text.Section("Latencystats");
  if (!server.settings().latency_tracking) return;
  std::vector<std::string> percentiles = server.config().Words("latency-tracking-info-percentiles");
  for (int i = 0; i < server.commands().size(); ++i) {
    Durations durations = DurationsOf(server, i);
    if (durations.total == 0) continue;
    std::string values;
    for (const std::string& percentile : percentiles) {
      int64_t us = durations.PercentileUs(std::atof(percentile.c_str()));
      values += fmt::format("{}p{}={:.3f}", values.empty() ? "" : ",", percentile,
                            static_cast<double>(us));
    }
    text.Line(Concat({"latency_percentiles_usec_", server.commands().at(i).row->name}), values);
  }
}

}  // namespace cloakroom
