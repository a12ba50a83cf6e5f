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

/// A file that the log is to go on in.
struct AofNewFile {
  std::string path;
  std::unique_ptr<WritableFile> file;
};

/// A piece of the log on its way to the disk.
struct AofChunk {
  std::string bytes;
  /// Set: these bytes and those behind them belong in a new file.
  std::optional<AofNewFile> new_file;
};

/// The bytes between those who append and the one who writes. Kept in chunks of some 256 KB, so
/// that growing never copies much while others wait.
///
/// Appending holds a mutex for a bounded time, some microseconds: a short batch is encoded in
/// place; one of many words is encoded before the mutex is taken, and then copied; from kCopied
/// bytes on the pieces become chunks themselves. It notifies only a writer that sleeps.
///
/// Memory: what is pending, and the chunks of it that wait for the next bytes, some 3 MB at most.
///
/// Thread rule: any thread; Take(), Recycle() and Await() are for the writer's alone.
class AofPending {
 public:
  static constexpr size_t kChunk = 256 * 1024;
  /// More bytes than these are not copied with the mutex held: some 10 us.
  static constexpr size_t kCopied = 64 * 1024;
  /// More words than these are not encoded with it held.
  static constexpr size_t kShortWords = 256;
  /// How long a woken writer lets more bytes come before it writes: with `appendfsync always`
  /// nothing, since the fsync itself gathers.
  static constexpr int64_t kGatherUs = 2000;

  /// When bytes wake the writer.
  enum class Due {
    kNow,
    kOnDemand,  ///< when Demand() names them, or with others that are due, or a chunk is full
  };

  explicit AofPending(const Clock& clock) : clock_(clock) {}

  /// The offset behind the bytes. Dropped while not accepting.
  int64_t Append(std::string_view bytes, Due due = Due::kNow);
  /// The same for changes, which stay together.
  int64_t AppendChanges(const ChangeBatch& batch, Due due = Due::kNow);
  /// The same for changes that `encode` encodes, as slowly as it likes: nobody waits for it. They
  /// take their place in the order when it is done.
  int64_t AppendEncoded(absl::FunctionRef<EncodedChanges()> encode, Due due = Due::kNow);
  /// What comes before `offset` is due.
  void Demand(int64_t offset);
  int64_t appended() const { return appended_.load(std::memory_order_relaxed); }

  /// Whether bytes are kept. Off at first. When they begin to be, the database that is selected is
  /// not known.
  void set_accepting(bool accepting);
  /// Writes "#TS:<seconds>" lines before what is appended, when a second has gone by.
  void set_timestamps(bool on);

  /// Bytes from here on belong in `file`, and say their database anew; accepting from now on.
  /// Returns the offset.
  int64_t Switch(AofNewFile file);

  /// All that is there, in order.
  std::vector<AofChunk> Take();
  /// Gives a written chunk's memory back for the next.
  void Recycle(std::string bytes);
  /// Sleeps until bytes are due and have gathered (if `for_bytes`), `us` have gone by, or Wake().
  /// Whether bytes are due.
  bool Await(bool for_bytes, int64_t us, int64_t gather_us);
  /// Ends Await at once, or the next one if nobody sleeps.
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
  int64_t ended_ ABSL_GUARDED_BY(mutex_) = 0;  // bytes of all chunks before current_, ever
  CommandStream stream_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> spares_ ABSL_GUARDED_BY(mutex_);
  bool accepting_ ABSL_GUARDED_BY(mutex_) = false;
  bool timestamps_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t last_timestamp_s_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t taken_ ABSL_GUARDED_BY(mutex_) = 0;    // the offset behind what was taken
  bool due_ ABSL_GUARDED_BY(mutex_) = false;     // some of what was not
  bool asleep_ ABSL_GUARDED_BY(mutex_) = false;  // the writer, until bytes are due
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  CondVar wake_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_AOF_AOF_PENDING_H_
