// SYNC PSYNC REPLCONF REPLICAOF SLAVEOF FAILOVER ROLE.
#include "server/roles/replication.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "protocol/numbers.h"
#include "protocol/text.h"
#include "replication/link/replconf.h"
#include "server/commands/families.h"
#include "server/execution/call.h"
#include "server/info/client_line.h"
#include "server/log/log.h"
#include "server/roles/link_log.h"
#include "server/session/socket_stream.h"

namespace cloakroom {
namespace {

/// The client as a replica: under the same id, without what belongs to its event loop.
std::shared_ptr<Client> AsReplica(const Client& client) {
  auto replica = std::make_shared<Client>(client.id, client.created_ms);
  replica->address = client.address;
  replica->local_address = client.local_address;
  replica->fd = client.fd;
  replica->unix_socket = client.unix_socket;
  replica->local = client.local;
  replica->authenticated = true;
  replica->last_ms = client.last_ms + 0;
  replica->last_command = client.last_command + 0;
  replica->replica_options = client.replica_options;
  std::string name;
  {
    MutexLock lock(client.mutex);
    name = client.name;
  }
  MutexLock lock(replica->mutex);
  replica->name = std::move(name);
  return replica;
}

/// Answers only errors. The thread of the replicas takes the socket and answers all else: it
/// decides anew, since the stream moves on.
void Synchronize(Call& call, NewReplica replica) {
  Client& client = call.client();
  const std::string line = ClientLine(client, call.now_ms());
  const SyncRequest request = {.psync = replica.psync,
                               .id = replica.id,
                               .offset = replica.offset,
                               .failover = replica.failover,
                               .options = client.replica_options,
                               .client = line,
                               .is_replica = client.monitor};
  const SyncDecision decision = call.server().replication().Foresee(request);
  if (decision.kind == SyncDecision::Kind::kNothing) return;
  if (decision.kind == SyncDecision::Kind::kError) return call.Error(decision.error);
  if (decision.kind == SyncDecision::Kind::kPromote) {
    call.server().replication().BecomePrimary(call.hold());
    LogLink(*decision.promoted);
  }
  replica.failover = false;
  Replication::Transport* const transport = call.server().replication().transport();
  if (transport == nullptr) return call.Error("ERR Can't SYNC: the server is ending");
  replica.client = AsReplica(client);
  auto shared = std::make_shared<NewReplica>(std::move(replica));
  client.close_after_reply = true;
  client.hand_over = [transport, shared](std::unique_ptr<SocketStream> stream,
                                         std::string unparsed) {
    shared->stream = std::move(stream);
    shared->unparsed = std::move(unparsed);
    transport->Adopt(std::move(*shared));
  };
}

void Sync(Call& call) { Synchronize(call, {.psync = false}); }

void Psync(Call& call) {
  Synchronize(call, {.psync = true,
                     .id = std::string(call.arg(1)),
                     .offset = std::string(call.arg(2)),
                     .failover = call.argc() > 3 && call.Is(3, "failover")});
}

void ReplConf(Call& call) {
  if (call.argc() % 2 == 0) return call.SyntaxError();
  const Replconf replconf =
      ReadReplconf(call.args().subspan(1), /*is_replica=*/false, call.client().replica_options);
  switch (replconf.reply) {
    case Replconf::Reply::kOk:
      return call.reply().Ok();
    case Replconf::Reply::kError:
      return call.Error(replconf.error);
    case Replconf::Reply::kNone:
      return;
  }
}

/// PSYNC with FAILOVER changes the role.
Access AccessOfPsync(Server&, CommandArguments args) {
  return args.size() > 3 ? Access::kAll : Access::kNone;
}

void FailOver(Call& call) {
  const absl::StatusOr<FailoverRequest> request = FailoverRequest::Read(call.args().subspan(1));
  if (!request.ok()) return call.Error(ReplyOf(request.status()));
  const absl::Status may = call.server().replication().Fail(*request, call.hold());
  if (!may.ok()) return call.Error(ReplyOf(may));
  call.client().changed_role = true;
  call.reply().Ok();
}

std::string UserOf(Call& call) { return ClientLine(call.client(), call.now_ms()); }

/// REQUIRES: all gates are closed, which the row's access sees to.
void ReplicaOf(Call& call) {
  Replication& replication = call.server().replication();
  if (replication.failing_over()) {
    return call.Error("ERR REPLICAOF not allowed while failing over.");
  }
  if (call.Is(1, "no") && call.Is(2, "one")) {
    if (replication.is_replica()) {
      replication.BecomePrimary(call.hold());
      LogNotice("MASTER MODE enabled (user request from '{}')", UserOf(call));
    }
    return call.reply().Ok();
  }
  const std::optional<int64_t> port = ParseInteger(call.arg(2));
  if (!port || *port < 0 || *port > 65535) return call.Error("ERR Invalid master port");
  const PrimaryAddress primary{std::string(call.arg(1)), static_cast<int>(*port)};
  const std::optional<PrimaryAddress> present = replication.primary();
  if (present && EqualsIgnoreCase(present->host, primary.host) && present->port == primary.port) {
    LogNotice(
        "REPLICAOF would result into synchronization with the master we are already connected "
        "with. No operation performed.");
    return call.reply().Simple("OK Already connected to specified master");
  }
  replication.BecomeReplica(call.hold(), primary);
  call.client().changed_role = true;
  LogNotice("REPLICAOF {}:{} enabled (user request from '{}')", primary.host, primary.port,
            UserOf(call));
  call.reply().Ok();
}

void RoleOfReplica(const Replication::Figures& figures, ReplyWriter& reply) {
  reply.Array(5);
  reply.Bulk("slave");
  reply.Bulk(figures.primary->host);
  reply.Integer(figures.primary->port);
  reply.Bulk(figures.link.role_state);
  reply.Integer(figures.link.info.up ? figures.offset : -1);
}

void Role(Call& call) {
  const Replication::Figures figures = call.server().replication().figures();
  ReplyWriter& reply = call.reply();
  if (figures.primary) return RoleOfReplica(figures, reply);
  reply.Array(3);
  reply.Bulk("master");
  reply.Integer(figures.offset);
  size_t online = 0;
  for (const ReplicaFacts& replica : figures.replicas) online += replica.online ? 1 : 0;
  reply.Array(online);
  for (const ReplicaFacts& replica : figures.replicas) {
    if (!replica.online) continue;
    reply.Array(3);
    reply.Bulk(replica.ip);
    reply.Bulk(std::to_string(replica.port));
    reply.Bulk(std::to_string(replica.acked));
  }
}

// Read as a table.
// clang-format off
constexpr CommandRow kReplicationCommands[] = {
    {.name = "sync", .run = Sync, .arity = 1, .flags = kAdmin | kNoScript | kNoMulti | kNoAsyncLoading,
     .since = "1.0.0", .complexity = "O(N) for N keys",
     .summary = "Makes the client a replica, with all data: for old replicas."},
    {.name = "psync", .run = Psync, .arity = -3,
     .flags = kAdmin | kNoScript | kNoMulti | kNoAsyncLoading, .access_of = AccessOfPsync,
     .since = "2.8.0",
     .complexity = "O(1), or O(N) for N keys", .syntax = "replicationid offset:integer",
     .summary = "Makes the client a replica that continues where it was, if it can."},
    {.name = "replconf", .run = ReplConf, .arity = -1,
     .flags = kAdmin | kNoScript | kLoading | kStale | kAllowBusy, .since = "3.0.0",
     .complexity = "O(1)", .summary = "What a replica says about itself, and its acknowledgements."},
    {.name = "replicaof", .run = ReplicaOf, .arity = 3,
     .flags = kAdmin | kNoScript | kStale | kNoAsyncLoading, .access = Access::kAll, .since = "5.0.0",
     .complexity = "O(1)", .syntax = "<host-port: host port:integer | no-one: NO ONE>",
     .summary = "Makes the server a replica of another, or a primary again."},
    {.name = "slaveof", .run = ReplicaOf, .arity = 3,
     .flags = kAdmin | kNoScript | kStale | kNoAsyncLoading, .access = Access::kAll, .since = "1.0.0",
     .complexity = "O(1)", .syntax = "<host-port: host port:integer | no-one: NO ONE>",
     .summary = "REPLICAOF by its older name."},
    {.name = "failover", .run = FailOver, .arity = -1, .flags = kAdmin | kNoScript | kStale,
     .access = Access::kAll, .since = "6.2.0", .complexity = "O(1)",
     .syntax = "[target: TO host port:integer [FORCE]] [ABORT] [TIMEOUT milliseconds:integer]",
     .summary = "Changes roles with a replica, and loses no write."},
    {.name = "role", .run = Role, .arity = 1, .flags = kNoScript | kLoading | kStale | kFast,
     .since = "2.8.12", .complexity = "O(1)",
     .summary = "Whether the server is a primary, and who its replicas are."},
};
// clang-format on

}  // namespace

CommandFamily ReplicationCommands() {
  return {CommandGroup::kServer, kCatDangerous, kReplicationCommands};
}

}  // namespace cloakroom
