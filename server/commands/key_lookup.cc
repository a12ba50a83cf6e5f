#include "server/commands/key_lookup.h"

namespace cloakroom {

const Entry* Inspect(Call& call, std::string_view key) {
  const Entry* entry = call.Peek(key);
  ThreadStats& stats = call.thread().stats;
  (entry != nullptr ? stats.keyspace_hits : stats.keyspace_misses) += 1;
  return entry;
}

std::string_view TypeName(ValueType type) {
  switch (type) {
    case ValueType::kString:
      return "string";
    case ValueType::kHash:
      return "hash";
    case ValueType::kSet:
      return "set";
  }
  return "unknown";
}

bool MayReach(Call& call, int index) { return index == call.client().db || MayReachAll(call); }

bool MayReachAll(Call& call) {
  if (call.thread().holds_all) return true;
  call.Error(kCannotSelect);
  return false;
}

}  // namespace cloakroom
