#ifndef CLOAKROOM_STORAGE_ACCESS_LOOKUP_H_
#define CLOAKROOM_STORAGE_ACCESS_LOOKUP_H_

#include <cstdint>
#include <string_view>

#include "absl/random/bit_gen_ref.h"
#include "storage/keyspace/database.h"
#include "storage/keyspace/hold.h"

namespace cloakroom {

// How a command reads a key; WriteScope (write_scope.h) is how it changes one.
//
// Thread rule: `hold` has the key's stripe, or closes its database's gate; or it has a pass and the
// caller has locked the stripe. What is returned is valid for as long.

/// The key's entry, or null. An entry that has expired is removed, with all that an expiry entails,
/// unless a pause keeps it (StorageSettings::unchanging_until_ms). Counts as no access.
const Entry* PeekKey(Hold& hold, Database& db, std::string_view key, KeyHash hash, int64_t now_ms);

/// The same, and notes the access for eviction.
const Entry* FindKey(Hold& hold, Database& db, std::string_view key, KeyHash hash, int64_t now_ms,
                     absl::BitGenRef random);

/// A command reads the key and is logged in words that name it (WriteScope::LogAs): the snapshot
/// that the log follows has to hold what they find, even if the key goes a moment later.
void KeepForLog(Database& db, std::string_view key, KeyHash hash);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_ACCESS_LOOKUP_H_
