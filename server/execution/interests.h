#ifndef CLOAKROOM_SERVER_EXECUTION_INTERESTS_H_
#define CLOAKROOM_SERVER_EXECUTION_INTERESTS_H_

#include <cstddef>
#include <memory>

#include "server/context/server.h"
#include "server/session/client.h"
#include "storage/gate/gate.h"

namespace cloakroom {

class BlockedRequest;

/// Forgets what the client watches. Does not wait for a closed gate: a worker forgets the rest when
/// it opens. Thread rule: the client's event loop, whose slot it is.
void UnwatchAll(Server& server, GateSlot slot, Client& client);

/// Gives back what the client has of native sessions: its locks, and its place in a queue. In the
/// same way. Returns how many locks that were, as far as is known already.
size_t GiveBackSessions(Server& server, GateSlot slot, Client& client);
/// The same for its place in a queue alone.
void LeaveSessionQueue(Server& server, GateSlot slot, Client& client);

/// Takes a request that was settled or abandoned out of the queues of its keys, in the same way.
void LeaveQueues(Server& server, GateSlot slot, std::shared_ptr<BlockedRequest> request);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_INTERESTS_H_
