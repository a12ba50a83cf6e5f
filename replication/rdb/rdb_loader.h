#ifndef CLOAKROOM_REPLICATION_RDB_RDB_LOADER_H_
#define CLOAKROOM_REPLICATION_RDB_RDB_LOADER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "replication/files/bytes.h"
#include "replication/files/files.h"
#include "replication/rdb/rdb_error.h"
#include "replication/rdb/rdb_reader.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {

struct RdbLoadOptions {
  /// Threads that decode and insert records, including the caller's own.
  int threads = 2;
  /// A primary drops keys that have expired; a replica keeps them until it is told. A primary also
  /// keeps them if the file names a place in a history (the AUX field repl-id): its replicas may go
  /// on from there, and expect a DEL of each.
  bool drop_expired = true;
  /// Replaces existing keys; otherwise one is an error.
  bool replace = false;
  /// Repair: skips what cannot be read, and reports what was lost.
  bool lenient = false;
  /// False: a wrong checksum is not an error.
  bool checksum = true;
  int64_t now_ms = 0;
  /// Called now and then on the caller's thread: bytes read so far.
  std::function<void(uint64_t bytes)> progress;
  /// Called for every AUX field in the file's order, on the caller's thread.
  std::function<void(std::string_view name, std::string_view value)> aux;
  /// Called for every function library, with its source; an error is one of the file. Null:
  /// libraries are skipped.
  std::function<absl::Status(std::string_view source)> function;
  /// Ends the load soon after it becomes true; may be null.
  const std::atomic<bool>* stop = nullptr;
};

struct [[nodiscard]] RdbLoadResult {
  uint64_t keys = 0;     ///< put into the keyspace
  uint64_t expired = 0;  ///< dropped: the key, or all its fields, had expired
  uint64_t empty = 0;    ///< skipped: without elements
  uint64_t bytes = 0;    ///< of the RDB
  /// Why not everything was loaded: some keys may be in the keyspace, and the caller must clear it.
  std::optional<RdbError> error;
  absl::Status file_status;  ///< or this
  bool stopped = false;      ///< or that
  /// In a lenient load: the damage that was skipped, the first kMaxReported of `lost`.
  static constexpr size_t kMaxReported = 1000;
  std::vector<RdbError> damage;
  uint64_t lost = 0;
  /// What was read ahead behind the RDB: the log behind a preamble.
  std::string rest;

  bool ok() const { return !error && file_status.ok() && !stopped; }
};

/// Loads an RDB into a keyspace. The caller's thread reads, finds the records' bounds and sums up
/// the bytes; all threads decode and insert the records. Memory for records under way is bounded by
/// some MB, or a few times the largest record.
///
/// Errors: malformed bytes, a wrong checksum, a type that Cloakroom does not have (reported with
/// its key), auxiliary data of a module, a key that comes twice, a database that is not configured.
/// Unknown AUX fields are skipped. If there are several errors, the first in the file is reported.
/// A lenient load also fails if the file's head cannot be read.
///
/// REQUIRES: no command runs and nothing else changes the keyspace meanwhile. It need not be empty,
/// but a key that exists already counts as a duplicate.
RdbLoadResult LoadRdb(Files& files, const std::string& path, Keyspace& keyspace,
                      const RdbLoadOptions& options);
/// `size`: of everything in the source, or RdbReader::kUnknownSize.
RdbLoadResult LoadRdb(ByteSource& source, uint64_t size, Keyspace& keyspace,
                      const RdbLoadOptions& options);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_RDB_LOADER_H_
