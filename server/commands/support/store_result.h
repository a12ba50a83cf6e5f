#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_STORE_RESULT_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_STORE_RESULT_H_

#include "server/execution/command_table.h"
#include "storage/access/write_scope.h"
#include "storage/values/memory_slot.h"

namespace cloakroom {

/// Makes a value that was built outside the keyspace the value of a key, in place of the old value;
/// the slot is empty afterwards. The log gets `command`, which must have the same result in the
/// same state. REQUIRES: result.exists().
void StoreResult(MemorySlot& result, WriteScope& to, int db, CommandArguments command);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_STORE_RESULT_H_
