#include "replication/rdb/snapshot_pipe.h"

#include <utility>

namespace cloakroom {

SnapshotPipe::Room SnapshotPipe::AwaitRoom(std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  MutexLock lock(mutex_);
  while (!ended_ && batches_.size() >= kMaxBatches) {
    if (!changed_.WaitUntil(mutex_, end)) break;
  }
  if (ended_) return Room::kNoMore;
  return batches_.size() < kMaxBatches ? Room::kFree : Room::kNotYet;
}

void SnapshotPipe::Push(SnapshotBatch batch) {
  {
    MutexLock lock(mutex_);
    if (ended_) return;
    batches_.push_back(std::move(batch));
  }
  changed_.NotifyAll();
}

void SnapshotPipe::Close(bool given_up) {
  {
    MutexLock lock(mutex_);
    closed_ = true;
    given_up_ = given_up;
  }
  changed_.NotifyAll();
}

bool SnapshotPipe::AwaitEnd(std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  MutexLock lock(mutex_);
  while (!ended_ && changed_.WaitUntil(mutex_, end)) {
  }
  return ended_;
}

bool SnapshotPipe::Pop(SnapshotBatch* batch) {
  batch->Clear();
  {
    MutexLock lock(mutex_);
    while (batches_.empty() && !closed_) changed_.Wait(mutex_);
    if (batches_.empty() || given_up_) return false;
    batch->Swap(batches_.front());
    batches_.pop_front();
  }
  changed_.NotifyAll();
  return true;
}

void SnapshotPipe::Rest(std::chrono::microseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  MutexLock lock(mutex_);
  while (!given_up_ && changed_.WaitUntil(mutex_, end)) {
  }
}

void SnapshotPipe::End() {
  std::deque<SnapshotBatch> dropped;
  {
    MutexLock lock(mutex_);
    ended_ = true;
    dropped.swap(batches_);
  }
  changed_.NotifyAll();
}

}  // namespace cloakroom
