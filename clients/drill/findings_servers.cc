#include <algorithm>
#include <map>

#include "clients/drill/amounts.h"
#include "clients/drill/findings.h"
#include "protocol/text.h"

namespace cloakroom::drill {
namespace {

/// Replicas acknowledge every second.
constexpr int64_t kUsualLagS = 2;
constexpr int64_t kLongLagS = 10;

std::string Name(const Server& server) {
  return Concat({ToText(server.address), " (", server.product, " ", server.version, ")"});
}

bool JudgePrimary(const Server& primary, std::vector<Finding>* findings) {
  if (!primary.answers()) {
    findings->push_back({Verdict::kFailed, "primary", primary.error,
                         "start it, or check address, firewall and password"});
    return false;
  }
  if (!primary.is_primary) {
    findings->push_back({Verdict::kFailed, "primary",
                         Concat({Name(primary), ": is a replica of ", ToText(primary.primary)}),
                         "name the primary; with Sentinels, wait for the end of a failover"});
    return false;
  }
  findings->push_back({Verdict::kOk, "primary", Name(primary), ""});
  return true;
}

void JudgeLink(const Topology& topology, const Server& replica, std::vector<Finding>* findings) {
  const std::string name = Name(replica);
  if (replica.is_primary) {
    findings->push_back({Verdict::kFailed, "link", Concat({name, ": is a primary, not a replica"}),
                         "make it follow the primary: REPLICAOF, or SENTINEL RESET if it is "
                         "another server by now"});
    return;
  }
  if (!replica.link_up) {
    const std::string since = replica.link_down_s < 0
                                  ? ""
                                  : Concat({", for ", std::to_string(replica.link_down_s), " s"});
    findings->push_back(
        {Verdict::kFailed, "link",
         Concat({name, ": has no link to ", ToText(replica.primary), since,
                 "; it may not be promoted, and would lose writes"}),
         "its server log says why: check masterauth, the address and the firewall"});
    return;
  }
  if (replica.replication_id != topology.primary.replication_id) {
    findings->push_back({Verdict::kFailed, "id",
                         Concat({name, ": follows another history (", replica.replication_id,
                                 ") than the primary's (", topology.primary.replication_id, ")"}),
                         "make it follow this primary: REPLICAOF"});
    return;
  }
  findings->push_back({Verdict::kOk, "link", Concat({name, ": link up"}), ""});
}

void JudgeLag(const Topology& topology, const Server& replica, std::vector<Finding>* findings) {
  if (replica.is_primary || !replica.link_up) return;
  const AttachedReplica* line = topology.LineOf(replica);
  if (line == nullptr || line->lag_s < 0) return;
  const std::string text =
      Concat({ToText(replica.address), ": acknowledged ", std::to_string(line->lag_s), " s ago, ",
              BytesText(static_cast<double>(topology.BehindBytes(replica))), " behind"});
  if (line->lag_s <= kUsualLagS) {
    findings->push_back({Verdict::kOk, "lag", text, ""});
    return;
  }
  findings->push_back({line->lag_s > kLongLagS ? Verdict::kFailed : Verdict::kWarning, "lag", text,
                       "a promotion would lose these writes: look at the replica's CPU, disk and "
                       "network"});
}

void JudgeWrites(const Server& replica, std::vector<Finding>* findings) {
  if (replica.is_primary) return;
  if (!replica.read_only) {
    findings->push_back({Verdict::kWarning, "read-only",
                         Concat({ToText(replica.address), ": accepts writes of its own"}),
                         "replica-read-only yes"});
  }
  if (replica.errors > 0) {
    findings->push_back({Verdict::kFailed, "errors",
                         Concat({ToText(replica.address), ": could not execute ",
                                 CountText(replica.errors, "command"), " of its primary"}),
                         "its server log names them; it needs a full sync"});
  }
}

void JudgePriorities(const Topology& topology, std::vector<Finding>* findings) {
  std::string text;
  bool promotable = false;
  for (const Server& replica : topology.replicas) {
    if (!replica.answers() || replica.is_primary) continue;
    promotable |= replica.priority > 0;
    text += Concat({text.empty() ? "" : ", ", ToText(replica.address), " has ",
                    std::to_string(replica.priority)});
  }
  if (text.empty()) return;
  if (promotable)
    findings->push_back({Verdict::kOk, "priority", text, ""});
  else
    findings->push_back({Verdict::kFailed, "priority",
                         Concat({text, ": Sentinel promotes no replica of priority 0"}),
                         "replica-priority 100 on a replica that may be promoted"});
}

/// A primary that comes back empty before anybody has noticed empties its replicas as well.
void JudgePersistence(const Server& server, std::vector<Finding>* findings) {
  const auto save = server.settings.find("save");
  const auto log = server.settings.find("appendonly");
  if (save == server.settings.end() || log == server.settings.end()) return;
  if (!save->second.empty() || log->second != "no") return;
  findings->push_back({Verdict::kWarning, "persistence",
                       Concat({ToText(server.address),
                               ": keeps nothing on its disk; after a quick restart as the primary "
                               "it is empty, and empties its replicas"}),
                       "appendonly yes, or save points"});
}

/// Cloakroom and Redis 7 follow each other in both directions: a shop that moves from one to the
/// other fails over between the two.
bool FollowEachOther(const Server& a, const Server& b) {
  const auto is = [](const Server& server) {
    return server.product == "Cloakroom" ||
           (server.product == "Redis" && server.version.starts_with("7."));
  };
  return a.product != b.product && is(a) && is(b);
}

void JudgeVersions(const Topology& topology, std::vector<Finding>* findings) {
  const Server& primary = topology.primary;
  for (const Server& replica : topology.replicas) {
    if (!replica.answers()) continue;
    if (replica.product == primary.product && replica.version == primary.version) continue;
    const std::string text =
        Concat({Name(replica), ": the primary is ", primary.product, " ", primary.version});
    if (FollowEachOther(primary, replica)) {
      findings->push_back(
          {Verdict::kOk, "version", text + ", which follow each other in both directions", ""});
      continue;
    }
    findings->push_back({Verdict::kWarning, "version", text,
                         "after a failover the data goes the other way: keep all at one version"});
  }
}

/// Two servers with one identity: a machine that was copied while it ran.
void JudgeIdentities(const Topology& topology, std::vector<Finding>* findings) {
  std::map<std::string, Address> seen;
  std::vector<const Server*> all = {&topology.primary};
  for (const Server& replica : topology.replicas) all.push_back(&replica);
  for (const Server* server : all) {
    if (!server->answers() || server->run_id.empty()) continue;
    const auto [other, is_new] = seen.emplace(server->run_id, server->address);
    if (is_new) continue;
    findings->push_back({Verdict::kFailed, "id",
                         Concat({ToText(server->address), " and ", ToText(other->second),
                                 ": have one run_id, ", server->run_id}),
                         "they are one server under two addresses, or a machine that was copied "
                         "while it ran: announce one address, or restart the copy"});
  }
}

void JudgeAnnounced(const Topology& topology, std::vector<Finding>* findings) {
  std::vector<Address> all = topology.servers();
  for (const Sentinel& sentinel : topology.sentinels) all.push_back(sentinel.address);
  const auto loopback = std::find_if(all.begin(), all.end(), IsLoopback);
  if (loopback == all.end() || std::all_of(all.begin(), all.end(), IsLoopback)) return;
  findings->push_back({Verdict::kFailed, "address",
                       Concat({ToText(*loopback), ": means another machine on each machine"}),
                       "replica-announce-ip, or in the Sentinels' 'sentinel monitor' an address "
                       "that all machines reach"});
}

}  // namespace

void JudgeServers(const Topology& topology, std::vector<Finding>* findings) {
  if (!JudgePrimary(topology.primary, findings)) return;
  if (topology.replicas.empty()) {
    findings->push_back({Verdict::kFailed, "replica", "the primary has no replica",
                         "let a second server follow it: replicaof, masterauth"});
  }
  for (const Server& replica : topology.replicas) {
    if (!replica.answers()) {
      findings->push_back({Verdict::kFailed, "address", replica.error,
                           "start it, open the firewall, or announce an address that answers: "
                           "replica-announce-ip, replica-announce-port"});
      continue;
    }
    JudgeLink(topology, replica, findings);
    JudgeLag(topology, replica, findings);
    JudgeWrites(replica, findings);
  }
  JudgePersistence(topology.primary, findings);
  for (const Server& replica : topology.replicas) JudgePersistence(replica, findings);
  JudgePriorities(topology, findings);
  JudgeVersions(topology, findings);
  JudgeIdentities(topology, findings);
  JudgeAnnounced(topology, findings);
}

}  // namespace cloakroom::drill
