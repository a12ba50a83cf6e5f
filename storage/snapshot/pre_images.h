#ifndef CLOAKROOM_STORAGE_SNAPSHOT_PRE_IMAGES_H_
#define CLOAKROOM_STORAGE_SNAPSHOT_PRE_IMAGES_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "storage/base/mutex.h"
#include "storage/keyspace/entry.h"
#include "storage/keyspace/key_hash.h"
#include "storage/snapshot/snapshot_batch.h"

namespace cloakroom {

/// The pre-images of entries that changed before a snapshot's walker came to them, until it takes
/// them (snapshot.h).
///
/// Writers add with a stripe held, so an addition only copies the entry: the copies lie in pieces
/// of memory that never move, and writers of different stripes use different shards. At most
/// `max_bytes` are kept; further entries are counted but not kept.
///
/// Thread rule: Open, Take and Close by the walker; the others by any thread.
class PreImages {
 public:
  /// Keeps pre-images from now on. REQUIRES: closed, with nothing left over; all gates closed.
  void Open(size_t max_bytes);
  /// Keeps no more; what is there stays.
  void StopKeeping() { keeping_ = false; }
  /// The same, and drops what is there.
  void Close();

  /// Keeps an entry of a database, by its number at the instant. False: over the limit. The entry's
  /// stripe is held.
  bool Add(KeyHash hash, int db, const Entry& entry);
  /// Counts an entry that the snapshot does not need.
  void LeaveOut(KeyHash hash);

  /// Moves about `bytes` of them into an empty batch. False: there are none.
  bool Take(SnapshotBatch* batch, size_t bytes);

  bool empty() const;
  /// The memory that they retain.
  size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  /// Calls of Add and LeaveOut since Open.
  size_t settled() const;

 private:
  static constexpr size_t kShards = 16;
  struct alignas(64) Shard {
    mutable Mutex mutex;  ///< innermost: taken with a stripe held
    SnapshotBatch batch ABSL_GUARDED_BY(mutex);
    size_t settled ABSL_GUARDED_BY(mutex) = 0;
  };
  Shard& ShardOf(KeyHash hash) { return shards_[hash.stripe() % kShards]; }

  std::atomic<bool> keeping_ = false;
  std::atomic<size_t> max_bytes_ = 0;
  std::array<Shard, kShards> shards_;
  alignas(64) std::atomic<size_t> bytes_ = 0;
  size_t next_shard_ = 0;  ///< the walker's
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_SNAPSHOT_PRE_IMAGES_H_
