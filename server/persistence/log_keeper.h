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

/// When the append-only log is turned on and off, and when it is rewritten: by BGREWRITEAOF, by its
/// growth, and once it is turned on, since a log begins with a rewrite. What the log is to those
/// who append and wait is change_journal.h.
///
/// Thread rule: any thread, except where a comment names one.
class LogKeeper {
 public:
  /// All outlive it.
  LogKeeper(Server& server, Files& files, BackgroundWork& work, ChangeJournal& journal);
  LogKeeper(const LogKeeper&) = delete;
  LogKeeper& operator=(const LogKeeper&) = delete;

  /// `appendonly` is yes.
  bool wanted() const;
  /// The log is wanted and has no base yet: at the next start what was there before it was begun,
  /// and what came since, would be missing.
  bool WaitsForFirstBase() const;

  /// Begins a rewrite, and answers kNone; or answers what is under way. A rewrite of a log that is
  /// off begins it when it is wanted, and otherwise leaves a base and nothing else, as in Redis.
  BackgroundWork::Kind Begin();
  /// At the next Tick with nothing under way.
  void Schedule();
  /// Ends a log that was turned off, or begins the rewrite that is due. False: there was nothing
  /// to do. Of the cron thread, when nothing is under way.
  bool Tick();

  /// What lies in the log's folder; a log of Redis before 7 is taken over.
  absl::StatusOr<AofDirectory::Loaded> LoadManifest();
  /// After the load at the start: goes on with the log, or begins one. REQUIRES: all gates are
  /// closed. The error is for the operator.
  absl::Status Resume();
  /// For the end of the process: writes and syncs what there is, and closes the files. The log
  /// names what could not be saved.
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
  /// The first half of a rewrite: the log's next file is prepared, or its folder made.
  absl::Status Prepare(bool begins, bool keeps_log);
  /// The second: the base, which is written, counts from now on.
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
  int64_t last_try_ms_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_LOG_KEEPER_H_
