#ifndef CLOAKROOM_REPLICATION_AOF_APPEND_ONLY_FILE_H_
#define CLOAKROOM_REPLICATION_AOF_APPEND_ONLY_FILE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replication/aof/aof_directory.h"
#include "replication/aof/aof_pending.h"
#include "replication/aof/aof_writer.h"
#include "replication/files/files.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// The append-only log: the changes that commands make, as bytes that a thread of its own
/// (AofWriter) writes to the newest incr file of a directory in Redis 7's layout (AofDirectory).
///
/// The steps of a rewrite, which also turn the log on at run time:
///
///   PrepareSwitch();                    // any thread, slow: makes the next incr file
///   Switch();                           // at the snapshot's instant, all gates closed
///   ... the snapshot writes and syncs a temporary file in the directory ...
///   InstallBase({temporary name, ...})  // or CancelSwitch()
///
/// Offsets are positions in the stream of changes, over all files.
///
/// Errors: when the disk refuses bytes, healthy() turns false, the owner refuses writes, and the
/// writer tries again every second from the exact byte. No appended byte is dropped or written
/// twice. See aof_writer.h for what a failed fsync costs.
///
/// Thread rule: any thread, unless a function says otherwise. Appending never waits for the disk.
class AppendOnlyFile {
 public:
  struct Options {
    std::string directory = "appendonlydir";  ///< relative to the working directory, or absolute
    std::string name = "appendonly.aof";
    AofFsync fsync = AofFsync::kEverySec;
    bool timestamps = false;  ///< aof-timestamp-enabled
    OldestReader oldest = OldestReader::kRedis7;
    /// The log is unhealthy with more unwritten bytes than this: 256 MB.
    int64_t max_pending_bytes = int64_t{256} << 20;
    /// False: only Step() writes. For tests.
    bool start_thread = true;
  };

  /// A base file that a rewrite left in the directory, written and synced.
  struct NewBase {
    std::string path;    ///< of a temporary file, on the same file system as the directory
    bool is_rdb = true;  ///< the ending of its name
  };

  enum class State {
    kOff,          ///< appended bytes are dropped
    kWaitForBase,  ///< being turned on: no manifest names the incr file before the first base
    kOn,
  };

  /// For INFO persistence.
  struct Info {
    State state = State::kOff;
    bool rewriting = false;        ///< between Switch and InstallBase or CancelSwitch
    int64_t current_size = 0;      ///< of base and incr files, including pending bytes
    int64_t base_size = 0;         ///< current_size when the last rewrite ended, or the log opened
    int64_t pending_bytes = 0;     ///< appended, not yet written
    bool last_write_ok = true;     ///< aof_last_write_status
    std::string last_error;        ///< the text behind MISCONF; empty if there is no error
    int64_t delayed_fsyncs = 0;    ///< aof_delayed_fsync: fsyncs that took over a second
    int64_t last_fsync_us = 0;     ///< the duration of the last fsync
    int64_t last_fsync_at_ms = 0;  ///< when it ended
  };

  /// The other parts must outlive the log; `observer` may be null.
  AppendOnlyFile(ChangeStream& stream, Files& files, const Clock& clock, Options options,
                 AofObserver* observer);
  /// As Close().
  ~AppendOnlyFile();
  AppendOnlyFile(const AppendOnlyFile&) = delete;
  AppendOnlyFile& operator=(const AppendOnlyFile&) = delete;

  // ---- on and off

  /// The stream is that of this history from its tail on, which the log states from then on. Later
  /// files state it too, also if the log is off now. Any thread, while nobody appends changes.
  void SetHistory(AofHistory history) { pending_.SetHistory(std::move(history)); }
  /// The log that Open() will continue makes statements, so it is to state what holds from there
  /// on.
  void NoteStatements() { pending_.NoteStatements(); }
  /// The data is another than the log says: it states no history until it has a new base.
  void Distrust() { pending_.Distrust(); }
  /// The stream goes on in this database, and its next record need not say so: the log does. Any
  /// thread, while nobody appends changes.
  void Select(int db) { pending_.Select(db); }

  /// For a start with `appendonly yes`, after `manifest` (AofDirectory::Load) was loaded and a torn
  /// tail cut. The log continues in the last incr file, or in a new one. A fresh directory has no
  /// base; `first_base` must then be an empty one, or Redis' file checker would refuse the
  /// directory.
  absl::Status Open(AofManifest manifest, std::optional<NewBase> first_base = std::nullopt);
  /// Writes and syncs everything, ends the thread, wakes all waiting threads. An error says what it
  /// could not save. For the end of the process, and for `appendonly no`; the state is then kOff,
  /// and a rewrite (PrepareSwitch, ...) turns the log on again.
  absl::Status Close();
  /// While the log is off: adopts what is in the directory, which a rewrite will replace.
  void Adopt(AofManifest manifest) { directory_.Adopt(std::move(manifest)); }
  std::string PathOf(std::string_view file_name) const { return directory_.PathOf(file_name); }
  /// Makes the directory, for a base to be written there.
  absl::Status MakeDirectory() { return directory_.Make(); }
  /// Checks that files can be made in the directory; makes it if it does not exist.
  absl::Status Probe() { return directory_.Probe(); }
  State state() const { return state_.load(std::memory_order_acquire); }

  // ---- appending: the order of the places is the order in the file

  /// As AofPending's, which see.
  ChangePlace Reserve(const ChangeBatch& batch, GateSlot slot, AofPending::Due due) {
    return pending_.Reserve(batch, slot, due);
  }
  void Complete(const ChangeBatch& batch, const ChangePlace& place) {
    pending_.Complete(batch, place);
  }
  int64_t AppendChanges(const ChangeBatch& batch, AofPending::Due due = AofPending::Due::kNow) {
    return pending_.AppendChanges(batch, due);
  }
  int64_t Append(std::string_view resp) { return pending_.Append(resp); }
  int64_t AppendUnlogged(std::string_view resp) { return pending_.AppendUnlogged(resp); }
  void Extend(int64_t end, int db, std::optional<std::string> instead) {
    pending_.Extend(end, db, std::move(instead));
  }
  /// Bytes before `offset` that were appended kOnDemand are to be written now.
  void Demand(int64_t offset) { pending_.Demand(offset); }
  int64_t appended_offset() const { return pending_.appended(); }
  /// Memory of what is not on the disk: not yet written, or written and not yet fsynced.
  int64_t buffered_bytes() const {
    const int64_t kept = writer_.kept_offset();  // first: it never passes the other
    return pending_.appended() - kept;
  }

  /// Waits until everything appended is written, or the disk refuses it.
  absl::Status Flush();

  /// Everything before it is kept as `appendfsync` promises: fsynced with `always`, written with
  /// the others. Never goes back, even if the setting changes.
  int64_t durable_offset() const { return writer_.durable_offset(); }
  /// Everything before it was fsynced, under every policy.
  int64_t synced_offset() const { return writer_.synced_offset(); }
  /// True: `offset` is durable, or never will be since the log has ended; drops `wake`. False:
  /// `wake` will be called once, by the writer's thread or by Close(), and must only post.
  bool WhenDurable(int64_t offset, std::function<void()> wake) {
    return writer_.WhenDurable(offset, std::move(wake));
  }

  /// False: refuse commands that write, with MISCONF. Two or three loads.
  bool healthy() const {
    return !writer_.failing() &&
           pending_.appended() - writer_.written_offset() <= options_.max_pending_bytes;
  }

  /// Waits until it is durable, `us` at most, but not while the disk refuses bytes. Returns whether
  /// it is.
  bool AwaitDurable(int64_t offset, int64_t us) { return writer_.AwaitDurable(offset, us); }

  // ---- settings

  void set_fsync(AofFsync fsync) { writer_.set_fsync(fsync); }
  void set_timestamps(bool on) { pending_.set_timestamps(on); }
  /// While a rewrite or snapshot runs, with `no-appendfsync-on-rewrite yes`: as `appendfsync no`.
  void set_fsync_paused(bool paused) { writer_.set_fsync_paused(paused); }

  // ---- rewriting; one at a time

  /// Makes the next incr file and a manifest that lists it, next to the one in force. Slow.
  absl::Status PrepareSwitch();
  /// Bytes appended from now on go to the prepared file. Takes microseconds: the writer does the
  /// rest. False, with no effect, if nothing is prepared, because the log was closed since.
  /// REQUIRES: nobody appends meanwhile.
  bool Switch();
  /// Puts the base in its place, writes the manifest, and turns kWaitForBase to kOn. Waits until
  /// the writer has come to the switch, unless it fails. The replaced files are then history, which
  /// RemoveHistory() deletes. Slow.
  absl::Status InstallBase(const NewBase& base);
  /// While the log is off: puts a base in its place, with nothing behind it. Slow.
  absl::Status InstallLoneBase(const NewBase& base);
  /// The rewrite failed: the log continues in the new file, and the base stays.
  void CancelSwitch();
  /// Deletes files that no longer count. Slow; for a background thread.
  absl::Status RemoveHistory() { return directory_.RemoveHistory(); }

  Info info() const;
  const Options& options() const { return options_; }

  /// One turn of the thread: for tests with start_thread false.
  AofWriter::Wait Step() { return writer_.Step(); }

 private:
  struct OpenedIncr {
    AofNewFile file;
    int64_t size = 0;
    bool is_new = false;
  };
  /// The file in which the log continues.
  absl::StatusOr<OpenedIncr> OpenIncr();
  void StartThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void StopThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Run();

  Files& files_;
  const Options options_;
  AofDirectory directory_;
  AofPending pending_;
  AofWriter writer_;

  Mutex mutex_;  // slow calls hold it throughout; appending never takes it
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> stop_ = false;

  Mutex prepared_mutex_;  // held for moments; taken after mutex_
  std::optional<AofNewFile> prepared_ ABSL_GUARDED_BY(prepared_mutex_);
  int64_t switches_ ABSL_GUARDED_BY(prepared_mutex_) = 0;

  std::atomic<State> state_ = State::kOff;
  std::atomic<bool> rewriting_ = false;
  std::atomic<int64_t> base_size_ = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_AOF_APPEND_ONLY_FILE_H_
