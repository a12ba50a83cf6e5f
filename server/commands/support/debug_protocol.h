#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_DEBUG_PROTOCOL_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_DEBUG_PROTOCOL_H_

#include "server/execution/call.h"

namespace cloakroom {

/// DEBUG PROTOCOL type: a sample reply of each type of RESP3, the same that Redis sends, on which
/// the tests of client libraries rely.
void DebugProtocol(Call& call);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_DEBUG_PROTOCOL_H_
