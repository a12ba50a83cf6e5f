#ifndef CLOAKROOM_REPLICATION_AOF_AOF_PENDING_H_
#define CLOAKROOM_REPLICATION_AOF_AOF_PENDING_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "replication/aof/aof_history.h"
#include "replication/files/files.h"
#include "replication/stream/change_stream.h"
#include "replication/stream/change_words.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// A file in which the log is to continue.
struct AofNewFile {
  std::string path;
  std::unique_ptr<WritableFile> file;
};

/// What the log has at a position of the stream that the stream does not have there.
struct AofMark {
  int64_t position = 0;
  /// If set: the bytes from there on belong in a new file.
  std::optional<AofNewFile> new_file = {};
  std::string text = {};  ///< whole lines or commands, written before the stream's bytes
  int64_t skipped = 0;    ///< so many bytes of the stream from there on are not in the log
  /// If set: from there on the stream is that of this history.
  std::optional<AofHistory> history = {};
};

/// What threads append to the log and its writer has not claimed yet. The bytes themselves are in
/// the stream of changes; this decides when they are due, and marks where the log differs.
///
/// Appending takes no mutex, unless the writer sleeps and is to be woken, or the log's next
/// timestamp is due.
///
/// Thread rule: any thread; Claim(), TakeMarks() and Await() only for the writer.
class AofPending final : private StreamReader {
 public:
  /// Nobody's demand is awaited for more bytes than these.
  static constexpr int64_t kFull = 256 * 1024;
  /// How long a woken writer waits for more bytes before it writes; not used with `appendfsync
  /// always`, where bytes gather during the fsync itself.
  static constexpr int64_t kGatherUs = 2000;

  /// When bytes wake the writer.
  enum class Due {
    kNow,
    kOnDemand,  ///< when Demand() names them, or with others that are due, or if there are many
  };

  AofPending(ChangeStream& stream, const Clock& clock, OldestReader oldest = OldestReader::kRedis7)
      : stream_(stream), clock_(clock), oldest_(oldest) {
    stream_.Add(*this);
  }
  ~AofPending() override;

  /// Gives changes, which stay together, their place; Complete() writes them.
  ChangePlace Reserve(const ChangeBatch& batch, GateSlot slot, Due due);
  void Complete(const ChangeBatch& batch, const ChangePlace& place);
  /// Both at once; returns the offset behind the changes.
  int64_t AppendChanges(const ChangeBatch& batch, Due due = Due::kNow);
  /// Appends whole commands.
  int64_t Append(std::string_view bytes, Due due = Due::kNow);
  /// Appends whole commands for the stream's other readers, which the log leaves out. Wakes the
  /// writer if that has asked for it.
  int64_t AppendUnlogged(std::string_view bytes);
  /// The stream follows another one (ChangeStream::Extend). `instead`: what the log has in place of
  /// these bytes; nullopt: the same.
  void Extend(int64_t end, int db, std::optional<std::string> instead);
  /// Everything before `offset` is due.
  void Demand(int64_t offset);
  int64_t appended() const { return stream_.tail(); }

  /// Whether there is a log, which gets marks; false at first.
  void set_logging(bool logging) { logging_.store(logging, std::memory_order_relaxed); }
  /// The log is on, in a file that has been opened. `is_new`: which is empty, and must say the
  /// database that the stream has selected. REQUIRES: nobody appends.
  void Begin(bool is_new);
  /// The stream is that of this history from the tail on. The log states it if it is on.
  void SetHistory(AofHistory history);
  /// The log that will be opened makes statements, so Begin() must make one.
  void NoteStatements();
  /// The data is another than the log says: until its next base, it states no history.
  void Distrust();
  /// The stream goes on in this database, which its bytes behind the tail need not say.
  void Select(int db);
  /// Writes "#TS:<seconds>" lines before appended bytes, at most one a second.
  void set_timestamps(bool on) { timestamps_.store(on, std::memory_order_relaxed); }

  /// Bytes from here on belong in `file`, which begins with their database; the log is on.
  /// Returns the offset.
  int64_t Switch(AofNewFile file);

  /// Whether the next bytes that the log leaves out are due. Call it before Claim().
  void set_unlogged_wakes(bool wakes) { unlogged_wakes_.store(wakes, std::memory_order_seq_cst); }
  /// Everything that is complete is the writer's. Returns the offset behind it; never less than
  /// before.
  int64_t Claim();
  /// Waits until everything that was appended is complete: some microseconds, the copies of threads
  /// that have reserved. For the end of the log.
  void AwaitComplete() const;
  /// Appends the marks up to the claimed offset, in order, to `marks`.
  void TakeMarks(std::deque<AofMark>& marks);
  /// The stream keeps what lies behind the offset for the writer.
  void KeepFrom(int64_t offset) { stream_.Keep(*this, offset); }
  void KeepNothing() { stream_.Keep(*this, ChangeStream::kNothing); }
  ChangeStream& stream() { return stream_; }

  /// Sleeps until bytes are due and have gathered (if `for_bytes`), `us` have passed, or Wake().
  /// Returns whether bytes are due.
  bool Await(bool for_bytes, int64_t us, int64_t gather_us);
  /// Ends Await at once, or the next one if the writer does not sleep.
  void Wake();

 private:
  void StreamMoved() override;
  void Completed(const ChangePlace& place);
  void Announce(bool due);
  bool IsDue() const;
  bool logging() const { return logging_.load(std::memory_order_relaxed); }
  void Annotate(int64_t position);
  void AddMark(AofMark mark);
  void Insert(AofMark mark) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  ChangeStream& stream_;
  const Clock& clock_;
  const OldestReader oldest_;
  std::atomic<bool> logging_ = false;
  std::atomic<bool> timestamps_ = false;
  std::atomic<int64_t> last_timestamp_s_ = 0;
  std::atomic<bool> due_now_ = false;         ///< something behind claimed_ waits for no demand
  std::atomic<int64_t> demanded_ = 0;         ///< everything before it is due
  std::atomic<int64_t> claimed_ = 0;          ///< the writer's
  std::atomic<bool> asleep_ = false;          ///< the writer, until bytes are due
  std::atomic<bool> unlogged_wakes_ = false;  ///< the writer wants to hear of bytes it leaves out

  Mutex mutex_;
  std::deque<AofMark> marks_ ABSL_GUARDED_BY(mutex_);  ///< in the order of their positions
  AofHistory history_ ABSL_GUARDED_BY(mutex_);
  bool states_ ABSL_GUARDED_BY(mutex_) = false;      ///< the log makes statements
  bool distrusted_ ABSL_GUARDED_BY(mutex_) = false;  ///< until the next base
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  CondVar wake_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_AOF_AOF_PENDING_H_
