#ifndef CLOAKROOM_SERVER_PERSISTENCE_PERSISTENCE_H_
#define CLOAKROOM_SERVER_PERSISTENCE_PERSISTENCE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "replication/files/bytes.h"
#include "replication/files/file_source.h"
#include "replication/files/files.h"
#include "replication/rdb/snapshot_file.h"
#include "server/context/server.h"
#include "server/persistence/applier.h"
#include "server/persistence/change_journal.h"
#include "server/persistence/save_thread.h"
#include "storage/base/mutex.h"
#include "storage/keyspace/hold.h"

namespace cloakroom {

/// What of the data is on the disk, and how it gets there: snapshots by SAVE, BGSAVE and save
/// points; the append-only log and its rewrites; loading either. Commands ask here; the work is
/// done on a thread of its own (save_thread.h), one thing at a time, as in Redis one child.
///
/// Thread rule: any thread, except where a comment names one.
class Persistence {
 public:
  /// What the save thread does.
  enum class Work : uint8_t { kNone, kSnapshot, kRewrite };
  /// Told, on the save thread, whether it went well.
  using Done = std::function<void(bool)>;
  /// Called on the save thread once the snapshot's instant has come, or never will.
  using Begun = std::function<void()>;

  Persistence(Server& server, Files& files, ApplierFactory appliers);
  ~Persistence();
  Persistence(const Persistence&) = delete;
  Persistence& operator=(const Persistence&) = delete;

  /// What the save thread does is not to be finished: somebody else saves, or loads, or nobody may.
  bool GivenUp() const { return stopping_ || load_failed_ || forgoes_saving_; }

  /// What is under way. Begin* answer it and begin nothing when there is something.
  Work under_way() const;
  Work BeginSnapshot(Done done = nullptr, Begun begun = nullptr);
  Work BeginRewrite(Done done = nullptr);
  /// As soon as nothing is under way.
  void ScheduleSnapshot();
  void ScheduleRewrite();
  /// FLUSHALL: with save points, Redis' file is empty when it answers; ours soon after.
  void NoteFlush();

  /// How DEBUG RELOAD and DEBUG LOADAOF load.
  struct ReloadOptions {
    bool from_log = false;
    bool save = true;    ///< first: the snapshot, or what the log has not written yet
    bool flush = true;   ///< what was there before the load
    bool merge = false;  ///< a key of the file takes the place of one that is there
  };
  /// Saves and loads all the data while nobody else runs; what the save thread does is given up.
  /// Not on an event loop. False: the log says why.
  bool Reload(const ReloadOptions& options);

  /// From here on clients are told LOADING, until Load is over. Call it before they are served.
  void BeginLoading();
  /// Before the first command, on the main thread: loads the data and opens the log. The error is
  /// for the operator; the server must not start then. `stop` is asked now and then.
  std::optional<std::string> Load(absl::FunctionRef<bool()> stop);
  bool loading() const { return loading_.load(std::memory_order_relaxed); }

  /// The disk does not take what is written: writes are refused with this error, and, as in Redis,
  /// PING is.
  bool refuses_writes() {
    return refuses_writes_.load(std::memory_order_relaxed) && StillRefusesWrites();
  }
  std::string WriteRefusal() const;

  /// `hz` times a second, by the cron thread: save points, rewrites by growth, what was
  /// scheduled.
  void Tick();

  enum class EndStep : uint8_t {
    kDone,     ///< nothing is acknowledged any more that the disk does not have
    kRefused,  ///< saving failed, and the server goes on as before
    kNotYet,   ///< somebody is at work: call it again soon
  };
  /// Gives up what the save thread does, saves where it is asked for or save points are set, and
  /// ends the log; from then on all gates are closed. Waits for nobody: not for the save thread,
  /// not for a script. Only the save itself takes its time; `meanwhile` is called now and then.
  EndStep PrepareToEnd(
      ShutdownSave ending, bool force, absl::FunctionRef<void()> meanwhile = [] {});
  /// The log is wanted and has no base yet: at the next start what was there before it was begun,
  /// and what came since, would be missing.
  bool WaitsForFirstBase() const;
  /// From now on no snapshot is written, and no base of the log, not even by a PrepareToEnd that is
  /// under way: what a script left half done is in the keyspace. Any thread.
  void ForgoSaving() { forgoes_saving_ = true; }
  /// After PrepareToEnd, on its thread, when no event loop runs any more.
  void OpenGates() { last_hold_.reset(); }

  ChangeJournal& journal() { return journal_; }

  /// For INFO.
  struct Figures {
    bool loading = false;
    int64_t loading_started_s = 0;
    int64_t loading_total_bytes = 0;
    int64_t loading_done_bytes = 0;
    int64_t loaded_keys = 0;
    int64_t expired_while_loading = 0;
    int64_t lost_while_loading = 0;  ///< places that a repair passed over

    Work under_way = Work::kNone;
    int64_t under_way_s = 0;
    int64_t keys_done = 0;
    int64_t keys_total = 0;
    bool snapshot_scheduled = false;
    bool rewrite_scheduled = false;

    int64_t last_save_s = 0;
    bool last_snapshot_ok = true;
    int64_t last_snapshot_took_s = -1;
    int64_t snapshots = 0;
    bool last_rewrite_ok = true;
    int64_t last_rewrite_took_s = -1;
    int64_t rewrites = 0;
    int64_t rewrite_failures = 0;  ///< in a row
  };
  Figures figures() const;
  int64_t last_save_s() const { return figures().last_save_s; }
  /// Changes that the last snapshot, or what was loaded, does not hold.
  int64_t changes_since_save() const;

 private:
  Work Begin(Work work, Done done, Begun begun);
  void RunWork(Work work, const Done& done, const Begun& begun);
  bool WriteSnapshot(
      bool gates_closed, absl::FunctionRef<void()> begun,
      absl::FunctionRef<void()> meanwhile = [] {});
  bool RewriteLog();
  std::optional<std::string> RewriteLogOrError();
  SnapshotFileOptions LogBaseOptions();
  AofDirectory::Loaded LoadManifest();
  /// Ends a log that is no longer wanted, or could not be begun.
  void StopLog();
  bool WantsLog() const;
  bool LogIsMissing() const;
  bool MayRewriteByItself() const;
  void NoteSnapshot(bool ok, int64_t took_ms);
  void UpdateRefusal();
  bool StillRefusesWrites();
  bool SavePointReached() const;
  bool HasSavePoints() const;
  void FollowSettings();
  std::string FollowAppendOnly();
  std::string FollowDirectory();
  void TellStillAtWork();
  /// Gives up what the save thread does, and keeps it from doing anything until EndWork.
  void TakeOver();
  /// The same for PrepareToEnd, which comes again when it is not done yet.
  bool TryTakeOver();
  bool TryCloseGates();
  void EndWork();
  /// The snapshot on this thread, which has taken over and closed all gates.
  bool SaveAlone(absl::FunctionRef<void()> meanwhile = [] {});
  std::optional<std::string> LoadAll(const ReloadOptions& options, absl::FunctionRef<bool()> stop);

  // Loading (loading.cc), with all gates closed.
  struct RdbSourceOptions {
    bool drop_expired = true;
    bool merge = false;
  };
  void EndLoading(bool ok);
  void NoteProgress(int64_t done_bytes);
  /// A file of the log being read.
  struct LogPart {
    const std::string& path;
    const FileSource& source;
    bool last;  ///< of the log
  };
  std::optional<std::string> LoadSnapshotFile(const std::string& path, bool merge,
                                              absl::FunctionRef<bool()> stop);
  /// `rest`: what the source had behind the RDB and was read ahead.
  std::optional<std::string> LoadRdbFrom(ByteSource& source, uint64_t size, const std::string& path,
                                         const RdbSourceOptions& how, std::string* rest,
                                         absl::FunctionRef<bool()> stop);
  std::optional<std::string> LoadLog(absl::FunctionRef<bool()> stop);
  std::optional<std::string> LoadLogFile(const std::string& path, bool last,
                                         absl::FunctionRef<bool()> stop);
  std::optional<std::string> ReplayCommands(ByteSource& commands, int64_t offset,
                                            const LogPart& part, absl::FunctionRef<bool()> stop);
  /// A log that ends in the middle of a command: cut there, or an error.
  std::optional<std::string> CutLog(const LogPart& part, int64_t offset);
  /// After the load: goes on with the log, or begins one.
  std::optional<std::string> ResumeLog();

  Server& server_;
  Files& files_;
  const ApplierFactory appliers_;
  std::atomic<bool> loading_ = false;
  std::atomic<bool> refuses_writes_ = false;
  std::atomic<bool> stopping_ = false;
  /// The load at the start failed or was given up: nothing is saved any more.
  std::atomic<bool> load_failed_ = false;
  std::atomic<int64_t> saved_changes_ = 0;  ///< how many there had been, see Keyspace::changes
  mutable Mutex mutex_;
  Figures figures_ ABSL_GUARDED_BY(mutex_);
  int64_t work_started_ms_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t last_try_ms_ ABSL_GUARDED_BY(mutex_) = 0;  ///< of a snapshot
  int64_t last_rewrite_try_ms_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t last_progress_ms_ ABSL_GUARDED_BY(mutex_) = 0;
  std::atomic<bool> forgoes_saving_ = false;
  Hold* loading_hold_ = nullptr;  ///< of the thread that loads, while it does: all gates
  // The main thread's: how far PrepareToEnd has come.
  bool end_begun_ = false;
  bool end_took_over_ = false;
  std::unique_ptr<Hold> last_hold_;
  ChangeJournal journal_;
  SaveThread thread_;  ///< last: its work uses all of the above
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_PERSISTENCE_H_
