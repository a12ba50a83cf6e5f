#include "clients/drill/topology.h"

#include <algorithm>

#include "protocol/numbers.h"
#include "protocol/text.h"

namespace cloakroom::drill {
namespace {

/// The product's own version where it names one: its redis_version only says what it speaks.
void ReadVersion(const InfoText& info, Server* server) {
  for (const auto& [product, field] : {std::pair{"Cloakroom", "cloakroom_version"},
                                       {"Valkey", "valkey_version"},
                                       {"Redis", "redis_version"}}) {
    if (!info.Has(field)) continue;
    server->product = product;
    server->version = info.Text(field);
    return;
  }
}

std::optional<AttachedReplica> ReadAttached(std::string_view line) {
  const Fields parts = PartsOf(line);
  std::optional<Address> address =
      MakeAddress(FieldOr(parts, "ip", ""), FieldOr(parts, "port", ""));
  if (!address) return std::nullopt;
  return AttachedReplica{.address = *address,
                         .state = FieldOr(parts, "state", ""),
                         .offset = NumberOr(parts, "offset", 0),
                         .lag_s = NumberOr(parts, "lag", -1)};
}

std::optional<Watched> ReadWatched(const Fields& fields) {
  std::optional<Address> address =
      MakeAddress(FieldOr(fields, "ip", ""), FieldOr(fields, "port", ""));
  if (!address) return std::nullopt;
  return Watched{.address = *address,
                 .flags = FieldOr(fields, "flags", ""),
                 .priority = NumberOr(fields, "slave-priority", 100)};
}

}  // namespace

Fields FieldsOf(const ReplyValue& reply) {
  Fields fields;
  for (size_t i = 0; i + 1 < reply.items.size(); i += 2) {
    fields.emplace(reply.items[i].text, reply.items[i + 1].text);
  }
  return fields;
}

std::string FieldOr(const Fields& fields, std::string_view name, std::string_view otherwise) {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string(otherwise) : found->second;
}

int64_t NumberOr(const Fields& fields, std::string_view name, int64_t otherwise) {
  return ParseInteger(FieldOr(fields, name, "")).value_or(otherwise);
}

Server ReadServer(const Address& address, const InfoText& info) {
  Server server;
  server.address = address;
  ReadVersion(info, &server);
  server.run_id = info.Text("run_id");
  server.replication_id = info.Text("master_replid");
  server.is_primary = info.Text("role") == "master";
  server.memory_bytes = info.Number("used_memory");
  server.backlog_bytes = info.Number("repl_backlog_size");
  server.offset = info.Number(server.is_primary ? "master_repl_offset" : "slave_repl_offset");
  for (int64_t n = 0; n < info.Number("connected_slaves"); ++n) {
    std::optional<AttachedReplica> one = ReadAttached(info.Text("slave" + std::to_string(n)));
    if (one) server.replicas.push_back(*std::move(one));
  }
  if (server.is_primary) return server;
  server.primary =
      MakeAddress(info.Text("master_host"), info.Text("master_port")).value_or(Address());
  server.link_up = info.Text("master_link_status") == "up";
  server.link_down_s = info.Number("master_link_down_since_seconds");
  server.priority = info.Number("slave_priority", 100);
  server.read_only = info.Number("slave_read_only", 1) != 0;
  server.errors = info.Number("cloakroom_replica_errors");
  return server;
}

bool Watched::is_down() const {
  return flags.find("s_down") != std::string::npos || flags.find("o_down") != std::string::npos ||
         flags.find("disconnected") != std::string::npos;
}

bool ReadSentinel(const ReplyValue& master, const ReplyValue& replicas, Sentinel* sentinel) {
  const Fields fields = FieldsOf(master);
  std::optional<Watched> primary = ReadWatched(fields);
  if (!primary) return false;
  sentinel->primary = *std::move(primary);
  sentinel->other_sentinels = NumberOr(fields, "num-other-sentinels", 0);
  sentinel->quorum = NumberOr(fields, "quorum", 0);
  sentinel->down_after_ms = NumberOr(fields, "down-after-milliseconds", 0);
  sentinel->failover_timeout_ms = NumberOr(fields, "failover-timeout", 0);
  for (const ReplyValue& item : replicas.items) {
    std::optional<Watched> replica = ReadWatched(FieldsOf(item));
    if (replica) sentinel->replicas.push_back(*std::move(replica));
  }
  return true;
}

std::optional<Address> ReadPrimaryAddress(const ReplyValue& reply) {
  if (reply.items.size() != 2) return std::nullopt;
  return MakeAddress(reply.items[0].text, reply.items[1].text);
}

std::optional<Role> ReadRole(const ReplyValue& reply) {
  if (reply.items.empty()) return std::nullopt;
  if (reply.items[0].text == "master") return Role{.is_primary = true};
  if (reply.items[0].text != "slave" || reply.items.size() < 4) return std::nullopt;
  const std::string port = std::to_string(reply.items[2].integer);
  return Role{.primary = MakeAddress(reply.items[1].text, port).value_or(Address()),
              .link_up = reply.items[3].text == "connected"};
}

std::vector<Address> Topology::servers() const {
  std::vector<Address> all = {primary.address};
  for (const Server& replica : replicas) all.push_back(replica.address);
  return all;
}

int64_t Topology::BehindBytes(const Server& replica) const {
  return std::max<int64_t>(primary.offset - replica.offset, 0);
}

const AttachedReplica* Topology::LineOf(const Server& replica) const {
  for (const AttachedReplica& line : primary.replicas) {
    if (line.address == replica.address) return &line;
  }
  return nullptr;
}

}  // namespace cloakroom::drill
