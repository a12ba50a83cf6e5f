#ifndef CLOAKROOM_SERVER_PERSISTENCE_LOG_KEEPER_H_
#define CLOAKROOM_SERVER_PERSISTENCE_LOG_KEEPER_H_

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replication/aof/aof_directory.h"
#include "replication/files/files.h"
#include "replication/rdb/snapshot_file.h"
#include "server/context/server.h"
#include "server/persistence/background_work.h"
#include "storage/base/mutex.h"

namespace cloakroom {

class ChangeJournal;

/// Turns the append-only log on and off, and rewrites it: for BGREWRITEAOF, when it has grown, and
/// when it is turned on, since a log begins with a rewrite. Appending to the log, and waiting for
/// it, is in change_journal.h.
///
/// Thread rule: any thread, except where a comment names one.
class LogKeeper {
 public:
  /// All outlive it.
  LogKeeper(Server& server, Files& files, BackgroundWork& work, ChangeJournal& journal);
  LogKeeper(const LogKeeper&) = delete;
  LogKeeper& operator=(const LogKeeper&) = delete;

  /// Whether `appendonly` is yes.
  bool wanted() const;
  /// Whether the log is wanted and has no base yet: the next start would find neither the older
  /// data nor what was changed since.
  bool WaitsForFirstBase() const;

  /// Begins a rewrite and returns kNone; or returns what is under way. If the log is off, the
  /// rewrite turns it on when it is wanted; otherwise it leaves only a base, as in Redis.
  BackgroundWork::Kind Begin();
  /// Has the next Tick with nothing under way begin one.
  void Schedule();
  /// Ends the log where it is, for all data is about to be another. Until BeginAnew() and the new
  /// log's first base, the next start finds the old data. Slow.
  void Suspend();
  /// Begins a new log, if it was suspended and is still wanted.
  void BeginAnew();
  /// Ends a log that was turned off, or begins the rewrite that is due. False: there was nothing to
  /// do. On the cron thread, when nothing is under way.
  bool Tick();

  /// Reads the manifest in the log's folder. Takes over the log of a Redis before 7.
  absl::StatusOr<AofDirectory::Loaded> LoadManifest();
  /// After the load at the start: continues the log, or begins one. REQUIRES: all gates are closed.
  /// The error is for the operator.
  absl::Status Resume();
  /// For the end of the process: writes and syncs what is left, and closes the files. The server
  /// log says what could not be saved.
  void Close();

  /// For INFO.
  struct Figures {
    bool scheduled = false;
    bool last_ok = true;
    int64_t last_took_s = -1;
    int64_t rewrites = 0;
    int64_t failures = 0;  ///< in a row
  };
  Figures figures() const;

 private:
  absl::Status FollowAppendOnly();
  absl::Status Run();
  absl::Status Rewrite();
  /// The first half of a rewrite: prepares the log's next file, or makes its folder.
  absl::Status Prepare(bool begins, bool keeps_log);
  /// The second half: makes the written base part of the log.
  absl::Status Install(const SnapshotPlace& place, bool is_rdb, bool keeps_log);
  SnapshotPlace BasePlace() const;
  SnapshotOptions BaseOptions() const;
  void Stop();
  bool IsMissing() const;
  bool MayRewriteByItself() const;

  Server& server_;
  Files& files_;
  BackgroundWork& work_;
  ChangeJournal& journal_;
  mutable Mutex mutex_;  ///< taken before the slot's
  Figures figures_ ABSL_GUARDED_BY(mutex_);
  bool suspended_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t last_try_ms_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_LOG_KEEPER_H_
