#include "clients/drill/survey.h"

#include <chrono>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "clients/drill/ask.h"
#include "protocol/text.h"

namespace cloakroom::drill {
namespace {

using Clock = std::chrono::steady_clock;

/// What check compares. CONFIG GET takes one pattern before Redis 7, so each is asked for alone.
Fields AskSettings(RespClient& client) {
  Fields settings;
  for (const char* name : {"client-output-buffer-limit", "repl-timeout", "repl-ping-replica-period",
                           "min-replicas-to-write", "repl-spool-size", "save", "appendonly"}) {
    client.Queue({"CONFIG", "GET", name});
  }
  const absl::StatusOr<std::vector<ReplyValue>> replies = client.Flush();
  if (!replies.ok()) return settings;
  for (const ReplyValue& reply : *replies) settings.merge(FieldsOf(reply));
  return settings;
}

/// The replicas that the primary or a Sentinel names, each once.
std::vector<Address> ReplicasOf(const Topology& topology) {
  std::set<Address> all;
  for (const AttachedReplica& replica : topology.primary.replicas) all.insert(replica.address);
  for (const Sentinel& sentinel : topology.sentinels) {
    for (const Watched& replica : sentinel.replicas) all.insert(replica.address);
  }
  all.erase(topology.primary.address);
  return {all.begin(), all.end()};
}

void MeasureRate(const Where& where, const std::function<void()>& pause, Clock::time_point first,
                 Topology* topology) {
  if (!pause || !topology->primary.answers()) return;
  pause();
  const Server later = AskServer(topology->primary.address, where.login);
  if (!later.answers() || later.replication_id != topology->primary.replication_id) return;
  topology->measured_s = std::chrono::duration<double>(Clock::now() - first).count();
  topology->write_bytes_per_s =
      static_cast<double>(later.offset - topology->primary.offset) / topology->measured_s;
}

}  // namespace

Sentinel AskSentinel(const Address& address, const Where& where) {
  Sentinel sentinel;
  sentinel.address = address;
  absl::StatusOr<RespClient> client = Open(address, where.sentinel_login);
  if (!client.ok()) {
    sentinel.error = TextOf(client.status());
    return sentinel;
  }
  absl::StatusOr<ReplyValue> master = Ask(*client, {"SENTINEL", "MASTER", where.master});
  if (!master.ok()) {
    sentinel.error = Concat({ToText(address), ": ", TextOf(master.status())});
    return sentinel;
  }
  absl::StatusOr<ReplyValue> replicas = Ask(*client, {"SENTINEL", "REPLICAS", where.master});
  if (!replicas.ok()) replicas = Ask(*client, {"SENTINEL", "SLAVES", where.master});
  if (!replicas.ok() || !ReadSentinel(*master, *replicas, &sentinel)) {
    sentinel.error = Concat({ToText(address), ": is no Sentinel"});
    return sentinel;
  }
  absl::StatusOr<ReplyValue> quorum = Ask(*client, {"SENTINEL", "CKQUORUM", where.master});
  sentinel.has_quorum = quorum.ok();
  sentinel.quorum_text = quorum.ok() ? quorum->text : TextOf(quorum.status());
  return sentinel;
}

Server AskServer(const Address& address, const Credentials& login) {
  Server server;
  server.address = address;
  absl::StatusOr<RespClient> client = Open(address, login);
  if (!client.ok()) {
    server.error = TextOf(client.status());
    return server;
  }
  absl::StatusOr<InfoText> info = AskInfo(*client);
  if (!info.ok()) {
    server.error = Concat({ToText(address), ": ", TextOf(info.status())});
    return server;
  }
  server = ReadServer(address, *info);
  server.settings = AskSettings(*client);
  return server;
}

absl::StatusOr<Topology> Survey(const Where& where, const std::function<void()>& pause) {
  Topology topology;
  Address primary = where.primary;
  std::string errors;
  for (const Address& address : where.sentinels) {
    topology.sentinels.push_back(AskSentinel(address, where));
    const Sentinel& sentinel = topology.sentinels.back();
    if (!sentinel.answers()) errors += Concat({errors.empty() ? "" : "; ", sentinel.error});
    if (sentinel.answers() && primary.host.empty()) primary = sentinel.primary.address;
  }
  if (primary.host.empty()) {
    return absl::UnavailableError(Concat({"no Sentinel names a primary: ", errors}));
  }
  const Clock::time_point asked = Clock::now();
  topology.primary = AskServer(primary, where.login);
  for (const Address& address : ReplicasOf(topology)) {
    topology.replicas.push_back(AskServer(address, where.login));
  }
  MeasureRate(where, pause, asked, &topology);
  return topology;
}

}  // namespace cloakroom::drill
