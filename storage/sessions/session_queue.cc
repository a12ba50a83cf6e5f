#include "storage/sessions/session_queue.h"

namespace cloakroom {

void SessionQueue::PushBack(SessionWaiter& waiter) {
  waiter.place_ = SessionWaiter::Place::kQueued;
  waiter.before_ = last_;
  waiter.behind_ = nullptr;
  (last_ != nullptr ? last_->behind_ : first_) = &waiter;
  last_ = &waiter;
  ++size_;
  if (waiter.polls()) ++polls_;
}

void SessionQueue::PushFront(SessionWaiter& waiter) {
  waiter.place_ = SessionWaiter::Place::kQueued;
  waiter.before_ = nullptr;
  waiter.behind_ = first_;
  (first_ != nullptr ? first_->before_ : last_) = &waiter;
  first_ = &waiter;
  ++size_;
  if (waiter.polls()) ++polls_;
}

void SessionQueue::Remove(SessionWaiter& waiter) {
  (waiter.before_ != nullptr ? waiter.before_->behind_ : first_) = waiter.behind_;
  (waiter.behind_ != nullptr ? waiter.behind_->before_ : last_) = waiter.before_;
  waiter.before_ = waiter.behind_ = nullptr;
  waiter.place_ = SessionWaiter::Place::kNone;
  --size_;
  if (waiter.polls()) --polls_;
}

size_t SessionQueue::Ahead(const SessionWaiter& waiter) const {
  size_t ahead = 0;
  for (const SessionWaiter* at = waiter.before_; at != nullptr; at = at->before_) ++ahead;
  return ahead;
}

}  // namespace cloakroom
