#ifndef CLOAKROOM_SERVER_PERSISTENCE_SNAPSHOT_OPTIONS_H_
#define CLOAKROOM_SERVER_PERSISTENCE_SNAPSHOT_OPTIONS_H_

#include <string_view>

#include "replication/rdb/snapshot_writer.h"
#include "server/context/server.h"

namespace cloakroom {

/// Whether `save` sets save points.
bool HasSavePoints(const ConfigStore& config);

/// How to write a snapshot, according to the configuration.
SnapshotOptions SnapshotOptionsFrom(const Server& server);

/// The head of this server's RDB files, including the cached scripts, the function libraries, and
/// the place in the history of changes. REQUIRES: all gates are closed.
/// `log_base`: the file is the base of an append-only log.
SnapshotHead HeadOf(Server& server, bool log_base);

/// Applies a field of a head.
void TakeAuxField(Server& server, std::string_view key, std::string_view value);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_SNAPSHOT_OPTIONS_H_
