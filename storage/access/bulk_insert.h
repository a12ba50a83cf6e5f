#ifndef CLOAKROOM_STORAGE_ACCESS_BULK_INSERT_H_
#define CLOAKROOM_STORAGE_ACCESS_BULK_INSERT_H_

#include "absl/status/status.h"
#include "storage/keyspace/database.h"
#include "storage/keyspace/entry_view.h"
#include "storage/keyspace/key_hash.h"

namespace cloakroom {

/// Puts a loaded key into the keyspace, past WriteScope: nobody watches, logs, replicates or takes
/// a snapshot while data is loaded, and nothing counts as a change. Keeps up the table, its expiry
/// index and the stripe's counters. The references that the payload holds become the entry's.
/// AlreadyExists, and nothing has changed: the key is there, and `replace` is not set. What stands
/// in loaded.db does not matter.
///
/// Thread rule: any thread; takes the stripe's lock. REQUIRES: no command runs and no snapshot is
/// taken of this database.
absl::Status BulkInsert(Database& db, KeyHash hash, const EntryView& loaded, bool replace = false);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_ACCESS_BULK_INSERT_H_
