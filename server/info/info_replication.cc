#include <algorithm>
#include <string>

#include "absl/strings/str_format.h"
#include "server/config/config.h"
#include "server/context/server.h"
#include "server/info/info.h"
#include "server/info/info_text.h"
#include "server/roles/replication.h"

namespace cloakroom {

namespace {

void AppendLink(const Replication::Figures& figures, const Config& settings, InfoText& text) {
  const PrimaryLinkInfo& link = figures.link.info;
  text.Line("master_host", figures.primary->host);
  text.Line("master_port", figures.primary->port);
  text.Line("master_link_status", link.up ? "up" : "down");
  text.Line("master_last_io_seconds_ago", link.last_io_seconds_ago);
  text.Line("master_sync_in_progress", link.syncing ? 1 : 0);
  text.Line("slave_read_repl_offset", figures.offset + figures.read_ahead);
  text.Line("slave_repl_offset", figures.offset);
  if (link.syncing) {
    text.Line("master_sync_total_bytes", link.sync_total_bytes);
    text.Line("master_sync_read_bytes", link.sync_read_bytes);
    text.Line("master_sync_left_bytes", link.sync_left_bytes);
    text.Line("master_sync_perc", absl::StrFormat("%.2f", link.sync_percent));
    text.Line("master_sync_last_io_seconds_ago", link.sync_last_io_seconds_ago);
  }
  if (!link.up) text.Line("master_link_down_since_seconds", link.down_since_seconds);
  text.Line("slave_priority", figures.diverged ? 0 : settings.replica_priority + 0);
  text.Line("slave_read_only", settings.replica_read_only ? 1 : 0);
  text.Line("replica_announced", settings.replica_announced ? 1 : 0);
}

}  // namespace

void AppendReplication(Server& server, InfoText& text) {
  const Replication::Figures figures = server.replication().figures();
  const Config& settings = server.settings();
  text.Section("Replication");
  text.Line("role", figures.primary ? "slave" : "master");
  if (figures.primary) AppendLink(figures, settings, text);
  text.Line("connected_slaves", figures.replicas.size());
  if (settings.min_replicas_to_write > 0 && settings.min_replicas_max_lag_s > 0) {
    text.Line("min_slaves_good_slaves", figures.good_replicas);
  }
  for (const ReplicaFacts& replica : figures.replicas) {
    const size_t colon = replica.line.find(':');
    text.Line(replica.line.substr(0, colon), replica.line.substr(colon + 1));
  }
  text.Line("master_failover_state", figures.failover);
  text.Line("master_replid", figures.id1.text());
  text.Line("master_replid2", figures.id2.text());
  text.Line("master_repl_offset", figures.offset);
  text.Line("second_repl_offset", figures.second_offset);
  text.Line("repl_backlog_active", figures.backlog ? 1 : 0);
  text.Line("repl_backlog_size", settings.repl_backlog_size_bytes + 0);
  text.Line("repl_backlog_first_byte_offset", figures.first_byte);
  text.Line("repl_backlog_histlen",
            figures.backlog ? figures.offset - figures.first_byte + 1 : int64_t{0});
}

}  // namespace cloakroom
