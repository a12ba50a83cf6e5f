#include "clients/drill/safety.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "absl/status/statusor.h"
#include "clients/drill/ask.h"
#include "clients/drill/findings.h"
#include "clients/drill/graceful.h"
#include "protocol/text.h"

namespace cloakroom::drill {
namespace {

constexpr int kLooks = 3;
constexpr std::chrono::milliseconds kBetweenLooks{300};

std::string Describe(const Address& server, const ClientLine& client) {
  const std::string name = client.name.empty() ? "" : Concat({" '", client.name, "'"});
  return Concat({ToText(server), " serves ", client.address, name, " (", client.command, ")"});
}

}  // namespace

absl::Status DemandReplica(const Topology& topology) {
  const Server& primary = topology.primary;
  if (!primary.answers()) return absl::FailedPreconditionError(primary.error);
  if (!primary.is_primary) {
    return absl::FailedPreconditionError(Concat({ToText(primary.address), " is a replica of ",
                                                 ToText(primary.primary), ": name that one"}));
  }
  const bool any =
      std::any_of(topology.replicas.begin(), topology.replicas.end(), [&](const Server& replica) {
        return replica.answers() && replica.link_up &&
               replica.replication_id == primary.replication_id;
      });
  if (any) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "no replica has a link to the primary, so nobody could take over; see cloakroom-drill check");
}

absl::Status DemandNoOthers(const ActContext& context, Looks which) {
  std::vector<Address> servers = context.replicas;
  servers.push_back(context.primary);
  std::vector<RespClient> clients;
  for (const Address& address : servers) {
    absl::StatusOr<RespClient> client = Open(address, context.where.login);
    if (!client.ok()) return client.status();
    clients.push_back(*std::move(client));
  }
  std::vector<std::vector<std::vector<ClientLine>>> looks(servers.size());
  const int count = which == Looks::kAny ? kLooks : 2;
  for (int look = 0; look < count; ++look) {
    if (look > 0 && context.interrupt->WaitFor(kBetweenLooks)) {
      return absl::CancelledError("interrupted");
    }
    for (size_t server = 0; server < servers.size(); ++server) {
      const absl::StatusOr<ReplyValue> reply = Ask(clients[server], {"CLIENT", "LIST"});
      if (!reply.ok()) return reply.status();
      looks[server].push_back(ReadClientList(reply->text));
    }
  }
  for (size_t server = 0; server < servers.size(); ++server) {
    const std::vector<ClientLine> foreign = ForeignClients(looks[server], which);
    if (foreign.empty()) continue;
    return absl::FailedPreconditionError(
        Concat({"other clients are connected: ", Describe(servers[server], foreign.front()),
                foreign.size() > 1 ? ", and others" : "",
                "; stop them, or use --live if the shop may feel it"}));
  }
  return absl::OkStatus();
}

absl::Status DemandGreen(const Topology& topology) {
  for (const Finding& finding : Judge(topology, Wanted())) {
    if (finding.verdict == Verdict::kOk) continue;
    return absl::FailedPreconditionError(
        Concat({"--live demands that check finds all ok: ", finding.about, ": ", finding.text,
                " -> ", finding.advice}));
  }
  return absl::OkStatus();
}

absl::Status DemandFreshReplica(const ActContext& context) {
  absl::Status status = AwaitReplicas(context, std::chrono::seconds(1));
  if (!absl::IsDeadlineExceeded(status)) return status;
  return absl::FailedPreconditionError("a replica is a second or more behind");
}

}  // namespace cloakroom::drill
