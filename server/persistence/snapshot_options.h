#ifndef CLOAKROOM_SERVER_PERSISTENCE_SNAPSHOT_OPTIONS_H_
#define CLOAKROOM_SERVER_PERSISTENCE_SNAPSHOT_OPTIONS_H_

#include "replication/rdb/snapshot_file.h"
#include "server/context/server.h"

namespace cloakroom {

/// How a snapshot is to be written, as the configuration says; the paths are the caller's.
SnapshotFileOptions SnapshotOptionsFrom(const Server& server);

/// What stands at the head of an RDB file of this server, the scripts of the cache among it.
/// `log_base`: the file is the base of an append-only log.
RdbAuxFields AuxFieldsOf(Server& server, bool log_base);

/// Takes what AuxFieldsOf wrote.
void TakeAuxField(Server& server, std::string_view key, std::string_view value);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_SNAPSHOT_OPTIONS_H_
