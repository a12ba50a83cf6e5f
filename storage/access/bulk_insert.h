#ifndef CLOAKROOM_STORAGE_ACCESS_BULK_INSERT_H_
#define CLOAKROOM_STORAGE_ACCESS_BULK_INSERT_H_

#include <cstdint>
#include <string_view>

#include "storage/keyspace/database.h"
#include "storage/keyspace/key_hash.h"
#include "storage/values/value.h"

namespace cloakroom {

/// A key with its value, ready to be put into a table.
struct BulkEntry {
  std::string_view key;
  int64_t expire_at_ms = kNoExpiry;
  uint32_t access = 0;  ///< as Entry has it
  ValueType type = ValueType::kString;
  Encoding encoding = Encoding::kBytes;
  bool outgrown = false;
  bool replace = false;  ///< what is there under the key
  std::string_view payload;
};

/// Puts a loaded key into the keyspace, past WriteScope: nobody watches, logs, replicates or takes
/// a snapshot while data is loaded, and nothing counts as a change. Keeps up the table, its expiry
/// index and the stripe's counters. The references that the payload holds become the entry's.
/// False, and nothing has changed, when the key is there already and is not to be replaced.
///
/// Thread rule: any thread; takes the stripe's lock. REQUIRES: no command runs and no snapshot is
/// taken of this database.
bool BulkInsert(Database& db, KeyHash hash, const BulkEntry& loaded);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_ACCESS_BULK_INSERT_H_
