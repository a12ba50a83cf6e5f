#ifndef CLOAKROOM_REPLICATION_RDB_SNAPSHOT_PIPE_H_
#define CLOAKROOM_REPLICATION_RDB_SNAPSHOT_PIPE_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>

#include "absl/base/thread_annotations.h"
#include "storage/base/mutex.h"
#include "storage/snapshot/snapshot_batch.h"

namespace cloakroom {

/// Batches of a snapshot on their way from the collecting thread, which takes stripes, to the one
/// that encodes and writes, which may be slow and must hold nothing. Holds a few batches at most;
/// what waits longer waits in the keyspace.
///
/// Thread rule: one collecting thread, one writing thread.
class SnapshotPipe {
 public:
  static constexpr size_t kMaxBatches = 4;

  // ---- the collecting thread's

  enum class Room : uint8_t {
    kFree,
    kNotYet,
    kNoMore,  ///< the writing thread has ended
  };
  /// Waits for room, for `time` at most.
  Room AwaitRoom(std::chrono::milliseconds time);
  void Push(SnapshotBatch batch);
  /// No more batches come. `given_up`: the earlier ones are not needed either.
  void Close(bool given_up);
  /// Waits until the writing thread has ended, for `time` at most. Returns whether it has.
  bool AwaitEnd(std::chrono::milliseconds time);

  // ---- the writing thread's

  /// Puts the next batch in place of what is in `batch`. False: there are no more.
  bool Pop(SnapshotBatch* batch);
  bool given_up() const { return given_up_.load(std::memory_order_relaxed); }
  /// Waits for `time`, or until everything is given up.
  void Rest(std::chrono::microseconds time);
  /// Drops what is in the pipe, and everything pushed from here on.
  void End();

 private:
  Mutex mutex_;
  CondVar changed_;
  std::deque<SnapshotBatch> batches_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::atomic<bool> given_up_ = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_SNAPSHOT_PIPE_H_
