#ifndef CLOAKROOM_REPLICATION_AOF_AOF_PENDING_H_
#define CLOAKROOM_REPLICATION_AOF_AOF_PENDING_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "replication/files/files.h"
#include "replication/stream/command_stream.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// A file in which the log is to continue.
struct AofNewFile {
  std::string path;
  std::unique_ptr<WritableFile> file;
};

/// A piece of the log on its way to the disk.
struct AofChunk {
  std::string bytes;
  /// If set: these bytes and the following ones belong in a new file.
  std::optional<AofNewFile> new_file;
};

/// The bytes between the appending threads and the writer. Kept in chunks of about 256 KB, so that
/// growing never copies much while others wait.
///
/// Appending holds a mutex for a bounded time, some microseconds: a short batch is encoded in
/// place; a batch of many words is encoded before the mutex is taken, and then copied; pieces of
/// kCopied bytes or more become chunks themselves. Only a sleeping writer is notified.
///
/// Memory: the pending bytes, and chunks kept for the next ones, about 3 MB at most.
///
/// Thread rule: any thread; Take(), Recycle() and Await() only for the writer.
class AofPending {
 public:
  static constexpr size_t kChunk = 256 * 1024;
  /// More bytes than these are not copied with the mutex held: about 10 us.
  static constexpr size_t kCopied = 64 * 1024;
  /// More words than these are not encoded with it held.
  static constexpr size_t kShortWords = 256;
  /// How long a woken writer waits for more bytes before it writes; not used with `appendfsync
  /// always`, where bytes gather during the fsync itself.
  static constexpr int64_t kGatherUs = 2000;

  /// When bytes wake the writer.
  enum class Due {
    kNow,
    kOnDemand,  ///< when Demand() names them, or with others that are due, or when a chunk is full
  };

  explicit AofPending(const Clock& clock) : clock_(clock) {}

  /// Returns the offset behind the bytes. Drops them while not accepting.
  int64_t Append(std::string_view bytes, Due due = Due::kNow);
  /// The same for changes, which stay together.
  int64_t AppendChanges(const ChangeBatch& batch, Due due = Due::kNow);
  /// The same for changes that `encode` encodes, however slowly: nobody waits for it. They take
  /// their place in the order when it is done.
  int64_t AppendEncoded(absl::FunctionRef<EncodedChanges()> encode, Due due = Due::kNow);
  /// Everything before `offset` is due.
  void Demand(int64_t offset);
  int64_t appended() const { return appended_.load(std::memory_order_relaxed); }

  /// Whether bytes are kept; off at first. When it is turned on, the selected database is unknown.
  void set_accepting(bool accepting);
  /// Writes "#TS:<seconds>" lines before appended bytes, at most one a second.
  void set_timestamps(bool on);

  /// Bytes from here on belong in `file`, and select their database anew; turns accepting on.
  /// Returns the offset.
  int64_t Switch(AofNewFile file);

  /// Everything that is there, in order.
  std::vector<AofChunk> Take();
  /// Takes back the memory of a written chunk for the next one.
  void Recycle(std::string bytes);
  /// Sleeps until bytes are due and have gathered (if `for_bytes`), `us` have passed, or Wake().
  /// Returns whether bytes are due.
  bool Await(bool for_bytes, int64_t us, int64_t gather_us);
  /// Ends Await at once, or the next one if the writer does not sleep.
  void Wake();

 private:
  /// Calls `add`, which needs the mutex, and does what an append entails.
  template <typename Add>
  int64_t AppendWith(Due due, Add add);
  void Splice(EncodedChanges& changes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Annotate() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndChunk() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  std::atomic<int64_t> appended_ = 0;

  Mutex mutex_;
  std::vector<AofChunk> full_ ABSL_GUARDED_BY(mutex_);
  std::string current_ ABSL_GUARDED_BY(mutex_);
  int64_t ended_ ABSL_GUARDED_BY(mutex_) = 0;  // bytes of all chunks that were before current_
  CommandStream stream_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> spares_ ABSL_GUARDED_BY(mutex_);
  bool accepting_ ABSL_GUARDED_BY(mutex_) = false;
  bool timestamps_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t last_timestamp_s_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t taken_ ABSL_GUARDED_BY(mutex_) = 0;    // the offset behind the bytes taken
  bool due_ ABSL_GUARDED_BY(mutex_) = false;     // some of the others
  bool asleep_ ABSL_GUARDED_BY(mutex_) = false;  // the writer, until bytes are due
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  CondVar wake_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_AOF_AOF_PENDING_H_
