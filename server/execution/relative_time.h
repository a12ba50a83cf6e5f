#ifndef CLOAKROOM_SERVER_EXECUTION_RELATIVE_TIME_H_
#define CLOAKROOM_SERVER_EXECUTION_RELATIVE_TIME_H_

#include "server/execution/command.h"

namespace cloakroom {

/// Whether a logged or replicated command says an expiry that counts from now. Only old servers and
/// hand-made logs do.
bool CountsFromNow(CommandArguments args);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_RELATIVE_TIME_H_
