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

/// The append-only log: bytes that commands leave behind, written to the newest incr file of a
/// directory as Redis 7 lays it out (AofDirectory) by a thread of its own (AofWriter).
///
/// The way of a rewrite, which is also how the log is turned on at run time:
///
///   PrepareSwitch();                    // any thread, slow: makes the next incr file
///   Switch();                           // at the snapshot's instant, all gates closed
///   ... the snapshot writes and syncs a temporary file in the directory ...
///   InstallBase({temporary name, ...})  // or CancelSwitch()
///
/// Offsets count all bytes appended since Open or the first Switch, over all files.
///
/// Errors: when the disk refuses bytes, healthy() turns false, the owner refuses writes, and the
/// writer tries again every second from the exact byte. Nothing appended is dropped, nothing is
/// written twice. See aof_writer.h for what a failed fsync costs.
///
/// Thread rule: any thread, unless a function says otherwise. Appending never waits for the disk.
class AppendOnlyFile {
 public:
  struct Options {
    std::string directory = "appendonlydir";  ///< relative to the working directory, or absolute
    std::string name = "appendonly.aof";
    AofFsync fsync = AofFsync::kEverySec;
    bool timestamps = false;  ///< aof-timestamp-enabled
    /// Bytes appended and not yet written past which the log is unhealthy: 256 MB.
    int64_t max_pending_bytes = int64_t{256} << 20;
    /// False: nobody writes unless Step() is called. For tests.
    bool start_thread = true;
  };

  /// A base file that a rewrite left in the directory, written and synced.
  struct NewBase {
    std::string path;    ///< of a temporary file, on the same file system as the directory
    bool is_rdb = true;  ///< what its name ends in
  };

  enum class State {
    kOff,          ///< what is appended is dropped
    kWaitForBase,  ///< being turned on: no manifest names the incr file before the first base
    kOn,
  };

  /// For INFO persistence.
  struct Info {
    State state = State::kOff;
    bool rewriting = false;        ///< between Switch and InstallBase or CancelSwitch
    int64_t current_size = 0;      ///< of base and incr files, what is pending included
    int64_t base_size = 0;         ///< current_size when the last rewrite ended, or the log opened
    int64_t pending_bytes = 0;     ///< appended, not yet written
    bool last_write_ok = true;     ///< aof_last_write_status
    std::string last_error;        ///< the text behind MISCONF; empty when all is well
    int64_t delayed_fsyncs = 0;    ///< aof_delayed_fsync: fsyncs that took over a second
    int64_t last_fsync_us = 0;     ///< how long the last one took
    int64_t last_fsync_at_ms = 0;  ///< when it ended
  };

  /// `files`, `clock` and `observer` outlive the log; `observer` may be null.
  AppendOnlyFile(Files& files, const Clock& clock, Options options, AofObserver* observer);
  /// As Close().
  ~AppendOnlyFile();
  AppendOnlyFile(const AppendOnlyFile&) = delete;
  AppendOnlyFile& operator=(const AppendOnlyFile&) = delete;

  // ---- on and off

  /// At start, with `appendonly yes`, after `manifest` (AofDirectory::Load) was loaded and a torn
  /// tail cut. The log goes on in the last incr file, or a new one. A fresh directory has no base:
  /// then `first_base` is to be an empty one, or Redis' file checker would not know the directory.
  absl::Status Open(AofManifest manifest, std::optional<NewBase> first_base = std::nullopt);
  /// Writes and syncs everything, ends the thread, wakes all who wait. An error: what it could not
  /// save. For the end of the process, and for `appendonly no`; then the state is kOff, and a
  /// rewrite (PrepareSwitch, ...) turns the log on again.
  absl::Status Close();
  /// While it is off: what lies in the directory, which a rewrite is going to replace.
  void Adopt(AofManifest manifest) { directory_.Adopt(std::move(manifest)); }
  std::string PathOf(std::string_view file_name) const { return directory_.PathOf(file_name); }
  /// Makes the directory, for a base to be written there.
  absl::Status MakeDirectory() { return directory_.Make(); }
  /// Whether files can be made in the directory, which is made where it is missing.
  absl::Status Probe() { return directory_.Probe(); }
  State state() const { return state_.load(std::memory_order_acquire); }

  // ---- appending: the order of the calls is the order in the file

  /// `resp` is one command or several that belong together. The offset behind it.
  int64_t Append(std::string_view resp) { return pending_.Append(resp); }
  /// The same for changes. However many they are, others who append meanwhile hardly wait.
  int64_t AppendChanges(const ChangeBatch& batch, AofPending::Due due = AofPending::Due::kNow) {
    return pending_.AppendChanges(batch, due);
  }
  /// What was appended kOnDemand before `offset` is to be written now.
  void Demand(int64_t offset) { pending_.Demand(offset); }
  int64_t appended_offset() const { return pending_.appended(); }
  /// Memory of what is not on the disk yet: appended and not written, or written and not fsynced.
  int64_t buffered_bytes() const {
    const int64_t written = writer_.written_offset();  // first: it never passes the other
    return pending_.appended() - written + writer_.unsynced_memory();
  }

  /// Waits until all that was appended is written, or the disk refuses it.
  absl::Status Flush();

  /// Everything before it is kept as `appendfsync` promises: fsynced with `always`, written with
  /// the others. Never goes back, whatever becomes of the setting.
  int64_t durable_offset() const { return writer_.durable_offset(); }
  /// Everything before it was fsynced, under every policy.
  int64_t synced_offset() const { return writer_.synced_offset(); }
  /// True: `offset` is durable, or never will be, for the log has ended; `wake` is dropped. False:
  /// it will be called, once, from the writer's thread or from Close(), and must only post.
  bool WhenDurable(int64_t offset, std::function<void()> wake) {
    return writer_.WhenDurable(offset, std::move(wake));
  }

  /// False: refuse commands that write, with MISCONF. Two or three loads.
  bool healthy() const {
    return !writer_.failing() &&
           pending_.appended() - writer_.written_offset() <= options_.max_pending_bytes;
  }

  /// Waits for it, `us` at most, and not while the disk refuses bytes. Whether it is durable.
  bool AwaitDurable(int64_t offset, int64_t us) { return writer_.AwaitDurable(offset, us); }

  // ---- settings

  void set_fsync(AofFsync fsync) { writer_.set_fsync(fsync); }
  void set_timestamps(bool on) { pending_.set_timestamps(on); }
  /// While a rewrite or snapshot runs, with `no-appendfsync-on-rewrite yes`: as `appendfsync no`.
  void set_fsync_paused(bool paused) { writer_.set_fsync_paused(paused); }

  // ---- rewriting; one at a time

  /// Makes the next incr file and a manifest that lists it, next to the one in force. Slow.
  absl::Status PrepareSwitch();
  /// Bytes appended from now on go to the prepared file. Microseconds: the writer does the rest.
  /// False, and nothing is done, when nothing is prepared: the log was closed since.
  /// REQUIRES: nobody appends meanwhile.
  bool Switch();
  /// Puts the base in its place, writes the manifest, and turns kWaitForBase to kOn. Waits until
  /// the writer has come to the switch, unless it fails. What is replaced is history then, which
  /// RemoveHistory() deletes. Slow.
  absl::Status InstallBase(const NewBase& base);
  /// While it is off: puts a base in its place, with nothing behind it. Slow.
  absl::Status InstallLoneBase(const NewBase& base);
  /// The rewrite failed: the log goes on in the new file, and the base stays.
  void CancelSwitch();
  /// Deletes files that no longer count. Slow; for a background thread.
  absl::Status RemoveHistory() { return directory_.RemoveHistory(); }

  Info info() const;
  const Options& options() const { return options_; }

  /// What the thread does each time: for tests with start_thread false.
  AofWriter::Wait Step() { return writer_.Step(); }

 private:
  /// The file to go on in, and its size.
  absl::StatusOr<std::pair<AofNewFile, int64_t>> OpenIncr();
  void StartThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void StopThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Run();

  Files& files_;
  const Options options_;
  AofDirectory directory_;
  AofPending pending_;
  AofWriter writer_;

  Mutex mutex_;  // held by slow calls for as long as they take; appending never takes it
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
