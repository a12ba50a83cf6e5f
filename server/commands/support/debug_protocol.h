#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_DEBUG_PROTOCOL_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_DEBUG_PROTOCOL_H_

#include "server/execution/call.h"

namespace cloakroom {

/// DEBUG PROTOCOL type: a sample reply of each RESP3 type, the same as Redis'. The tests of client
/// libraries rely on it.
void DebugProtocol(Call& call);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_DEBUG_PROTOCOL_H_
