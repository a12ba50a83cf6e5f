#ifndef CLOAKROOM_SERVER_EXECUTION_ACCESS_H_
#define CLOAKROOM_SERVER_EXECUTION_ACCESS_H_

#include "absl/container/inlined_vector.h"
#include "server/execution/command_table.h"
#include "server/execution/request.h"
#include "storage/keyspace/hold.h"

namespace cloakroom {

class Server;

/// The hashes of keys, in the order of the arguments.
using KeyHashes = absl::InlinedVector<KeyHash, 16>;

/// Adds those of all keys of the request.
void AddKeys(const Request& request, KeyHashes* keys);

/// The databases whose gates are to be closed, each once, ordered by number.
using DatabaseList = absl::InlinedVector<Database*, 2>;

void AddDatabase(Database& db, DatabaseList* databases);

/// Adds the databases that a request needs for itself; `own` is its client's database. `nested`:
/// the request runs inside MULTI or a script. Nothing more may be passed or locked there, so a
/// database that the request would only pass counts as well.
void AddDatabasesAlone(Server& server, const Command& command, CommandArguments args, int own,
                       bool nested, DatabaseList* databases);

/// Whether a hold closes all gates that a nested request needs closed.
bool Covers(const Hold& hold, Server& server, const Command& command, CommandArguments args,
            int own);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_ACCESS_H_
