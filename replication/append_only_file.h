#ifndef CLOAKROOM_REPLICATION_APPEND_ONLY_FILE_H_
#define CLOAKROOM_REPLICATION_APPEND_ONLY_FILE_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "replication/aof_manifest.h"
#include "replication/files.h"
#include "storage/clock.h"
#include "storage/mutex.h"

namespace cloakroom {

/// The append-only log on the disk: bytes go to the newest incremental file of a manifest
/// (aof_manifest.h), in the order in which they were appended.
///
/// Appending only puts the bytes into memory; a thread of its own writes them, together with all
/// that has gathered meanwhile, and syncs as `Fsync` says:
///   kAlways    each group, after which its waiters are called: group commit;
///   kEverySec  once a second; a crash of the machine loses about that, one of the process nothing
///              that was written, which is all but some milliseconds;
///   kNo        when the system sees fit.
///
/// Errors. Bytes are kept until they are synced (with kNo: written). After any error the file is
/// opened anew, cut to the last length that is known to be good, and written again from there:
/// neither a torn write nor an fsync that failed, after which the system may have dropped what it
/// could not write, leaves a gap or a repetition. This is tried every second; until it has gone
/// well healthy() is false, and the server takes no writes.
///
/// Limits. Bytes in memory: beyond `max_pending_bytes` the log is not healthy until the disk has
/// caught up.
///
/// Thread rule: any thread for what states no other; the maintenance functions one at a time.
class AppendOnlyFile {
 public:
  enum class Fsync : uint8_t { kEverySec, kAlways, kNo };

  struct Options {
    std::string folder;  ///< appenddirname
    std::string name;    ///< appendfilename
    int64_t max_pending_bytes = int64_t{512} << 20;
    std::chrono::milliseconds retry_after{1000};
  };

  AppendOnlyFile(Files& files, const Clock& clock, Options options);
  /// Stop, and without an error Close.
  ~AppendOnlyFile();
  AppendOnlyFile(const AppendOnlyFile&) = delete;
  AppendOnlyFile& operator=(const AppendOnlyFile&) = delete;

  // ---- Start and end: one thread.

  /// Reads the manifest; none is an empty log. A log of one file in the working directory, Redis'
  /// form before version 7, moves into the folder first. The error is for the operator.
  std::optional<std::string> ReadManifest();
  const AofManifest& manifest() const { return manifest_; }
  const std::string& folder() const { return options_.folder; }
  std::string PathOf(const AofFile& file) const { return options_.folder + "/" + file.name; }

  /// Goes on with the log that ReadManifest found: its last incremental file, of which `good_bytes`
  /// are good, or a new one. REQUIRES: it has a base or an incremental file.
  FileError Resume();
  /// Begins a log from nothing; it has no manifest, so a crash leaves none, until InstallBase.
  FileError Begin();
  bool running() const { return running_.load(std::memory_order_relaxed); }
  /// Waits until all that was appended is written, or the disk does not take it.
  void Flush() ABSL_LOCKS_EXCLUDED(mutex_);
  /// Writes and syncs all, then closes. Gives up when the disk does not take it.
  void Close();

  // ---- Appending.

  /// Lets `append` add bytes, whole commands, to what waits to be written, under a lock that is
  /// held for no longer. Returns the offset behind them: bytes since the start.
  int64_t Append(absl::FunctionRef<void(std::string& pending)> append) ABSL_LOCKS_EXCLUDED(mutex_);
  /// Calls `wake` once, when everything before the offset may be acknowledged: at once, or from the
  /// writing thread. It must only post.
  void WhenDurable(int64_t offset, std::function<void()> wake) ABSL_LOCKS_EXCLUDED(mutex_);
  /// Offset up to which all is as durable as the policy promises.
  int64_t durable_offset() const { return durable_.load(std::memory_order_acquire); }
  bool healthy() const {
    return !broken_.load(std::memory_order_relaxed) && !overfull_.load(std::memory_order_relaxed);
  }
  /// What went wrong last.
  FileError error() const ABSL_LOCKS_EXCLUDED(mutex_);

  void set_fsync(Fsync fsync);
  /// No fsync from here until it is taken back, except with kAlways (no-appendfsync-on-rewrite).
  void set_lenient(bool lenient) { lenient_ = lenient; }

  // ---- Rewriting. The order is PrepareSwitch, Switch, InstallBase.

  /// Makes the next incremental file and notes it in the manifest. Takes long.
  FileError PrepareSwitch();
  /// What is appended from here on goes to the new file. Quick; called where nobody appends.
  void Switch() ABSL_LOCKS_EXCLUDED(mutex_);
  /// Makes a finished file the new base: what was appended before Switch is in it. Older files go.
  /// Waits until the writing thread has switched.
  FileError InstallBase(const std::string& path, bool rdb);

  struct Figures {
    int64_t current_bytes = 0;  ///< base and incremental files
    int64_t base_bytes = 0;     ///< current_bytes right after the last rewrite, or at the start
    int64_t pending_bytes = 0;
    bool syncing = false;
    int64_t late_syncs = 0;  ///< that took longer than a second
  };
  Figures figures() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  /// An incremental file and what of it is sure.
  struct Target {
    std::string path;
    std::unique_ptr<WritableFile> file;
    int64_t written = 0;  ///< bytes in the file
    int64_t synced = 0;   ///< of them, on the disk
  };
  struct Waiter {
    int64_t offset;
    std::function<void()> wake;
  };

  FileError Open(const AofFile& file, bool anew, Target* target);
  void Start();

  // The writing thread.
  void Run();
  /// Waits for something to do. False: the end.
  bool WaitForWork() ABSL_LOCKS_EXCLUDED(mutex_);
  /// Lets an error rest. False: the end.
  bool WaitForRetry() ABSL_LOCKS_EXCLUDED(mutex_);
  /// Takes over what was appended.
  void Take() ABSL_LOCKS_EXCLUDED(mutex_);
  /// Writes what was taken, to one file and, where it was switched, to the next; syncs when due.
  FileError Write(bool sync);
  FileError WriteTaken();
  FileError Sync();
  FileError GoOnInNextFile();
  /// After an error: makes the file again what is known to be good.
  FileError Repair();
  bool KeepsUnsynced() const;
  bool SyncDue() const;
  std::chrono::microseconds TimeToSync() const;
  void Acknowledge() ABSL_LOCKS_EXCLUDED(mutex_);
  void NoteOutcome(const FileError& error) ABSL_LOCKS_EXCLUDED(mutex_);

  Files& files_;
  const Clock& clock_;
  const Options options_;
  AofManifest manifest_;  ///< the maintenance thread's
  Target next_;           ///< PrepareSwitch's, until the writing thread takes it over
  bool has_manifest_ = false;

  std::atomic<bool> running_ = false;
  std::atomic<bool> broken_ = false;    ///< the disk did not take something
  std::atomic<bool> overfull_ = false;  ///< too much waits
  std::atomic<bool> lenient_ = false;
  std::atomic<Fsync> fsync_ = Fsync::kEverySec;
  std::atomic<int64_t> durable_ = 0;
  std::atomic<bool> syncing_ = false;
  std::atomic<int64_t> late_syncs_ = 0;
  std::atomic<int64_t> older_bytes_ = 0;    ///< of base and finished incremental files
  std::atomic<int64_t> current_bytes_ = 0;  ///< of the file being written
  std::atomic<int64_t> base_bytes_ = 0;

  // The writing thread's. Every byte goes from pending_ by way of `taken_` or `taken_for_next_`
  // into the file, and then into `unsynced_`, until it is on the disk.
  Target target_;
  std::string taken_;
  bool switching_ = false;  ///< what is taken now belongs to the next file
  std::string taken_for_next_;
  std::deque<std::string> unsynced_;
  int64_t unsynced_bytes_ = 0;
  int64_t last_sync_us_ = 0;
  int64_t taken_offset_ = 0;

  mutable Mutex mutex_;
  std::condition_variable_any changed_;
  std::string pending_ ABSL_GUARDED_BY(mutex_);
  int64_t appended_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t written_offset_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<int64_t> switch_at_ ABSL_GUARDED_BY(mutex_);  ///< until the switch is done
  std::deque<Waiter> waiters_ ABSL_GUARDED_BY(mutex_);        ///< by offset
  bool sleeping_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  FileError error_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_APPEND_ONLY_FILE_H_
