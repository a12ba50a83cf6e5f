#ifndef CLOAKROOM_REPLICATION_AOF_AOF_WRITER_H_
#define CLOAKROOM_REPLICATION_AOF_AOF_WRITER_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "replication/aof/aof_directory.h"
#include "replication/aof/aof_fsync.h"
#include "replication/aof/aof_pending.h"
#include "replication/files/files.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// Is told what the log has to report. Called on the working thread, possibly with a lock held:
/// must be quick, and must not call back.
class AofObserver {
 public:
  virtual ~AofObserver() = default;
  virtual void AofNotice(std::string_view text) = 0;
  virtual void AofWarning(std::string_view text) = 0;
  /// `event` as LATENCY names it: "aof-write", "aof-fsync-always".
  virtual void AofLatency(std::string_view event, int64_t us) = 0;
};

/// Writes the stream of changes to the log's files: a state machine that a thin thread, or a test,
/// steps. Offsets are positions in the stream.
///
/// Where it leaves out bytes of the stream, it states the offset (AofHistory) before the next
/// record, and when nothing follows: then at most once a second.
///
/// A step writes all bytes that are complete, and fsyncs when the policy asks for it: with kAlways
/// after each step's bytes (those appended meanwhile form the next group), with kEverySec once a
/// second, with kNo never; and always before the log moves to its next file.
///
/// Errors:
///
/// - A write fails: the writer cuts the file back to where it began that write, which is where a
///   record ends (best effort), and a second later tries it again.
/// - An fsync fails: Linux may have dropped the pages and call the next fsync a success. So the
///   stream keeps bytes until one fsync that began after them has succeeded, and after a failure
///   they are written again in their place. At most kMaxUnsynced are kept: before that many have
///   gathered, an fsync is due, however early. With kNo nothing is kept, for nothing is promised.
/// - Moving to the next file waits until the old one is synced and the manifest lists the new one;
///   otherwise a crash could leave a gap in the middle of the log.
///
/// Thread rule: Step(), Open(), Finish() from one thread at a time; all others from any.
class AofWriter {
 public:
  static constexpr int64_t kForever = std::numeric_limits<int64_t>::max();
  static constexpr int64_t kRetryUs = 1'000'000;
  static constexpr int64_t kFsyncEveryUs = 1'000'000;
  static constexpr int64_t kSlowFsyncUs = 1'000'000;
  /// How often it states an offset behind which there is no record.
  static constexpr int64_t kStateEveryUs = 1'000'000;
  static constexpr int64_t kMaxUnsynced = int64_t{64} << 20;
  /// After this many bytes it asks the system to write back, which makes the fsync short.
  static constexpr int64_t kWritebackEvery = int64_t{4} << 20;
  /// Written at a time, if a record ends there; what a failed write repeats.
  static constexpr int64_t kStretch = 256 * 1024;

  /// When to step again.
  struct Wait {
    int64_t us = kForever;
    bool for_bytes = true;  ///< or as soon as bytes come
    int64_t gather_us = 0;  ///< how long to wait then for more
  };

  AofWriter(Files& files, const Clock& clock, AofDirectory& directory, AofPending& pending,
            AofFsync fsync, AofObserver* observer);

  /// Before the first file, and after Finish(): files will follow.
  void Restart();
  /// The file to begin with, at its end.
  void Open(AofNewFile file, int64_t size);
  Wait Step();
  /// Writes and syncs everything once, under every policy; then closes the file and wakes all
  /// waiting threads.
  absl::Status Finish();

  int64_t written_offset() const { return written_.load(std::memory_order_acquire); }
  int64_t synced_offset() const { return synced_.load(std::memory_order_acquire); }
  /// The stream keeps what lies behind it for the log: what is not written, or not yet fsynced.
  int64_t kept_offset() const { return kept_.load(std::memory_order_relaxed); }
  int64_t durable_offset() const { return durable_.load(std::memory_order_acquire); }
  bool WhenDurable(int64_t offset, std::function<void()> wake);

  /// The disk has refused bytes, and has not taken any since.
  bool failing() const { return failing_.load(std::memory_order_acquire); }
  /// The error of the disk, while failing: "No space left on device".
  std::string last_error() const;

  void set_fsync(AofFsync fsync);
  void set_fsync_paused(bool paused);

  /// Waits until everything before the offset is durable, `us` at most, but not while failing.
  /// Returns whether it is.
  bool AwaitDurable(int64_t offset, int64_t us);

  /// How often the log has moved to a new file.
  int64_t moves() const;
  /// Waits until there were `moves` moves; an error if the log fails or ends before.
  absl::Status AwaitMove(int64_t moves);

  /// Waits until everything before the offset is written; an error if that fails.
  absl::Status AwaitWritten(int64_t offset);

  /// Bytes of the log outside the file being written.
  int64_t other_bytes() const { return other_bytes_.load(std::memory_order_relaxed); }
  void set_other_bytes(int64_t bytes) { other_bytes_.store(bytes, std::memory_order_relaxed); }
  int64_t file_size() const { return file_size_.load(std::memory_order_relaxed); }
  int64_t delayed_fsyncs() const { return delayed_fsyncs_.load(std::memory_order_relaxed); }
  int64_t last_fsync_us() const { return last_fsync_us_.load(std::memory_order_relaxed); }
  int64_t last_fsync_at_ms() const { return last_fsync_at_ms_.load(std::memory_order_relaxed); }

 private:
  struct Waiter {
    int64_t offset;
    std::function<void()> wake;
  };

  AofFsync policy() const;
  void StartAt(int64_t offset);
  absl::Status Work(bool finishing);
  void GiveUpMoves();
  void TakePending();
  absl::Status WriteAll(bool finishing);
  absl::Status WriteUpTo(int64_t offset);
  absl::Status WriteStretch(int64_t end);
  absl::Status WriteMark(AofMark& mark);
  std::string TextOf(const AofMark& mark) const;
  absl::Status StateOffset();
  absl::Status Append(std::string_view bytes);
  absl::Status AppendStream(int64_t begin, int64_t end);
  absl::Status AppendKept();
  void Written(int64_t file_bytes);
  absl::Status MoveTo(AofNewFile& next);
  void SetSize(int64_t size);
  absl::Status Reopen();
  absl::Status SyncIfDue(bool finishing);
  absl::Status Sync();
  void NoteSynced();
  void NoteFsync(int64_t started_us);
  void DropKept();
  void Fail(const absl::Status& error);
  void Recover();
  void AdvanceDurable();
  void WakeDurable();
  void WakeAll();
  Wait NextWait() const;
  Wait WaitForWork() const;
  /// Us until an offset behind which there is no record may be stated; 0 or less: now.
  int64_t UntilStatement() const;

  Files& files_;
  const Clock& clock_;
  AofDirectory& directory_;
  AofPending& pending_;
  AofObserver* const observer_;

  // The stepping thread's.
  AofNewFile current_;              // its file is null if it must be opened anew
  int64_t size_ = 0;                // bytes of it that were written, up to where a record ends
  int64_t claimed_ = 0;             // the offset up to which it may write
  std::deque<AofMark> marks_;       // up to claimed_, not yet written
  std::deque<AofMark> kept_marks_;  // written behind kept_
  int64_t unsynced_bytes_ = 0;      // of the file, behind kept_
  bool rewrite_unsynced_ = false;   // an fsync failed: they must be written again
  bool dirty_ = false;              // written since the last fsync that succeeded
  int64_t last_sync_us_ = 0;        // when the last fsync began, on the monotonic clock
  int64_t writeback_at_ = 0;        // size_ at which to start it next
  AofHistory history_;              // as the file states it
  bool left_out_ = false;           // bytes before written_, and the offset is not stated yet
  int64_t last_statement_us_ = 0;   // of an offset at the end, on the monotonic clock
  bool statement_due_ = true;       // when this step began

  std::atomic<AofFsync> fsync_;
  std::atomic<bool> fsync_paused_ = false;
  std::atomic<bool> failing_ = false;
  std::atomic<int64_t> written_ = 0;
  std::atomic<int64_t> synced_ = 0;
  std::atomic<int64_t> durable_ = 0;
  std::atomic<int64_t> kept_ = 0;
  std::atomic<int64_t> file_size_ = 0;
  std::atomic<int64_t> other_bytes_ = 0;
  std::atomic<int64_t> delayed_fsyncs_ = 0;
  std::atomic<int64_t> last_fsync_us_ = 0;
  std::atomic<int64_t> last_fsync_at_ms_ = 0;

  mutable Mutex mutex_;
  std::vector<Waiter> waiters_ ABSL_GUARDED_BY(mutex_);
  absl::Status last_failure_ ABSL_GUARDED_BY(mutex_);
  int64_t moves_ ABSL_GUARDED_BY(mutex_) = 0;
  bool finished_ ABSL_GUARDED_BY(mutex_) = true;  ///< no file follows
  CondVar progress_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_AOF_AOF_WRITER_H_
