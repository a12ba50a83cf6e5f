#ifndef CLOAKROOM_STORAGE_CHANGES_CHANGE_LOG_H_
#define CLOAKROOM_STORAGE_CHANGES_CHANGE_LOG_H_

#include <atomic>
#include <cstdint>

#include "storage/changes/change.h"

namespace cloakroom {

/// Where all changes of a keyspace go: the append-only log, the stream to replicas. Offsets count
/// its bytes.
///
/// Where a change must not be shown before it is on the disk (`readers_wait`), every stripe knows
/// the offset behind its last change, and so does a database for those of a closed gate; whoever
/// takes a hold tells the log the highest offset of what it is about to see.
class ChangeLog {
 public:
  virtual ~ChangeLog() = default;
  /// The changes of one hold, to be kept together; the offset behind them. Called while all the
  /// stripes that they touch are held, so the order of the calls is the order of the changes to
  /// every key; must be quick. Any thread.
  virtual int64_t Append(const ChangeBatch& batch) = 0;

  /// Memory of changes that are still on their way to the disk. maxmemory does not count it, as in
  /// Redis: a slow disk must not evict keys. Any thread.
  virtual int64_t buffered_bytes() const { return 0; }

  /// Who reads is to wait until what it has read is on the disk.
  bool readers_wait() const { return readers_wait_.load(std::memory_order_relaxed); }
  /// What this thread does now sees the changes before the offset. Any thread.
  virtual void Saw(int64_t /*offset*/) {}
  /// Behind all that was appended.
  virtual int64_t appended() const { return 0; }

 protected:
  void set_readers_wait(bool wait) { readers_wait_.store(wait, std::memory_order_relaxed); }

 private:
  std::atomic<bool> readers_wait_ = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_CHANGES_CHANGE_LOG_H_
