#include "server/commands/support/key_lookup.h"

#include <algorithm>

#include "storage/access/lookup.h"

namespace cloakroom {

const Entry* InspectSilently(Call& call, std::string_view key) {
  const Entry* entry = call.Peek(key);
  ThreadStats& stats = call.thread().stats;
  (entry != nullptr ? stats.keyspace_hits : stats.keyspace_misses) += 1;
  return entry;
}

const Entry* Inspect(Call& call, std::string_view key) {
  const Entry* entry = InspectSilently(call, key);
  if (entry == nullptr) NoteMiss(call.hold(), call.db(), key);
  return entry;
}

bool MayReach(Call& call, int index) {
  if (index == call.client().db || call.hold().Closes(call.db(index))) return true;
  call.Error(kCannotSelect);
  return false;
}

bool MayReachAll(Call& call) {
  const auto all = call.server().keyspace().databases();
  const bool closed = std::all_of(all.begin(), all.end(),
                                  [&](const Database* db) { return call.hold().Closes(*db); });
  if (!closed) call.Error(kCannotSelect);
  return closed;
}

}  // namespace cloakroom
