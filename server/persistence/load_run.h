#ifndef CLOAKROOM_SERVER_PERSISTENCE_LOAD_RUN_H_
#define CLOAKROOM_SERVER_PERSISTENCE_LOAD_RUN_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replication/aof/aof_backlog.h"
#include "replication/aof/aof_manifest.h"
#include "replication/aof/append_only_file.h"
#include "replication/files/bytes.h"
#include "replication/files/file_source.h"
#include "replication/files/files.h"
#include "server/context/server.h"
#include "server/persistence/applier.h"
#include "server/persistence/load_progress.h"
#include "server/script/function_registry.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {

/// One load: reads a snapshot's file, or the files of a log, into the keyspace. After an error a
/// part may be loaded. Errors are for the operator (load_words.h).
///
/// Thread rule: one thread, which has closed the gates of all databases; for a target that nobody
/// else uses it need not.
class LoadRun {
 public:
  struct Parts {
    Server& server;
    Files& files;
    const ApplierFactory& appliers;
    LoadProgress& progress;
    Hold& hold;                      ///< closes all gates, and outlives the run
    absl::FunctionRef<bool()> stop;  ///< asked now and then; true ends the load with kCancelled
    AofBacklog* backlog = nullptr;   ///< follows a log that is loaded; null: nobody does
  };
  explicit LoadRun(const Parts& parts) : parts_(parts) {}

  /// `merge`: a key of the file replaces an existing one. OK when there is no file.
  absl::Status LoadSnapshot(const std::string& path, bool merge);
  /// Where an RDB goes.
  struct Target {
    Keyspace& keyspace;
    FunctionRegistry& libraries;
  };
  /// Loads an RDB that our primary sends, in which keys that have expired are kept. `size`: in
  /// bytes, or RdbReader::kUnknownSize.
  absl::Status LoadFromPrimary(ByteSource& source, uint64_t size, const Target& target);
  /// Loads the files that the manifest lists, in order. `log` names their folder.
  absl::Status LoadLog(const AofManifest& manifest, const AppendOnlyFile& log);

 private:
  struct RdbSourceOptions {
    bool drop_expired = true;
    bool merge = false;
    bool may_repair = true;          ///< as the directive `repair` says
    const Target* target = nullptr;  ///< null: the server's own
  };
  /// A file of the log being read.
  struct LogPart {
    const std::string& path;
    const FileSource& source;
    bool last;     ///< of the log
    bool running;  ///< the log is on: the server runs, and loads for DEBUG
  };
  /// Returns the bytes behind the RDB that were already read from the source.
  absl::StatusOr<std::string> LoadRdb(ByteSource& source, uint64_t size, const std::string& path,
                                      const RdbSourceOptions& how);
  absl::Status LoadLogFile(const std::string& path, bool last, bool running);
  absl::Status Replay(ByteSource& commands, int64_t offset, const LogPart& part);
  /// Handles a log that ends in the middle of a command: cuts it there, or returns an error.
  absl::Status Cut(const LogPart& part, int64_t offset);

  const Parts parts_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_LOAD_RUN_H_
