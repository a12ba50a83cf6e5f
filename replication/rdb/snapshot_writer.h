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

/// The key of an AUX field that holds a cached script: the field's value is the script's text.
inline constexpr std::string_view kScriptAux = "cloakroom-script";

/// The newest version that redis-server 7.0 reads.
inline constexpr int kPlainRdbVersion = 10;

/// What a snapshot holds besides the keys.
struct SnapshotHead {
  SnapshotHead() = default;
  SnapshotHead(RdbAuxFields fields, std::vector<std::string> sources = {})  // NOLINT: as a value
      : aux(std::move(fields)), functions(std::move(sources)) {}

  RdbAuxFields aux;
  std::vector<std::string> functions;  ///< sources of function libraries
};

/// How to write a snapshot, whatever the sink.
struct SnapshotOptions {
  /// 9 to 12, or 0: the oldest version that can hold the data, but not before `oldest_version`.
  int version = 0;
  int oldest_version = kPlainRdbVersion;
  bool compression = true;
  bool checksum = true;
  bool as_commands = false;  ///< not as an RDB, but as commands that make the data
  /// The most memory for pre-images; beyond it the snapshot fails.
  size_t max_pre_image_bytes = size_t{64} << 20;
  /// The caller has closed all gates, and keeps them closed: nobody else runs.
  bool gates_closed = false;
  /// A log that is loaded after the snapshot has all changes from the instant on.
  bool log_follows = false;
  /// rdb-key-save-delay, so that tests have a slow disk: a pause for each key in microseconds;
  /// negative: one microsecond for this many keys.
  int key_delay_us = 0;
  /// Called on the thread that encodes and writes, which takes no stripe, when it begins; may be
  /// null.
  std::function<void()> begin_writing;
};

/// Writes the whole keyspace, as it is at one instant, into a sink: a file (snapshot_file.h) or any
/// other. Returns the number of keys. The sink then has all bytes; its owner must finish it. After
/// an error the sink has a part.
///
/// `at_instant` runs at the instant with all gates closed: what it records belongs to the snapshot.
/// It returns the head. `stop` is asked between batches and while the sink is slow; true
/// gives up.
///
/// The calling thread collects, holding stripes for moments, and should have the priority of the
/// threads that wait for them. The slow work, encoding and writing, is done by a thread that lives
/// as long as the call and holds nothing; when it has ended, the calling thread hands only the last
/// bytes to the sink. If sink.status() is an error the snapshot ends early with it.
///
/// Other errors: kCancelled: `stop` returned true. kAborted: the snapshot was given up because
/// memory was needed, and a later instant takes less: begin again. kResourceExhausted: keys change
/// faster than the sink takes bytes, or there is no thread for it. kFailedPrecondition: the version
/// cannot hold the data.
///
/// Thread rule: one thread at a time for each keyspace, and no event loop: it takes long.
absl::StatusOr<size_t> WriteSnapshot(Keyspace& keyspace, ByteSink& sink,
                                     const SnapshotOptions& options,
                                     absl::FunctionRef<SnapshotHead()> at_instant,
                                     absl::FunctionRef<bool()> stop);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_SNAPSHOT_WRITER_H_
