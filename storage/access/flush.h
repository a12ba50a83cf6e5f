#ifndef CLOAKROOM_STORAGE_ACCESS_FLUSH_H_
#define CLOAKROOM_STORAGE_ACCESS_FLUSH_H_

#include <cstddef>

#include "storage/keyspace/database.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {

// Changes of whole databases. Whoever watches a key that they change is told; what large tables
// hold is freed by another thread.
//
// Thread rule: `hold` closes the gates of the databases.

/// FLUSHDB: removes everything, and returns how many keys that were.
size_t FlushDatabase(Hold& hold, Database& db);
/// FLUSHALL: the same of all databases.
size_t FlushAll(Hold& hold, Keyspace& keyspace);
/// As FlushAll, but the log of changes is not told: what comes next is loaded. Some hold of the
/// caller closes all gates.
size_t DiscardAll(Keyspace& keyspace);
/// SWAPDB. Watchers stay with the number of the database.
void SwapDatabases(Hold& hold, Database& a, Database& b);

/// As a database ends: nobody is told, since what watched a key may be gone already.
void DropContents(Database& db);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_ACCESS_FLUSH_H_
