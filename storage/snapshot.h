#ifndef CLOAKROOM_STORAGE_SNAPSHOT_H_
#define CLOAKROOM_STORAGE_SNAPSHOT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "storage/mutex.h"
#include "storage/snapshot_batch.h"
#include "storage/table.h"

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
/// are alike again. A database that is flushed hands its tables over whole.
///
/// Memory: a batch under way and the pre-images that the walker has not fetched, at most
/// `max_pre_image_bytes`; beyond that the snapshot has failed, rather than writers wait.
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

  struct Facts {
    size_t keys = 0;            ///< in all databases, at the instant
    bool field_expiry = false;  ///< some hash has fields that expire
  };
  /// The instant: closes all gates, waiting for what runs, and calls `at_instant` before it opens
  /// them again. REQUIRES: !active().
  /// `gates_closed`: the caller has closed all of them already, and keeps them so until the walk
  /// is over.
  Facts Begin(size_t max_pre_image_bytes, absl::FunctionRef<void()> at_instant,
              bool gates_closed = false);

  /// Gives the next entries, some tens of KB of them besides large values; false at the end. What
  /// `batch` held is dropped first.
  bool Next(SnapshotBatch* batch);
  /// Gives the rest up: flips the bits that are left, which takes a fraction of a second per ten
  /// million keys.
  void Cancel();
  /// Pre-images went past their limit: what Next gave is no snapshot. Cancel it.
  bool failed() const { return failed_.load(); }
  /// Of the latest snapshot: the keys at its instant, and the entries given so far. Any thread.
  size_t keys_total() const { return keys_total_.load(std::memory_order_relaxed); }
  size_t keys_done() const { return keys_done_.load(std::memory_order_relaxed); }

  /// Copies an older entry that is about to change. The entry's stripe is held.
  void KeepPreImage(const Database& db, Entry* entry);
  /// Takes over the table of a database that is flushed. False: no need, the table stays the
  /// caller's. The gate is closed.
  bool TakeTable(const Database& db, Table* table);

 private:
  /// A table without a place in the keyspace, and how far the walk has come in it.
  struct LooseTable {
    int db;
    Table table;
    uint64_t position = 0;
  };
  /// Where the walk is in the keyspace.
  struct Place {
    int db = 0;  ///< by its number at the instant
    uint32_t stripe = 0;
    uint64_t position = 0;
  };

  bool TakePreImages(SnapshotBatch* batch);
  bool WalkLooseTables(SnapshotBatch* batch);
  bool WalkKeyspace(SnapshotBatch* batch);
  /// A few buckets; says whether more are left of the stripe.
  bool WalkStripe(Database& db, Stripe& stripe, SnapshotBatch* batch);
  /// Copies and flips what is older in the table, from a position on. Null: only flips.
  uint64_t WalkTable(Table& table, int db, uint64_t position, SnapshotBatch* batch);
  /// Ends the snapshot when nothing can come any more.
  bool Finished();

  Keyspace& keyspace_;
  bool epoch_ = false;         ///< written with all gates closed
  bool gates_closed_ = false;  ///< the walker's
  Place place_;                ///< the walker's
  bool cancelled_ = false;     ///< the walker's
  std::atomic<bool> active_ = false;
  std::atomic<bool> failed_ = false;
  std::atomic<size_t> keys_total_ = 0;
  std::atomic<size_t> keys_done_ = 0;

  Mutex mutex_;  ///< innermost: taken with a stripe held
  size_t max_pre_image_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  SnapshotBatch pre_images_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::unique_ptr<LooseTable>> loose_tables_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_SNAPSHOT_H_
