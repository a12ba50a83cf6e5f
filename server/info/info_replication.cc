#include <algorithm>
#include <string>

#include "server/config/config.h"
#include "server/context/server.h"
#include "server/info/info.h"
#include "server/info/info_text.h"
#include "server/roles/replication.h"

namespace cloakroom {

void AppendReplication(Server& server, InfoText& text) {
  const Replication::Figures figures = server.replication().figures();
  const Config& settings = server.settings();
  text.Section("Replication");
  text.Line("role", "master");
  text.Line("connected_slaves", figures.replicas.size());
  if (settings.min_replicas_to_write > 0 && settings.min_replicas_max_lag_s > 0) {
    text.Line("min_slaves_good_slaves", figures.good_replicas);
  }
  for (const ReplicaFacts& replica : figures.replicas) {
    const size_t colon = replica.line.find(':');
    text.Line(replica.line.substr(0, colon), replica.line.substr(colon + 1));
  }
  text.Line("master_failover_state", "no-failover");
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
