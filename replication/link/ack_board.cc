#include "replication/link/ack_board.h"

#include <algorithm>
#include <limits>

namespace cloakroom {
namespace {

constexpr int64_t kBeforeAll = std::numeric_limits<int64_t>::min();

void Run(const std::vector<std::function<void()>>& wakes) {
  for (const std::function<void()>& wake : wakes) wake();
}

int64_t AckOfGone(const std::pair<const std::string, int64_t>& gone) { return gone.second; }

}  // namespace

int64_t AckBoard::Count(int64_t offset, int64_t Progress::* field) const {
  return std::count_if(replicas_.begin(), replicas_.end(), [offset, field](const auto& replica) {
    return replica.second.*field >= offset;
  });
}

bool AckBoard::Holds(const Goal& goal) const {
  if (goal.local && local_synced_ < goal.offset) return false;
  return Count(goal.offset, goal.fsynced ? &Progress::fack : &Progress::ack) >= goal.replicas;
}

std::function<void()> AckBoard::Take(std::map<Ticket, Waiter>::iterator waiter) {
  deadlines_.erase({waiter->second.deadline_ms, waiter->first});
  std::function<void()> wake = std::move(waiter->second.wake);
  waiters_.erase(waiter);
  return wake;
}

void AckBoard::TakeReached(int64_t from, int64_t to, Wakes& wakes) {
  // Sorted by offset, so that an ACK does not look at those whose count it cannot change.
  auto waiter = waiters_.upper_bound({from, std::numeric_limits<uint64_t>::max()});
  while (waiter != waiters_.end() && waiter->first.first <= to) {
    const auto reached = waiter++;
    if (Holds(reached->second.goal)) wakes.push_back(Take(reached));
  }
}

void AckBoard::Advance(int64_t& at, int64_t to, Wakes& wakes) {
  if (to <= at) return;
  const int64_t from = at;
  at = to;
  TakeReached(from, to, wakes);
}

void AckBoard::Join(Replica replica, std::string name, int64_t ack, int64_t fack, int64_t now_ms) {
  Wakes wakes;
  {
    MutexLock lock(mutex_);
    gone_.erase(name);
    replicas_[replica] = {std::move(name), ack, fack, now_ms};
    TakeReached(kBeforeAll, std::max(ack, fack), wakes);
  }
  Run(wakes);
}

void AckBoard::Leave(Replica replica) {
  MutexLock lock(mutex_);
  const auto found = replicas_.find(replica);
  if (found == replicas_.end()) return;
  if (!found->second.name.empty()) gone_[found->second.name] = found->second.ack;
  replicas_.erase(found);
  if (gone_.size() > kMostGone) gone_.erase(std::ranges::max_element(gone_, {}, AckOfGone));
}

void AckBoard::Acked(Replica replica, int64_t ack, int64_t fack, int64_t now_ms) {
  Wakes wakes;
  {
    MutexLock lock(mutex_);
    const auto found = replicas_.find(replica);
    if (found == replicas_.end()) return;
    found->second.acked_at_ms = now_ms;
    Advance(found->second.ack, ack, wakes);
    Advance(found->second.fack, fack, wakes);
  }
  Run(wakes);
}

void AckBoard::LocalSynced(int64_t offset) {
  Wakes wakes;
  {
    MutexLock lock(mutex_);
    Advance(local_synced_, offset, wakes);
  }
  Run(wakes);
}

void AckBoard::Clear() {
  MutexLock lock(mutex_);
  replicas_.clear();
  gone_.clear();
  local_synced_ = 0;
}

size_t AckBoard::online() const {
  MutexLock lock(mutex_);
  return replicas_.size();
}

int64_t AckBoard::CountAcked(int64_t offset) const {
  MutexLock lock(mutex_);
  return Count(offset, &Progress::ack);
}

int64_t AckBoard::CountFsynced(int64_t offset) const {
  MutexLock lock(mutex_);
  return Count(offset, &Progress::fack);
}

bool AckBoard::IsLocalSynced(int64_t offset) const {
  MutexLock lock(mutex_);
  return local_synced_ >= offset;
}

std::optional<int64_t> AckBoard::LeastAcked() const {
  MutexLock lock(mutex_);
  std::optional<int64_t> least;
  const auto count = [&least](int64_t ack) { least = std::min(least.value_or(ack), ack); };
  for (const auto& [id, replica] : replicas_) {
    if (!replica.name.empty()) count(replica.ack);
  }
  for (const auto& [name, ack] : gone_) count(ack);
  return least;
}

int64_t AckBoard::CountGood(int64_t now_ms, int64_t max_lag_s) const {
  MutexLock lock(mutex_);
  return std::count_if(replicas_.begin(), replicas_.end(),
                       [now_ms, max_lag_s](const auto& replica) {
                         return (now_ms - replica.second.acked_at_ms) / 1000 <= max_lag_s;
                       });
}

bool AckBoard::EnoughGood(int64_t now_ms, int64_t min_replicas, int64_t max_lag_s) const {
  return min_replicas == 0 || max_lag_s == 0 || CountGood(now_ms, max_lag_s) >= min_replicas;
}

std::optional<AckBoard::Ticket> AckBoard::Wait(const Goal& goal, int64_t deadline_ms,
                                               std::function<void()> wake) {
  MutexLock lock(mutex_);
  if (Holds(goal)) return std::nullopt;
  const Ticket ticket(goal.offset, next_number_++);
  waiters_[ticket] = {goal, deadline_ms, std::move(wake)};
  if (deadline_ms != kNever) deadlines_.insert({deadline_ms, ticket});
  return ticket;
}

void AckBoard::Cancel(const Ticket& ticket) {
  std::function<void()> dropped;  // dies without the mutex: it may own what calls us again
  MutexLock lock(mutex_);
  const auto waiter = waiters_.find(ticket);
  if (waiter != waiters_.end()) dropped = Take(waiter);
}

void AckBoard::Expire(int64_t now_ms) {
  Wakes wakes;
  {
    MutexLock lock(mutex_);
    while (!deadlines_.empty() && deadlines_.begin()->first <= now_ms)
      wakes.push_back(Take(waiters_.find(deadlines_.begin()->second)));
  }
  Run(wakes);
}

int64_t AckBoard::NextDeadline() const {
  MutexLock lock(mutex_);
  return deadlines_.empty() ? kNever : deadlines_.begin()->first;
}

size_t AckBoard::waiters() const {
  MutexLock lock(mutex_);
  return waiters_.size();
}

}  // namespace cloakroom
