#ifndef CLOAKROOM_REPLICATION_CHECK_CHECK_RDB_H_
#define CLOAKROOM_REPLICATION_CHECK_CHECK_RDB_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "replication/files/bytes.h"
#include "replication/files/files.h"

namespace cloakroom {

/// Checks an RDB file and writes to `out` what redis-check-rdb 7.0 prints of a file called `name`.
/// Returns the length of the RDB, behind which a log may follow. The error: a FileError if it
/// cannot be opened; kDataLoss, with the words that were written, if it is not right.
///
/// Decodes values of types that Cloakroom has; of others it checks only the bounds. For damage
/// inside a value, Redis names a line of its source; this prints the same words without it. It also
/// checks versions that redis-check-rdb 7.0 refuses (RDB 11, 12, Valkey's).
absl::StatusOr<int64_t> CheckRdb(Files& files, const std::string& path, const std::string& name,
                                 int64_t now_ms, ByteSink& out);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_CHECK_CHECK_RDB_H_
