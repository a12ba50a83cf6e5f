#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_PARKED_POLL_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_PARKED_POLL_H_

#include "server/execution/call.h"

namespace cloakroom {

/// A plain client polls a session's lock with HINCRBY sess_… lock 1. If the poll would find it
/// taken and `session-park-polls` is on, the request waits in the session's queue, for so many
/// milliseconds at most, and then runs as it is. The client sees a slow command, which mostly
/// finds the lock free. True: the request is parked. False: run it.
bool ParkPoll(Call& call);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_PARKED_POLL_H_
