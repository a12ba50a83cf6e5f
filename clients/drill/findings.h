#ifndef CLOAKROOM_CLIENTS_DRILL_FINDINGS_H_
#define CLOAKROOM_CLIENTS_DRILL_FINDINGS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "clients/drill/topology.h"

namespace cloakroom::drill {

enum class Verdict { kOk, kWarning, kFailed };
std::string_view ToText(Verdict verdict);

/// One statement about a topology.
struct Finding {
  Verdict verdict = Verdict::kOk;
  std::string about;   ///< a word: "quorum", "backlog"
  std::string text;    ///< what was found, with the server's address where it is about one
  std::string advice;  ///< what to set or do; empty when the verdict is kOk
};

/// What a topology is held against.
struct Wanted {
  int64_t away_s = 60;  ///< for how long a replica is to be able to be away without a full sync
};

/// Says of each thing that a failover depends on whether it is as it should be. Failed means that
/// a failover would not happen, or would lose what it need not. Pure.
std::vector<Finding> Judge(const Topology& topology, const Wanted& wanted);

Verdict Worst(std::span<const Finding> findings);

/// How long a replica may be away and still continue with a partial sync: the backlog over the rate
/// of writes. Infinite when nothing was written; nullopt when the rate was not measured.
std::optional<double> AwaySeconds(const Topology& topology);
/// How long a full sync may take before the limit of output buffers drops the replica.
std::optional<double> FullSyncSeconds(const Topology& topology);

// The parts of Judge(), by what they ask about.
void JudgeSentinels(const Topology& topology, std::vector<Finding>* findings);
void JudgeServers(const Topology& topology, std::vector<Finding>* findings);
void JudgeCapacity(const Topology& topology, const Wanted& wanted, std::vector<Finding>* findings);

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_FINDINGS_H_
