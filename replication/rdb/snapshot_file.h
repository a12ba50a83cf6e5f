#ifndef CLOAKROOM_REPLICATION_RDB_SNAPSHOT_FILE_H_
#define CLOAKROOM_REPLICATION_RDB_SNAPSHOT_FILE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "replication/files/bytes.h"
#include "replication/files/files.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {

/// Text pairs at the head of an RDB file, in order. Redis skips those that it does not know.
using RdbAuxFields = std::vector<std::pair<std::string, std::string>>;

/// The key of an AUX field that holds a script of the cache: the field's value is its text.
inline constexpr std::string_view kScriptAux = "cloakroom-script";

/// How a snapshot is written.
struct SnapshotFileOptions {
  std::string path;            ///< the file that the snapshot becomes, at one stroke
  std::string temporary_path;  ///< on the same file system; removed when the snapshot fails
  /// 9 to 12, or 0: the oldest version that can hold the data.
  int version = 0;
  bool compression = true;
  bool checksum = true;
  bool incremental_fsync = true;
  bool as_commands = false;  ///< not as an RDB file: as commands that make the data
  /// What changes to keys not yet written may take; beyond it the snapshot fails.
  size_t max_pre_image_bytes = size_t{64} << 20;
  /// The caller has closed all gates, and keeps them so: nobody else runs.
  bool gates_closed = false;
  /// All changes from the instant on are in a log that is loaded behind the file.
  bool log_follows = false;
  /// rdb-key-save-delay, so that tests have a slow disk: a pause for each key in microseconds;
  /// negative: of one microsecond for so many keys.
  int key_delay_us = 0;
  /// Called on the thread that encodes and writes, which takes no stripe, when it begins; may be
  /// null.
  std::function<void()> begin_writing;
};

struct SnapshotFileResult {
  std::optional<std::string> error;  ///< words for the log
  /// The error is that memory was needed for which the snapshot was given up: a later instant takes
  /// less.
  bool begin_again = false;
  size_t keys = 0;
  int64_t bytes = 0;
};

/// Writes all of a keyspace, as it is at one instant, into an RDB file: a temporary one that is
/// synced, renamed and whose directory is synced. A failure leaves the old file as it was.
///
/// `at_instant` runs at the instant with all gates closed: what it notes belongs to the snapshot.
/// It answers the AUX fields. `stop` is asked between batches and while the disk is slow; true
/// gives up.
///
/// The calling thread collects, holding stripes for moments: it should have the priority of those
/// who wait for them. What takes long, encoding and writing, is done by a thread that lives as long
/// as the call and holds nothing.
///
/// Thread rule: one thread at a time for each keyspace, none of an event loop: it takes long.
SnapshotFileResult WriteSnapshotFile(Keyspace& keyspace, Files& files,
                                     const SnapshotFileOptions& options,
                                     absl::FunctionRef<RdbAuxFields()> at_instant,
                                     absl::FunctionRef<bool()> stop);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_SNAPSHOT_FILE_H_
