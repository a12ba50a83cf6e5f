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

/// Saves snapshots to the RDB file: for SAVE, BGSAVE, save points, when scheduled, and while
/// everybody waits.
///
/// Thread rule: any thread, except where a comment names one.
class Saver {
 public:
  /// Called on the job's thread once the snapshot's instant has come, or is sure never to come.
  using Begun = std::function<void()>;

  /// All outlive it. `health` is told how each snapshot ended.
  Saver(Server& server, Files& files, BackgroundWork& work, ChangeJournal& journal,
        WriteHealth& health);
  Saver(const Saver&) = delete;
  Saver& operator=(const Saver&) = delete;

  /// Begins a snapshot and returns kNone; or returns what is under way. `done` gets kCancelled when
  /// the snapshot was given up, which is no failure of the disk.
  BackgroundWork::Kind Begin(BackgroundWork::Done done = nullptr, Begun begun = nullptr);
  /// Has the next Tick with nothing under way begin one.
  void Schedule();
  /// Call it after FLUSHALL: with save points, Redis' file is empty when FLUSHALL replies; ours
  /// soon after.
  void NoteFlush();
  /// Begins a snapshot that is scheduled, or that a save point asks for. On the cron thread, when
  /// nothing is under way.
  void Tick();

  /// Saves a snapshot on this thread. REQUIRES: the caller has taken over and closed all gates.
  /// `meanwhile` is called now and then.
  absl::Status SaveAlone(absl::FunctionRef<void()> meanwhile = [] {});
  /// Call it after a load: the keyspace has `changes` changes since the last save.
  void NoteLoaded(int64_t changes);

  /// For INFO.
  struct Figures {
    bool scheduled = false;
    int64_t last_save_s = 0;  ///< when the last save succeeded, or the server started
    bool last_ok = true;
    int64_t last_took_s = -1;
    int64_t snapshots = 0;
  };
  Figures figures() const;
  /// The number of changes since the last snapshot or load.
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
  std::atomic<int64_t> saved_changes_ = 0;  ///< Keyspace::changes at the last save
  mutable Mutex mutex_;                     ///< taken before the slot's
  Figures figures_ ABSL_GUARDED_BY(mutex_);
  int64_t last_try_ms_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_SAVER_H_
