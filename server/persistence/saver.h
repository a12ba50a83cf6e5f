#ifndef CLOAKROOM_SERVER_PERSISTENCE_SAVER_H_
#define CLOAKROOM_SERVER_PERSISTENCE_SAVER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "replication/files/files.h"
#include "server/context/server.h"
#include "server/persistence/background_work.h"
#include "storage/base/mutex.h"

namespace cloakroom {

class ChangeJournal;
class WriteHealth;

/// Snapshots into the RDB file: SAVE, BGSAVE, save points, what is scheduled, and the one that is
/// made while everybody waits.
///
/// Thread rule: any thread, except where a comment names one.
class Saver {
 public:
  /// Called on the job's thread once the snapshot's instant has come, or never will.
  using Begun = std::function<void()>;

  /// All outlive it. `health` is told how each snapshot ended.
  Saver(Server& server, Files& files, BackgroundWork& work, ChangeJournal& journal,
        WriteHealth& health);
  Saver(const Saver&) = delete;
  Saver& operator=(const Saver&) = delete;

  /// Begins a snapshot, and answers kNone; or answers what is under way. `done` is told kCancelled
  /// when it was given up: the disk is not to blame then.
  BackgroundWork::Kind Begin(BackgroundWork::Done done = nullptr, Begun begun = nullptr);
  /// At the next Tick with nothing under way.
  void Schedule();
  /// FLUSHALL: with save points, Redis' file is empty when it answers; ours soon after.
  void NoteFlush();
  /// Begins a snapshot that is scheduled, or that a save point asks for. Of the cron thread, when
  /// nothing is under way.
  void Tick();

  /// A snapshot on this thread. REQUIRES: the caller has taken over and closed all gates.
  /// `meanwhile` is called now and then.
  absl::Status SaveAlone(absl::FunctionRef<void()> meanwhile = [] {});
  /// What is in the keyspace was loaded: changes since the save are these alone.
  void NoteLoaded(int64_t changes);

  /// For INFO.
  struct Figures {
    bool scheduled = false;
    int64_t last_save_s = 0;  ///< when the last one succeeded, or the server began
    bool last_ok = true;
    int64_t last_took_s = -1;
    int64_t snapshots = 0;
  };
  Figures figures() const;
  /// Changes that the last snapshot, or what was loaded, does not hold.
  int64_t changes_since_save() const;

 private:
  struct SavePoint {
    int64_t seconds = 0;
    int64_t changes = 0;
  };
  absl::Status Run(const Begun& begun);
  absl::Status Write(bool gates_closed, absl::FunctionRef<void()> begun,
                     absl::FunctionRef<void()> meanwhile);
  void Note(const absl::Status& status, int64_t took_ms);
  std::optional<SavePoint> ReachedSavePoint() const;

  Server& server_;
  Files& files_;
  BackgroundWork& work_;
  ChangeJournal& journal_;
  WriteHealth& health_;
  std::atomic<int64_t> saved_changes_ = 0;  ///< how many there had been, see Keyspace::changes
  mutable Mutex mutex_;                     ///< taken before the slot's
  Figures figures_ ABSL_GUARDED_BY(mutex_);
  int64_t last_try_ms_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_SAVER_H_
