#ifndef CLOAKROOM_SERVER_EXECUTION_TRANSACTION_H_
#define CLOAKROOM_SERVER_EXECUTION_TRANSACTION_H_

#include <cstdint>

#include "server/context/server.h"
#include "server/execution/request.h"
#include "server/session/client.h"
#include "storage/gate/gate.h"
#include "storage/keyspace/hold.h"

namespace cloakroom {

// A transaction before it runs: what its client queues, and what running the queue must hold. The
// executor runs it; the commands themselves are in commands/transactions.cc.
//
// Thread rule: the client's event loop.

/// Inside MULTI: keeps the request for EXEC.
void Enqueue(Client& client, const Request& request);

/// Takes what the whole queue needs: the stripes of all its keys and of the watched ones, so that
/// nobody changes one between the check and the transaction; or, if a command's keys are not known,
/// the gate of its database. No command of the queue may take a stripe by itself. False: see Hold.
bool TryHoldQueue(Hold& hold, Server& server, const Client& client, bool queued);

/// Whether a key that the client watches was changed, or has expired, since its WATCH. REQUIRES:
/// TryHoldQueue.
bool WatchedKeysChanged(Server& server, const Client& client, int64_t now_ms);

/// Leaves MULTI, as DISCARD does.
void LeaveMulti(Server& server, GateSlot slot, Client& client);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_TRANSACTION_H_
