#ifndef CLOAKROOM_SERVER_EXECUTION_ACCESS_H_
#define CLOAKROOM_SERVER_EXECUTION_ACCESS_H_

#include "absl/container/inlined_vector.h"
#include "server/execution/command_table.h"
#include "storage/keyspace/hold.h"

namespace cloakroom {

class Server;

/// Databases whose gates are to be closed, in the order of their numbers, each once.
using DatabaseList = absl::InlinedVector<Database*, 2>;

void AddDatabase(Database& db, DatabaseList* databases);

/// Adds what a request must have for itself, sent by a client whose database is `own`. `nested`:
/// inside MULTI or a script, where nothing may be passed or locked besides what is held already, so
/// that a database which it would only pass counts as well.
void AddDatabasesAlone(Server& server, const Command& command, CommandArguments args, int own,
                       bool nested, DatabaseList* databases);

/// Whether a hold that closes gates closes all that a nested request needs.
bool Covers(const Hold& hold, Server& server, const Command& command, CommandArguments args,
            int own);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_ACCESS_H_
