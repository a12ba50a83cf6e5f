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

/// Where a snapshot is put.
struct SnapshotPlace {
  std::string path;            ///< the file that the snapshot becomes, at one stroke
  std::string temporary_path;  ///< on the same file system; removed when the snapshot fails
  /// What was written is sent to the disk as it goes, not at the end alone.
  bool incremental_fsync = true;
};

struct SnapshotFileFacts {
  size_t keys = 0;
  int64_t bytes = 0;
};

/// Writes a snapshot (snapshot_writer.h, whose rules and errors it has) into a file: a temporary
/// one that is synced, renamed and whose directory is synced. An error, also a FileError, leaves
/// the old file as it was.
absl::StatusOr<SnapshotFileFacts> WriteSnapshotFile(Keyspace& keyspace, Files& files,
                                                    const SnapshotPlace& place,
                                                    const SnapshotOptions& options,
                                                    absl::FunctionRef<RdbAuxFields()> at_instant,
                                                    absl::FunctionRef<bool()> stop);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_SNAPSHOT_FILE_H_
