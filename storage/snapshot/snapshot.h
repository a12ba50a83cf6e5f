#ifndef CLOAKROOM_STORAGE_SNAPSHOT_SNAPSHOT_H_
#define CLOAKROOM_STORAGE_SNAPSHOT_SNAPSHOT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "storage/base/mutex.h"
#include "storage/keyspace/key_hash.h"
#include "storage/keyspace/table.h"
#include "storage/snapshot/pre_images.h"
#include "storage/snapshot/snapshot_batch.h"

namespace cloakroom {

class Database;
class Keyspace;
struct Stripe;

/// The state of a whole keyspace at one instant, read while commands go on changing it, without
/// fork. A keyspace has one Snapshot, which takes one snapshot at a time.
///
/// Every entry carries a bit, its epoch. At the instant, with all gates closed for some
/// microseconds, the keyspace's epoch flips; all entries are then older than it. A walker visits
/// the stripes a few buckets at a time, copies each older entry (snapshot_batch.h) and flips its
/// bit. Before an older entry is changed or removed, WriteScope (when it opens the key) copies it
/// into the pre-images and flips its bit; a new entry gets the new epoch. So each entry comes out
/// exactly once, as it was at the instant, and after the walk all bits are alike again. The
/// snapshot counts the entries that it meets; it has failed if the count differs from that at the
/// instant.
///
/// The walk follows the contents of a database, not its number: SWAPDB moves the contents, and with
/// them the number of the instant by which the walk knows them. The walker first passes the
/// database's gate and then reads that number; SWAPDB and FLUSHDB close the gate. The walk skips a
/// database whose gate is closed, and comes back to it.
///
/// The snapshot needs no pre-image of an entry that has expired, since a load would drop it, nor of
/// one that is evicted, since the server may forget it at any time. A flushed database hands over
/// its whole tables, which take memory until they are walked; when memory is short they are freed
/// and the snapshot has failed, and must begin again. If a log follows the snapshot they are freed
/// at once, since the log says that their keys are gone. (For keys that a log names, see
/// Database::KeepForLog.)
///
/// Memory: a batch under way, flushed tables, and the pre-images that the walker has not taken, at
/// most `max_pre_image_bytes`. Beyond that the snapshot has failed; writers never wait for it.
///
/// Thread rule: Begin, Next and Cancel by one thread, the walker. The others under the locks that
/// they name.
class Snapshot {
 public:
  explicit Snapshot(Keyspace& keyspace) : keyspace_(keyspace) {}
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  /// The walk is not over. Any thread.
  bool active() const { return active_.load(std::memory_order_relaxed); }
  /// The epoch of new entries. Changes with all gates closed, so it stays the same during a hold.
  bool epoch() const { return epoch_; }
  /// For a keyspace without entries whose data will be swapped for that of another one: its entries
  /// get that one's epoch.
  void FollowEpoch(const Snapshot& other) { epoch_ = other.epoch_; }

  struct Options {
    size_t max_pre_image_bytes = size_t{64} << 20;
    /// A log that is loaded after the snapshot has all changes from the instant on.
    bool log_follows = false;
    /// The caller has closed all gates already, and keeps them closed until the walk is over.
    bool gates_closed = false;
  };
  struct Facts {
    size_t keys = 0;            ///< in all databases, at the instant
    bool field_expiry = false;  ///< some hash has fields that expire
  };
  /// The instant: closes all gates, waiting for running commands, and calls `at_instant` before it
  /// opens them again. First ends what an earlier Cancel had to leave. Returns nullopt if
  /// `give_up`, which is asked while it waits for gates, returned true. REQUIRES: the last snapshot
  /// has been ended or cancelled.
  std::optional<Facts> Begin(
      const Options& options, absl::FunctionRef<void()> at_instant,
      absl::FunctionRef<bool()> give_up = [] { return false; });

  enum class Step : uint8_t {
    kGave,  ///< some entries
    kBusy,  ///< all remaining entries are behind closed gates: come back in a moment
    kEnd,   ///< there are no more
  };
  /// Returns the next entries, some tens of KB of them besides large values. First drops what
  /// `batch` held. Waits for no gate.
  Step Next(SnapshotBatch* batch);
  /// Gives up the rest: flips the remaining bits, which takes a fraction of a second per ten
  /// million keys. Leaves those behind closed gates to the next Begin: active() until then.
  void Cancel();

  enum class Failure : uint8_t {
    kNone,
    kTooManyPreImages,  ///< they exceeded their limit
    kMemoryNeeded,      ///< flushed tables had to be freed: begin again
    kIncomplete,        ///< entries were missed, or came twice: a defect of this server
  };
  /// Why the results of Next are no snapshot; cancel it then. Final after kEnd. Any thread.
  Failure failure() const { return failure_.load(); }
  /// Of the latest snapshot: the keys at its instant, and the entries returned so far. Any thread.
  size_t keys_total() const { return keys_total_.load(std::memory_order_relaxed); }
  size_t keys_done() const { return keys_done_.load(std::memory_order_relaxed); }
  /// The memory of pre-images that were not taken yet. Any thread.
  size_t pre_image_bytes() const { return pre_images_.bytes(); }

  /// Copies an older entry that is about to change. The entry's stripe is held.
  void KeepPreImage(const Database& db, KeyHash hash, Entry* entry);
  /// An older entry is about to expire or to be evicted. The entry's stripe is held.
  void LeaveOut(const Database& db, KeyHash hash, Entry* entry);
  /// Takes over the table of a stripe, by its number, that is flushed. False: the snapshot does not
  /// need the table, and it remains the caller's. The gate is closed.
  bool TakeTable(const Database& db, uint32_t stripe, Table* table);
  /// Frees flushed tables, so that the snapshot fails. False: there are none. Any thread.
  bool FreeFlushedTables();

 private:
  /// A table outside the keyspace, and how far the walk has come in it.
  struct LooseTable {
    int db;
    Table table;
    uint64_t position = 0;
  };
  /// How far the walk has come in a database's contents: the stripe (their number when it is over)
  /// and the position in its table. Written with the gate passed, or with all of them closed.
  struct Progress {
    uint32_t stripe = 0;
    uint64_t position = 0;
  };

  bool EndCancelledWalk(absl::FunctionRef<bool()> give_up);
  bool WalkLooseTables(SnapshotBatch* batch);
  Step WalkKeyspace(SnapshotBatch* batch);
  /// Walks a few buckets of what is in the database now. False: there is nothing left to walk, or
  /// its gate is closed.
  bool WalkDatabase(Database& db, SnapshotBatch* batch);
  /// Returns whether more of the stripe is left.
  bool WalkStripe(Stripe& stripe, int db, uint64_t* position, SnapshotBatch* batch);
  /// Copies the older entries of the table from a position on, and flips their bits.
  uint64_t WalkTable(Table& table, int db, uint64_t position, SnapshotBatch* batch);
  void DropLooseTables();
  /// Ends the snapshot when no more entries can come.
  bool Finished();
  void Fail(Failure why);
  /// The walker still wants entries older than the epoch.
  bool wanted() const { return wanted_.load(std::memory_order_relaxed); }

  Keyspace& keyspace_;

  // Every command reads these; on another cache line than what changes during a snapshot.
  alignas(64) bool epoch_ = false;  ///< written with all gates closed
  std::atomic<bool> active_ = false;
  std::atomic<bool> wanted_ = false;
  bool log_follows_ = false;  ///< written with all gates closed

  alignas(64) std::atomic<Failure> failure_ = Failure::kNone;
  std::atomic<bool> exact_ = true;  ///< no entry was freed unseen
  std::atomic<size_t> keys_total_ = 0;
  std::atomic<size_t> keys_done_ = 0;

  // The walker's.
  bool gates_closed_ = false;
  int at_ = 0;                         ///< the database to try next, by its present number
  size_t unwalked_ = 0;                ///< contents in which the walk is not over
  size_t walked_ = 0;                  ///< entries that it has met
  std::unique_ptr<LooseTable> loose_;  ///< being walked
  /// By the number at the instant. Written by the walker with the gate passed; read with it closed.
  std::vector<Progress> progress_;

  PreImages pre_images_;

  Mutex mutex_;  ///< innermost: taken with gates closed
  std::deque<std::unique_ptr<LooseTable>> loose_tables_ ABSL_GUARDED_BY(mutex_);
  std::atomic<size_t> loose_count_ = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_SNAPSHOT_SNAPSHOT_H_
