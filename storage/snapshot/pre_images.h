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

/// The old states of entries that changed before a snapshot's walker came to them, until it fetches
/// them (snapshot.h).
///
/// Writers add with a stripe held, so an addition is a copy of the entry and never more: the copies
/// lie in pieces that stay where they are, and writers of different stripes meet in different
/// shards. At most `max_bytes` are kept; what comes beyond is counted and not kept.
///
/// Thread rule: Open, Take and Close by the walker; the others by any thread.
class PreImages {
 public:
  /// From here on they are kept. REQUIRES: closed, with nothing left over; all gates closed.
  void Open(size_t max_bytes);
  /// Nothing is kept any more; what is there stays.
  void StopKeeping() { keeping_ = false; }
  /// The same, and drops what is there.
  void Close();

  /// Keeps an entry of a database, by its number at the instant. False: it would be too much.
  /// The entry's stripe is held.
  bool Add(KeyHash hash, int db, const Entry& entry);
  /// Counts an entry that the snapshot does without.
  void LeaveOut(KeyHash hash);

  /// Moves some of them, about so many bytes, into an empty batch. False: there are none.
  bool Take(SnapshotBatch* batch, size_t bytes);

  bool empty() const;
  /// What they retain.
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
