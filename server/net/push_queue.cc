#include "server/net/push_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace cloakroom {

bool PushQueue::Add(Pushed pushed) {
  MutexLock lock(mutex_);
  if (closed_) return false;
  bytes_ += CostOf(pushed);
  count_.fetch_add(1, std::memory_order_relaxed);
  waiting_.push_back(std::move(pushed));
  return !std::exchange(told_, true);
}

bool PushQueue::Remind() {
  MutexLock lock(mutex_);
  return !empty() && !std::exchange(told_, true);
}

std::vector<Pushed> PushQueue::Take() {
  std::deque<Pushed> fresh;
  {
    MutexLock lock(mutex_);
    told_ = false;
    fresh.swap(waiting_);
  }
  if (fetched_.empty()) {
    fetched_.swap(fresh);
  } else {
    std::move(fresh.begin(), fresh.end(), std::back_inserter(fetched_));
  }
  std::vector<Pushed> taken;
  int64_t cost = 0;
  while (!fetched_.empty() && fetched_.front().durable_from() != PushOffset::kUnknown) {
    cost += CostOf(fetched_.front());
    taken.push_back(std::move(fetched_.front()));
    fetched_.pop_front();
  }
  MutexLock lock(mutex_);
  if (!closed_) bytes_ -= cost;
  if (!closed_) count_.fetch_sub(taken.size(), std::memory_order_relaxed);
  return taken;
}

bool PushQueue::Close() {
  std::deque<Pushed> dropped;
  MutexLock lock(mutex_);
  if (std::exchange(closed_, true)) return false;
  dropped.swap(waiting_);
  bytes_ = 0;
  count_.store(0, std::memory_order_relaxed);
  return true;
}

}  // namespace cloakroom
