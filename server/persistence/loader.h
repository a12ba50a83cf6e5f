#ifndef CLOAKROOM_SERVER_PERSISTENCE_LOADER_H_
#define CLOAKROOM_SERVER_PERSISTENCE_LOADER_H_

#include <cstdint>
#include <functional>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "replication/files/bytes.h"
#include "replication/files/files.h"
#include "server/context/server.h"
#include "server/persistence/applier.h"
#include "server/persistence/background_work.h"
#include "server/persistence/load_progress.h"
#include "server/persistence/load_run.h"
#include "storage/keyspace/hold.h"

namespace cloakroom {

class AofBacklog;
class ChangeJournal;
class LogKeeper;
class Saver;

/// Loads all the data from the disk while no command runs: at the start of a server, and for DEBUG
/// RELOAD and DEBUG LOADAOF, and what a primary sends in a full sync. load_run.h turns files into
/// keys.
///
/// Thread rule: any thread, except where a comment names one.
class Loader {
 public:
  /// All outlive it.
  Loader(Server& server, Files& files, BackgroundWork& work, ChangeJournal& journal, Saver& saver,
         LogKeeper& log_keeper, ApplierFactory appliers);
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// From now on clients are told LOADING, until the load is over. Call it before they are served.
  void Begin() { progress_.Begin(); }
  /// Clients are told LOADING.
  bool loading() const { return phase() == LoadProgress::Phase::kRefusing; }
  LoadProgress::Phase phase() const { return progress_.phase(); }
  LoadProgress::Figures figures() const { return progress_.figures(); }

  /// Loads the data and opens the log: before the first command, on the main thread, after Begin.
  /// `stop` is asked now and then. The error is for the operator; after it the server must not
  /// start, and nothing is saved any more.
  absl::Status LoadAtStart(absl::FunctionRef<bool()> stop);

  /// What a primary sends in a full sync.
  struct PrimaryData {
    ByteSource& source;
    uint64_t size;  ///< in bytes, or RdbReader::kUnknownSize
    /// Asked before anything else: false gives the load up.
    std::function<bool()> may_begin;
    /// Asked with all gates closed, before anything is removed.
    std::function<bool()> may_replace;
    /// Called with all gates closed when everything is loaded.
    std::function<void()> loaded;
    /// The same when it was not, and there is no data.
    std::function<void()> failed;
    std::function<bool()> stop;  ///< asked now and then
  };
  /// Loads it in place of all data, while clients are told LOADING. The log, if it is on, begins
  /// anew. Waits for the gates and for work under way: not on an event loop.
  absl::Status LoadFromPrimary(const PrimaryData& data);
  /// Loads it beside our data, which it then replaces, and which stays if the load fails: then
  /// `failed` is not called. No snapshot is taken meanwhile. `phase`: what clients are told.
  absl::Status LoadBeside(const PrimaryData& data, LoadProgress::Phase phase);

  /// How DEBUG RELOAD and DEBUG LOADAOF load.
  struct ReloadOptions {
    bool from_log = false;
    bool save = true;    ///< first saves the snapshot, or writes the rest of the log
    bool flush = true;   ///< removes all keys before the load
    bool merge = false;  ///< a key of the file replaces an existing one
  };
  /// Saves and loads all the data while no command runs; gives up background work under way. When
  /// the save fails, nothing is loaded. Not on an event loop.
  absl::Status Reload(const ReloadOptions& options);

 private:
  absl::Status ReloadAlone(const ReloadOptions& options);
  /// `backlog` follows a log; null: nobody does.
  absl::Status Load(const ReloadOptions& options, Hold& hold, absl::FunctionRef<bool()> stop,
                    AofBacklog* backlog = nullptr);
  absl::Status LoadLog(Hold& hold, absl::FunctionRef<bool()> stop, AofBacklog* backlog);
  void TakeUpHistory(const AofBacklog* backlog);
  void BeginBehind(const Hold& hold);
  absl::Status LoadInPlace(const ReloadOptions& options, Hold& hold);
  absl::Status ReplaceByPrimary(const PrimaryData& data, Hold& hold);
  /// Puts what was loaded beside in place of all data.
  void Swap(const LoadRun::Target& fresh, Hold& hold);
  void SuspendLog();
  void End(bool ok);

  Server& server_;
  Files& files_;
  BackgroundWork& work_;
  ChangeJournal& journal_;
  Saver& saver_;
  LogKeeper& log_keeper_;
  const ApplierFactory appliers_;
  LoadProgress progress_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_LOADER_H_
