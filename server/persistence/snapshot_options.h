#ifndef CLOAKROOM_SERVER_PERSISTENCE_SNAPSHOT_OPTIONS_H_
#define CLOAKROOM_SERVER_PERSISTENCE_SNAPSHOT_OPTIONS_H_

#include <string_view>

#include "replication/rdb/snapshot_writer.h"
#include "server/context/server.h"

namespace cloakroom {

/// `save` asks for snapshots now and then.
bool HasSavePoints(const ConfigStore& config);

/// How a snapshot is to be written, as the configuration says.
SnapshotOptions SnapshotOptionsFrom(const Server& server);

/// What stands at the head of an RDB file of this server, the scripts of the cache among it.
/// `log_base`: the file is the base of an append-only log.
RdbAuxFields AuxFieldsOf(Server& server, bool log_base);

/// Takes what AuxFieldsOf wrote.
void TakeAuxField(Server& server, std::string_view key, std::string_view value);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_SNAPSHOT_OPTIONS_H_
