#ifndef CLOAKROOM_STORAGE_ACCESS_LOOKUP_H_
#define CLOAKROOM_STORAGE_ACCESS_LOOKUP_H_

#include <cstdint>
#include <string_view>

#include "absl/random/bit_gen_ref.h"
#include "storage/keyspace/database.h"
#include "storage/keyspace/hold.h"

namespace cloakroom {

// How a command reads a key. WriteScope (write_scope.h) is how it changes one.
//
// Thread rule: `hold` has the key's stripe or closes its database's gate, or it has a pass and the
// caller has locked the stripe. Results are valid for as long.

/// The key's entry, or null. Removes an entry that has expired, with everything that an expiry
/// entails, unless it is to be kept (StorageSettings::keeps_expired). Does not count as an access.
const Entry* PeekKey(Hold& hold, Database& db, std::string_view key, KeyHash hash, int64_t now_ms);

/// The same, and records the access for eviction.
const Entry* FindKey(Hold& hold, Database& db, std::string_view key, KeyHash hash, int64_t now_ms,
                     absl::BitGenRef random);

/// Reports that a client has read an absent key, if anybody wants to know.
void NoteMiss(Hold& hold, Database& db, std::string_view key);

/// For a key that a command reads and names in its logged words (WriteScope::LogAs): the snapshot
/// before the log must hold what those words find, even if the key is removed a moment later.
void KeepForLog(Database& db, std::string_view key, KeyHash hash);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_ACCESS_LOOKUP_H_
