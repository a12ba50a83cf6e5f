#include "replication/rdb/rdb_load_queue.h"

#include <algorithm>
#include <utility>

#include "replication/rdb/rdb_loader.h"
#include "storage/base/memory_meter.h"

namespace cloakroom {

RdbLoadQueue::RdbLoadQueue(Keyspace& keyspace, int threads, const RdbInsertOptions& options)
    : keyspace_(keyspace), options_(options), own_(keyspace, options) {
  for (int i = 1; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

RdbLoadQueue::~RdbLoadQueue() { EndThreads(); }

void RdbLoadQueue::Add(RdbBatch batch) {
  if (threads_.empty()) return Insert(own_, batch);
  bool full;
  {
    const MutexLock lock(mutex_);
    waiting_.push_back(std::move(batch));
    full = waiting_.size() > kMaxWaiting;
  }
  changed_.NotifyOne();
  if (!full) return;
  if (const auto mine = Take(/*wait=*/false)) Insert(own_, *mine);
}

bool RdbLoadQueue::failed() {
  const MutexLock lock(mutex_);
  return outcome_.error_count > 0;
}

std::optional<RdbBatch> RdbLoadQueue::Take(bool wait) {
  const MutexLock lock(mutex_);
  while (wait && waiting_.empty() && !closed_) changed_.Wait(mutex_);
  if (waiting_.empty()) return std::nullopt;
  RdbBatch batch = std::move(waiting_.front());
  waiting_.pop_front();
  return batch;
}

void RdbLoadQueue::Insert(RdbInserter& inserter, const RdbBatch& batch) {
  for (const RdbRecord& record : batch.records) {
    std::optional<RdbError> error = inserter.Insert(record);
    if (!error) [[likely]]
      continue;
    const MutexLock lock(mutex_);
    outcome_.error_count += 1;
    if (outcome_.errors.size() < RdbLoadResult::kMaxReported) {
      outcome_.errors.push_back(std::move(*error));
    }
  }
}

void RdbLoadQueue::Work() {
  MemoryMeter::RegisterThread();
  RdbInserter inserter(keyspace_, options_);
  while (const auto batch = Take(/*wait=*/true)) Insert(inserter, *batch);
  Settle(inserter);
}

void RdbLoadQueue::Settle(const RdbInserter& inserter) {
  const MutexLock lock(mutex_);
  outcome_.counts.keys += inserter.counts().keys;
  outcome_.counts.expired += inserter.counts().expired;
  outcome_.counts.empty += inserter.counts().empty;
}

void RdbLoadQueue::EndThreads() {
  {
    const MutexLock lock(mutex_);
    closed_ = true;
  }
  changed_.NotifyAll();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

RdbLoadQueue::Loaded RdbLoadQueue::Finish() {
  while (const auto mine = Take(/*wait=*/false)) Insert(own_, *mine);
  EndThreads();
  Settle(own_);
  const MutexLock lock(mutex_);
  std::sort(outcome_.errors.begin(), outcome_.errors.end(),
            [](const RdbError& a, const RdbError& b) { return a.offset < b.offset; });
  return std::move(outcome_);
}

}  // namespace cloakroom
