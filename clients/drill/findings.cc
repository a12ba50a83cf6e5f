#include "clients/drill/findings.h"

#include <algorithm>

namespace cloakroom::drill {

std::string_view ToText(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return "ok";
    case Verdict::kWarning:
      return "warning";
    case Verdict::kFailed:
      return "failed";
  }
  return "";
}

std::vector<Finding> Judge(const Topology& topology, const Wanted& wanted) {
  std::vector<Finding> findings;
  JudgeSentinels(topology, &findings);
  JudgeServers(topology, &findings);
  if (topology.primary.answers() && topology.primary.is_primary)
    JudgeCapacity(topology, wanted, &findings);
  return findings;
}

Verdict Worst(std::span<const Finding> findings) {
  Verdict worst = Verdict::kOk;
  for (const Finding& finding : findings) worst = std::max(worst, finding.verdict);
  return worst;
}

}  // namespace cloakroom::drill
