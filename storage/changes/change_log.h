#ifndef CLOAKROOM_STORAGE_CHANGES_CHANGE_LOG_H_
#define CLOAKROOM_STORAGE_CHANGES_CHANGE_LOG_H_

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "storage/changes/change.h"
#include "storage/gate/gate.h"

namespace cloakroom {

/// The offset up to which the log must be durable before a reply may be sent: behind all changes
/// that the command made or has seen. Thread rule: one thread at a time.
struct SeenOffset {
  int64_t offset = 0;
  void See(int64_t other) { offset = std::max(offset, other); }
};

/// What the holds of one thread share. Outlives them.
struct HoldContext {
  ChangeBatchPool batches;
  /// Of the command that the thread executes; null: no reply waits.
  SeenOffset* seen = nullptr;
  /// Whose command that is; 0: no client's.
  uint64_t client = 0;
  /// The offset behind the last changes under one of the holds.
  int64_t appended = 0;
};

/// Where the changes of one hold stand in the log.
struct ChangePlace {
  int64_t begin = 0;
  int64_t end = 0;       ///< the offset behind them
  int selected_db = -1;  ///< the database that is selected before them; -1: it is selected already
  int slot = 0;          ///< who writes them
  bool awaited = false;  ///< a reply waits, and will demand them
};

/// The log that makes the changes of a keyspace durable and gives them their order. Offsets count
/// its bytes.
///
/// Taking changes has two steps. Under the stripes they get their place, which fixes their order.
/// When the stripes have been given back, they are written there: nobody waits for that.
///
/// If a change must not be shown before it is durable (`readers_wait`), every stripe knows the
/// offset behind its last change, and a database knows it for changes under a closed gate. A hold
/// sees the highest offset of what it is about to read.
class ChangeLog {
 public:
  virtual ~ChangeLog() = default;
  /// Gives the changes of one hold, which stay together, their place. Called while all stripes that
  /// they touch are held, so the order of calls is the order of the changes to every key; must be
  /// quick. `writer`, whose reply waits until they are durable, sees the offset behind them; null:
  /// no reply waits. Any thread; `slot` is its own.
  virtual ChangePlace Reserve(const ChangeBatch& batch, SeenOffset* writer, GateSlot slot) = 0;
  /// Writes the changes into their place. The same thread calls it soon after each Reserve.
  virtual void Complete(const ChangeBatch& batch, const ChangePlace& place) = 0;

  /// Memory of changes that are not yet on the disk. As in Redis, maxmemory does not count it: a
  /// slow disk must not evict keys. Any thread.
  virtual int64_t buffered_bytes() const { return 0; }

  /// Readers must wait until what they have read is durable.
  bool readers_wait() const { return readers_wait_.load(std::memory_order_relaxed); }
  /// The offset behind everything appended.
  virtual int64_t appended() const { return 0; }

 protected:
  void set_readers_wait(bool wait) { readers_wait_.store(wait, std::memory_order_relaxed); }

 private:
  std::atomic<bool> readers_wait_ = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_CHANGES_CHANGE_LOG_H_
