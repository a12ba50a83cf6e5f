#ifndef CLOAKROOM_STORAGE_KEYSPACE_ENTRY_VIEW_H_
#define CLOAKROOM_STORAGE_KEYSPACE_ENTRY_VIEW_H_

#include <cstdint>
#include <string_view>

#include "storage/keyspace/entry.h"
#include "storage/values/value.h"

namespace cloakroom {

/// A key with everything that belongs to it, outside the keyspace: as it was at the instant of a
/// snapshot, or as it was loaded. Valid as long as the bytes that it points to.
struct EntryView {
  int db = 0;  ///< in a snapshot, the database's number at the instant
  std::string_view key;
  ValueView value;
  int64_t expire_at_ms = kNoExpiry;
  uint32_t access = 0;  ///< when or how often it was accessed (access_clock.h)
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_KEYSPACE_ENTRY_VIEW_H_
