#ifndef CLOAKROOM_STORAGE_ACCESS_BULK_INSERT_H_
#define CLOAKROOM_STORAGE_ACCESS_BULK_INSERT_H_

#include "absl/status/status.h"
#include "storage/keyspace/database.h"
#include "storage/keyspace/entry_view.h"
#include "storage/keyspace/key_hash.h"

namespace cloakroom {

/// Puts a loaded key into the keyspace without a WriteScope: while data is loaded, nothing watches,
/// logs, replicates or takes a snapshot, and nothing counts as a change. Updates the table, its
/// expiry index and the stripe's counters. The entry takes over the references that the payload
/// holds. Returns AlreadyExists, and changes nothing, if the key exists and `replace` is not set.
/// Ignores loaded.db.
///
/// Thread rule: any thread; takes the stripe's lock. REQUIRES: no command runs on this database and
/// no snapshot of it is taken.
absl::Status BulkInsert(Database& db, KeyHash hash, const EntryView& loaded, bool replace = false);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_ACCESS_BULK_INSERT_H_
