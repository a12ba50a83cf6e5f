#include "server/info/client_line.h"

#include <fmt/core.h>

#include <algorithm>

#include "protocol/text.h"
#include "server/execution/command_table.h"
#include "server/session/authenticate.h"
#include "server/session/client_memory.h"

namespace cloakroom {
namespace {

std::string_view LastCommand(const Client& client) {
  const Command* command = client.last_command;
  return command == nullptr ? "NULL" : command->row->name;
}

}  // namespace

std::optional<ClientType> ParseClientType(std::string_view text) {
  if (EqualsIgnoreCase(text, "normal")) return ClientType::kNormal;
  if (EqualsIgnoreCase(text, "pubsub")) return ClientType::kPubSub;
  if (EqualsIgnoreCase(text, "replica") || EqualsIgnoreCase(text, "slave")) {
    return ClientType::kReplica;
  }
  if (EqualsIgnoreCase(text, "master")) return ClientType::kPrimary;
  return std::nullopt;
}

ClientType TypeOf(const Client& client) {
  if (client.primary) return ClientType::kPrimary;
  if (client.replica) return ClientType::kReplica;
  return client.listens() ? ClientType::kPubSub : ClientType::kNormal;
}

std::string ClientFlags(const Client& client) {
  std::string flags;
  if (client.replica) flags.push_back('S');
  if (client.primary) flags.push_back('M');
  if (client.monitor) flags.push_back('O');
  if (TypeOf(client) == ClientType::kPubSub) flags.push_back('P');
  if (client.multi_count >= 0) flags.push_back('x');
  if (client.blocked) flags.push_back('b');
  if (client.tracking.on) flags.push_back('t');
  if (client.tracking.redirect_broken) flags.push_back('R');
  if (client.tracking.bcast) flags.push_back('B');
  if (client.killed) flags.push_back('A');
  if (client.unix_socket) flags.push_back('U');
  if (client.no_evict) flags.push_back('e');
  if (client.no_touch) flags.push_back('T');
  return flags.empty() ? "N" : flags;
}

std::string ClientLine(const Client& client, int64_t now_ms) {
  std::string name, lib_name, lib_version;
  {
    MutexLock lock(client.mutex);
    name = client.name;
    lib_name = client.lib_name;
    lib_version = client.lib_version;
  }
  int64_t query = client.query_bytes;
  int64_t spare = std::max<int64_t>(client.query_capacity - query, 0);
  int64_t pending = client.output_bytes + client.pushed_bytes;
  int64_t own_output = client.output_memory;
  std::string line = fmt::format(
      "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub={} psub={} ssub={} "
      "multi={}",
      client.id, client.address.Text(), client.local_address.Text(), client.fd, name,
      (now_ms - client.created_ms) / 1000, (now_ms - client.last_ms) / 1000, ClientFlags(client),
      client.db + 0, client.subscription_count + 0, client.pattern_count + 0,
      client.shard_subscription_count + 0, client.multi_count + 0);
  line += fmt::format(
      " qbuf={} qbuf-free={} argv-mem={} multi-mem={} rbs={} rbp={} obl={} oll={} omem={} "
      "tot-mem={} events={} cmd={} user={} redir={} resp={} lib-name={} lib-ver={}",
      query, spare, client.args_bytes + 0, client.queued_bytes + 0, own_output, own_output, 0,
      pending > 0 ? 1 : 0, pending, TotalMemoryOf(client), pending > 0 ? "rw" : "r",
      LastCommand(client), client.primary ? "(superuser)" : kDefaultUser,
      client.tracking.on ? static_cast<int64_t>(client.tracking.redirect) : -1, client.resp + 0,
      lib_name, lib_version);
  return line;
}

}  // namespace cloakroom
