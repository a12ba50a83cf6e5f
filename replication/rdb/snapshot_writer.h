#ifndef CLOAKROOM_REPLICATION_RDB_SNAPSHOT_WRITER_H_
#define CLOAKROOM_REPLICATION_RDB_SNAPSHOT_WRITER_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "replication/files/bytes.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {

/// Text pairs at the head of an RDB file, in order. Redis skips those that it does not know.
using RdbAuxFields = std::vector<std::pair<std::string, std::string>>;

/// The key of an AUX field that holds a script of the cache: the field's value is its text.
inline constexpr std::string_view kScriptAux = "cloakroom-script";

/// How a snapshot is written, wherever it goes.
struct SnapshotOptions {
  /// 9 to 12, or 0: the oldest version that can hold the data.
  int version = 0;
  bool compression = true;
  bool checksum = true;
  bool as_commands = false;  ///< not as an RDB: as commands that make the data
  /// What changes to keys not yet written may take; beyond it the snapshot fails.
  size_t max_pre_image_bytes = size_t{64} << 20;
  /// The caller has closed all gates, and keeps them so: nobody else runs.
  bool gates_closed = false;
  /// All changes from the instant on are in a log that is loaded behind the snapshot.
  bool log_follows = false;
  /// rdb-key-save-delay, so that tests have a slow disk: a pause for each key in microseconds;
  /// negative: of one microsecond for so many keys.
  int key_delay_us = 0;
  /// Called on the thread that encodes and writes, which takes no stripe, when it begins; may be
  /// null.
  std::function<void()> begin_writing;
};

/// Writes all of a keyspace, as it is at one instant, into a sink: a file (snapshot_file.h), or
/// whatever takes bytes. The answer is the number of keys. The sink has all bytes then; to finish
/// it is its owner's. After an error it has a part.
///
/// `at_instant` runs at the instant with all gates closed: what it notes belongs to the snapshot.
/// It answers the AUX fields. `stop` is asked between batches and while the sink is slow; true
/// gives up.
///
/// The calling thread collects, holding stripes for moments: it should have the priority of those
/// who wait for them. What takes long, encoding and writing, is done by a thread that lives as long
/// as the call and holds nothing; only the last bytes are given to the sink by the caller's, when
/// that one has ended. When sink.status() is an error the snapshot ends early with it.
///
/// Errors besides: kCancelled: `stop` said so. kAborted: memory was needed for which the snapshot
/// was given up, and a later instant takes less: begin again. kResourceExhausted: keys change
/// faster than the sink takes bytes, or there is no thread for it. kFailedPrecondition: the version
/// cannot hold the data.
///
/// Thread rule: one thread at a time for each keyspace, none of an event loop: it takes long.
absl::StatusOr<size_t> WriteSnapshot(Keyspace& keyspace, ByteSink& sink,
                                     const SnapshotOptions& options,
                                     absl::FunctionRef<RdbAuxFields()> at_instant,
                                     absl::FunctionRef<bool()> stop);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_SNAPSHOT_WRITER_H_
