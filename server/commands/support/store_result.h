#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_STORE_RESULT_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_STORE_RESULT_H_

#include <cstdint>

#include "storage/access/write_scope.h"
#include "storage/keyspace/entry.h"
#include "storage/values/memory_slot.h"

namespace cloakroom {

/// Makes a value that was built outside the keyspace the value of a key, in place of the old value;
/// the slot is empty afterwards. REQUIRES: result.exists(), and the scope logs the change as a
/// command (WriteScope::LogAs), which must have the same result in the same state.
void StoreResult(MemorySlot& result, WriteScope& to, int64_t expire_at_ms = kNoExpiry);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_STORE_RESULT_H_
