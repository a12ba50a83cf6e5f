#include "storage/snapshot/pre_images.h"

#include <cassert>

namespace cloakroom {

void PreImages::Open(size_t max_bytes) {
  assert(!keeping_ && empty());
  Close();  // in builds without asserts
  max_bytes_ = max_bytes;
  bytes_ = 0;
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    shard.settled = 0;
  }
  keeping_ = true;
}

void PreImages::Close() {
  StopKeeping();
  for (Shard& shard : shards_) {
    SnapshotBatch dropped;
    {
      // Earlier writers have added their entries; later ones do not add.
      MutexLock lock(shard.mutex);
      dropped.Swap(shard.batch);
    }
    bytes_.fetch_sub(dropped.retained_bytes(), std::memory_order_relaxed);
  }
}

bool PreImages::Add(KeyHash hash, int db, const Entry& entry) {
  Shard& shard = ShardOf(hash);
  MutexLock lock(shard.mutex);
  ++shard.settled;
  if (!keeping_) return true;
  const size_t before = shard.batch.retained_bytes();
  shard.batch.Add(db, entry);
  const size_t added = shard.batch.retained_bytes() - before;
  return bytes_.fetch_add(added, std::memory_order_relaxed) + added <= max_bytes_;
}

void PreImages::LeaveOut(KeyHash hash) {
  Shard& shard = ShardOf(hash);
  MutexLock lock(shard.mutex);
  ++shard.settled;
}

bool PreImages::Take(SnapshotBatch* batch, size_t bytes) {
  for (size_t tried = 0; tried < kShards && batch->retained_bytes() < bytes; ++tried) {
    const size_t before = batch->retained_bytes();
    {
      Shard& shard = shards_[next_shard_];
      MutexLock lock(shard.mutex);
      batch->TakeFrom(shard.batch, bytes);
    }
    bytes_.fetch_sub(batch->retained_bytes() - before, std::memory_order_relaxed);
    next_shard_ = (next_shard_ + 1) % kShards;
  }
  return !batch->empty();
}

bool PreImages::empty() const {
  for (const Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    if (!shard.batch.empty()) return false;
  }
  return true;
}

size_t PreImages::settled() const {
  size_t settled = 0;
  for (const Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    settled += shard.settled;
  }
  return settled;
}

}  // namespace cloakroom
