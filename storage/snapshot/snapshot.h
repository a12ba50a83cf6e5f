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
/// fork. A keyspace has one of these; one snapshot is taken at a time.
///
/// Every entry carries a bit, its epoch. At the instant, with all gates closed for some
/// microseconds, the keyspace's epoch flips: all entries are older than it then. A walker visits
/// the stripes a few buckets at a time, copies each older entry (snapshot_batch.h) and flips its
/// bit. Whoever is about to change or remove an older entry (WriteScope, when it opens a key) first
/// copies it into the pre-images, and flips its bit; a new entry is born with the new epoch. So
/// each entry comes out exactly once, as it was at the instant, and when the walk is over all bits
/// are alike again. That every entry was come across once is counted; a snapshot in which the count
/// is another has failed.
///
/// What is walked is the contents of a database, not its number: SWAPDB moves contents, and with
/// them the number of the instant by which the walk knows them. Whoever walks passes the gate of
/// the database first and looks at the number then; SWAPDB and FLUSHDB close it. A database whose
/// gate is closed is passed over and come back to.
///
/// What the snapshot does without: an entry whose time has come, and one that is evicted, need no
/// pre-image, since whoever loads the snapshot would drop the one, and the server may forget the
/// other at any time. A database that is flushed hands its tables over whole, which takes memory
/// until they are walked; when memory is short they are freed and the snapshot has failed, to be
/// begun again. Where a log follows the snapshot they are freed at once: with the log, which says
/// that they are gone, they would be for nothing. (For what a log names, see Database::KeepForLog.)
///
/// Memory: a batch under way, flushed tables, and the pre-images that the walker has not fetched,
/// at most `max_pre_image_bytes`; beyond that the snapshot has failed, rather than writers wait.
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
  /// The epoch of new entries. Changes with all gates closed, so it stands still during a hold.
  bool epoch() const { return epoch_; }

  struct Options {
    size_t max_pre_image_bytes = size_t{64} << 20;
    /// All changes from the instant on are in a log that is loaded behind the snapshot.
    bool log_follows = false;
    /// The caller has closed all gates already, and keeps them so until the walk is over.
    bool gates_closed = false;
  };
  struct Facts {
    size_t keys = 0;            ///< in all databases, at the instant
    bool field_expiry = false;  ///< some hash has fields that expire
  };
  /// The instant: closes all gates, waiting for what runs, and calls `at_instant` before it opens
  /// them again. Ends first what a Cancel had to leave. REQUIRES: no snapshot that is to be ended
  /// or cancelled yet.
  /// nullopt: `give_up`, which is asked while gates are waited for, has answered true.
  std::optional<Facts> Begin(
      const Options& options, absl::FunctionRef<void()> at_instant,
      absl::FunctionRef<bool()> give_up = [] { return false; });

  enum class Step : uint8_t {
    kGave,  ///< some entries
    kBusy,  ///< all that is left is behind closed gates: come back in a moment
    kEnd,   ///< there are no more
  };
  /// Gives the next entries, some tens of KB of them besides large values. What `batch` held is
  /// dropped first. Waits for no gate.
  Step Next(SnapshotBatch* batch);
  /// Gives the rest up: flips the bits that are left, which takes a fraction of a second per ten
  /// million keys. Those behind closed gates are left for the next Begin: active() until then.
  void Cancel();

  enum class Failure : uint8_t {
    kNone,
    kTooManyPreImages,  ///< they went past their limit
    kMemoryNeeded,      ///< flushed tables had to be freed: begin again
    kIncomplete,        ///< entries were missed, or came twice: a defect of this server
  };
  /// Why what Next gave is no snapshot. Cancel it. After kEnd: final. Any thread.
  Failure failure() const { return failure_.load(); }
  /// Of the latest snapshot: the keys at its instant, and the entries given so far. Any thread.
  size_t keys_total() const { return keys_total_.load(std::memory_order_relaxed); }
  size_t keys_done() const { return keys_done_.load(std::memory_order_relaxed); }
  /// What pre-images take that were not fetched yet. Any thread.
  size_t pre_image_bytes() const { return pre_images_.bytes(); }

  /// Copies an older entry that is about to change. The entry's stripe is held.
  void KeepPreImage(const Database& db, KeyHash hash, Entry* entry);
  /// An older entry is about to go because its time has come, or by eviction. The same.
  void LeaveOut(const Database& db, KeyHash hash, Entry* entry);
  /// Takes over the table of a stripe, by its number, that is flushed. False: no need, the table
  /// stays the caller's. The gate is closed.
  bool TakeTable(const Database& db, uint32_t stripe, Table* table);
  /// Frees flushed tables, for which the snapshot fails. False: there are none. Any thread.
  bool FreeFlushedTables();

 private:
  /// A table without a place in the keyspace, and how far the walk has come in it.
  struct LooseTable {
    int db;
    Table table;
    uint64_t position = 0;
  };
  /// How far the walk has come in the contents of a database: the stripe, all of them when it is
  /// over, and the position in its table. Written with the gate passed, or all of them closed.
  struct Progress {
    uint32_t stripe = 0;
    uint64_t position = 0;
  };

  bool EndCancelledWalk(absl::FunctionRef<bool()> give_up);
  bool WalkLooseTables(SnapshotBatch* batch);
  Step WalkKeyspace(SnapshotBatch* batch);
  /// A few buckets of what is in the database now. False: there is nothing left to walk, or its
  /// gate is closed.
  bool WalkDatabase(Database& db, SnapshotBatch* batch);
  /// Says whether more are left of the stripe.
  bool WalkStripe(Stripe& stripe, int db, uint64_t* position, SnapshotBatch* batch);
  /// Copies and flips what is older in the table, from a position on.
  uint64_t WalkTable(Table& table, int db, uint64_t position, SnapshotBatch* batch);
  void DropLooseTables();
  /// Ends the snapshot when nothing can come any more.
  bool Finished();
  void Fail(Failure why);
  /// Somebody still wants what is older than the epoch.
  bool wanted() const { return wanted_.load(std::memory_order_relaxed); }

  Keyspace& keyspace_;

  // What every command reads, apart from what changes during a snapshot.
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
  int at_ = 0;                         ///< the database, by its number now, that is tried next
  size_t unwalked_ = 0;                ///< contents in which the walk is not over
  size_t walked_ = 0;                  ///< entries that it has come across
  std::unique_ptr<LooseTable> loose_;  ///< being walked
  /// By the number at the instant. The walker's while it passes the gate; read with it closed.
  std::vector<Progress> progress_;

  PreImages pre_images_;

  Mutex mutex_;  ///< innermost: taken with gates closed
  std::deque<std::unique_ptr<LooseTable>> loose_tables_ ABSL_GUARDED_BY(mutex_);
  std::atomic<size_t> loose_count_ = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_SNAPSHOT_SNAPSHOT_H_
