#ifndef CLOAKROOM_REPLICATION_RDB_RDB_LAYOUT_H_
#define CLOAKROOM_REPLICATION_RDB_RDB_LAYOUT_H_

#include <cstddef>
#include <cstdint>

#include "replication/rdb/rdb_cursor.h"
#include "replication/rdb/rdb_format.h"

namespace cloakroom {

/// How far a value has been skipped of which some bytes have not arrived.
struct RdbSkipProgress {
  size_t position = 0;  ///< in the bytes of the item; 0: nothing yet
  uint64_t left = 0;    ///< elements to come
};

/// Moves the cursor behind the value of a record, of any type that Redis or Valkey writes, whether
/// or not Cloakroom has it: steps over strings and lengths without reading the contents. If bytes
/// are missing `progress` remembers where to continue, so that a value in many pieces is not
/// skipped from the start each time. REQUIRES: `progress` is new, or from the last try at the same
/// value.
void SkipRdbValue(RdbCursor& cursor, uint8_t type, rdb::Dialect dialect, RdbSkipProgress& progress);

/// Moves the cursor behind what follows a module's id.
void SkipRdbModule(RdbCursor& cursor);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_RDB_LAYOUT_H_
