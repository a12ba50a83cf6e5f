#ifndef CLOAKROOM_REPLICATION_RDB_SNAPSHOT_FILE_H_
#define CLOAKROOM_REPLICATION_RDB_SNAPSHOT_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "replication/files/files.h"
#include "replication/rdb/snapshot_writer.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {

/// Where to write a snapshot.
struct SnapshotPlace {
  std::string path;            ///< the file that the snapshot replaces atomically
  std::string temporary_path;  ///< on the same file system; removed if the snapshot fails
  /// Send written bytes to the disk as it goes, not only at the end.
  bool incremental_fsync = true;
};

struct SnapshotFileFacts {
  size_t keys = 0;
  int64_t bytes = 0;
};

/// Writes a snapshot (by the rules and with the errors of snapshot_writer.h) into a temporary file,
/// syncs and renames it, and syncs its directory. An error, which may also be a FileError, leaves
/// the old file unchanged.
absl::StatusOr<SnapshotFileFacts> WriteSnapshotFile(Keyspace& keyspace, Files& files,
                                                    const SnapshotPlace& place,
                                                    const SnapshotOptions& options,
                                                    absl::FunctionRef<SnapshotHead()> at_instant,
                                                    absl::FunctionRef<bool()> stop);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_SNAPSHOT_FILE_H_
