#include "server/commands/support/scratch_set.h"

#include <algorithm>
#include <string>

#include "server/commands/support/store_result.h"
#include "storage/values/shared_value.h"

namespace cloakroom {

void ScratchSet::AddAll(const Set& other) {
  // Only a set too large for every compact encoding is copied: a copy of a smaller one might keep
  // an encoding, as OBJECT shows it, that a set made member by member would not have.
  const size_t compact = std::max(limits_.set_max_intset_entries, limits_.set_max_listpack_entries);
  if (!slot_.exists() && other.size() > compact && other.NextExpiry() == kNever) {
    const SharedValue shared = other.Share();
    const std::string payload = CopyPayload(shared.view());
    slot_.Create(Set::kType, shared.view().encoding);
    std::copy(payload.begin(), payload.end(), slot_.Splice(0, 0, payload.size()));
    return;
  }
  other.ForEach([this](std::string_view member) { set_.Add(member); });
}

void ScratchSet::RemoveAll(const Set& other) {
  other.ForEach([this](std::string_view member) { set_.Remove(member); });
}

void ScratchSet::MoveInto(WriteScope& to, int db, CommandArguments command) {
  to.LogAs(db, command);
  StoreResult(slot_, to);
}

}  // namespace cloakroom
