#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_BLOCK_TIMEOUT_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_BLOCK_TIMEOUT_H_

#include <cstdint>

#include "server/execution/arguments.h"

namespace cloakroom {

/// Takes the timeout of a blocking command: seconds, which may have a fraction. Returns
/// milliseconds, rounded up; 0: no limit.
int64_t TakeBlockTimeoutMs(Arguments& args);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_BLOCK_TIMEOUT_H_
