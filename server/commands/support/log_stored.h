#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_LOG_STORED_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_LOG_STORED_H_

#include <cstdint>

#include "server/execution/call.h"
#include "storage/access/write_scope.h"
#include "storage/values/value.h"

namespace cloakroom {

/// The newest version of an RDB payload that the log and replicas may have (repl-oldest-replica).
int PayloadVersion(const Server& server);

/// Logs a command that puts `value` at a key, before it does: as it came, since the same keys give
/// the same result; or as RESTORE of the result, if the oldest replica does not know the command.
void LogStored(Call& call, WriteScope& to, const ValueView& value, int64_t expire_at_ms);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_LOG_STORED_H_
