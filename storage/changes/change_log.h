#ifndef CLOAKROOM_STORAGE_CHANGES_CHANGE_LOG_H_
#define CLOAKROOM_STORAGE_CHANGES_CHANGE_LOG_H_

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "storage/changes/change.h"

namespace cloakroom {

/// How far the log of changes must be durable before something may be answered: the offset behind
/// all changes that it made or has seen. Thread rule: one thread at a time.
struct SeenOffset {
  int64_t offset = 0;
  void See(int64_t other) { offset = std::max(offset, other); }
};

/// What the holds of one thread share. It outlives them.
struct HoldContext {
  ChangeBatchPool batches;
  /// Of what the thread is executing; null: nobody waits to be answered.
  SeenOffset* seen = nullptr;
};

/// The log that makes the changes of a keyspace durable, and gives them their order. Offsets count
/// its bytes.
///
/// Where a change must not be shown before it is on the disk (`readers_wait`), every stripe knows
/// the offset behind its last change, and so does a database for those of a closed gate; whoever
/// takes a hold sees the highest offset of what it is about to read.
class ChangeLog {
 public:
  virtual ~ChangeLog() = default;
  /// The changes of one hold, to be kept together; the offset behind them. Called while all the
  /// stripes that they touch are held, so the order of the calls is the order of the changes to
  /// every key; must be quick. `writer`, who is answered when they are durable, sees that offset;
  /// null: nobody is answered. Any thread.
  virtual int64_t Append(const ChangeBatch& batch, SeenOffset* writer) = 0;

  /// Memory of changes that are still on their way to the disk. maxmemory does not count it, as in
  /// Redis: a slow disk must not evict keys. Any thread.
  virtual int64_t buffered_bytes() const { return 0; }

  /// Who reads is to wait until what it has read is on the disk.
  bool readers_wait() const { return readers_wait_.load(std::memory_order_relaxed); }
  /// Behind all that was appended.
  virtual int64_t appended() const { return 0; }

 protected:
  void set_readers_wait(bool wait) { readers_wait_.store(wait, std::memory_order_relaxed); }

 private:
  std::atomic<bool> readers_wait_ = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_CHANGES_CHANGE_LOG_H_
