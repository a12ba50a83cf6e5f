#include "tests/replication/simulator/sim_ledger.h"

namespace cloakroom {

void SimLedger::Branch(const ReplicationId& id, const HistoryPoint& at) {
  branches_[std::string(id.text())] = {std::string(at.id.text()), at.offset};
}

std::string SimLedger::OriginOf(const HistoryPoint& point) const {
  std::string id(point.id.text());
  for (;;) {
    const auto branch = branches_.find(id);
    if (branch == branches_.end() || point.offset > branch->second.offset) return id;
    id = branch->second.from;
  }
}

bool SimLedger::Claim(const HistoryPoint& point, uint64_t digest) {
  return digests_.emplace(std::pair(OriginOf(point), point.offset), digest).first->second == digest;
}

bool SimLedger::IsPrefix(const HistoryPoint& prefix, const HistoryPoint& whole) const {
  if (prefix.offset > whole.offset) return false;
  return OriginOf(prefix) == OriginOf({whole.id, prefix.offset});
}

}  // namespace cloakroom
