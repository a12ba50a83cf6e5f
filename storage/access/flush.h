#ifndef CLOAKROOM_STORAGE_ACCESS_FLUSH_H_
#define CLOAKROOM_STORAGE_ACCESS_FLUSH_H_

#include <cstddef>

#include "storage/keyspace/database.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {

// Changes of whole databases. Clients that watch a changed key are told; the reclaimer frees large
// tables on its thread.
//
// Thread rule: `hold` closes the gates of the databases.

/// FLUSHDB: removes all keys and returns how many there were.
size_t FlushDatabase(Hold& hold, Database& db);
/// FLUSHALL: the same for all databases.
size_t FlushAll(Hold& hold, Keyspace& keyspace);
/// As FlushAll, but does not tell the log: a load follows. REQUIRES: a hold of the caller closes
/// all gates.
size_t DiscardAll(Keyspace& keyspace);
/// SWAPDB. Watchers stay with the number of the database.
void SwapDatabases(Hold& hold, Database& a, Database& b);
/// Swaps all data for that of `fresh`, which has as many databases and which nobody else uses. Does
/// not tell the log. REQUIRES: `fresh` was made with Snapshot::FollowEpoch, and no snapshot of
/// `keyspace` has begun since.
void SwapAll(Hold& hold, Keyspace& keyspace, Keyspace& fresh);

/// For a database that is being destroyed: tells nobody, since the watchers may be gone already.
void DropContents(Database& db);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_ACCESS_FLUSH_H_
