#ifndef CLOAKROOM_REPLICATION_CHECK_RDB_H_
#define CLOAKROOM_REPLICATION_CHECK_RDB_H_

#include <cstdint>
#include <string>

#include "replication/bytes.h"
#include "replication/files.h"

namespace cloakroom {

/// Checks an RDB file and writes to `out` what redis-check-rdb 7.0 prints. Returns the program's
/// exit code: 0 when the file is right, 1 when it is not or cannot be opened.
///
/// Values of types that Cloakroom has are taken apart; of the others only the bounds are checked.
/// For damage inside a value, where Redis names a line of its source, the same words follow without
/// it; versions that redis-check-rdb 7.0 refuses are checked all the same (RDB 11, 12, Valkey's).
int CheckRdb(Files& files, const std::string& path, int64_t now_ms, ByteSink& out);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_CHECK_RDB_H_
