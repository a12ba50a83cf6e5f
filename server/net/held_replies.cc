#include "server/net/held_replies.h"

#include <algorithm>
#include <utility>

namespace cloakroom {

void HeldReplies::Add(std::shared_ptr<Holder> holder, int64_t offset) {
  // A script that let others be served may come behind them, for changes before theirs.
  if (!held_.empty()) offset = std::max(offset, held_.back().offset);
  held_.push_back({std::move(holder), offset});
}

void HeldReplies::EndRound() {
  if (held_.empty()) return;
  const int64_t newest = held_.back().offset;
  if (newest > demanded_) {
    demanded_ = newest;
    journal_.Demand(newest);
  }
  if (awaited_) return;
  if (journal_.AwaitDurable(newest, kPatienceUs)) Release();
  Await();
}

void HeldReplies::Await() {
  // For the first: those behind it whose bytes went to the disk with its own are released with it.
  while (!held_.empty()) {
    const int64_t first = held_.front().offset;
    awaited_ = !journal_.WhenDurable(first, [this] {
      post_([this] {
        awaited_ = false;
        Release();
        Await();
      });
    });
    // A log that ended without having kept them lets them wait for ever.
    if (awaited_ || first > journal_.durable_offset()) return;
    Release();
  }
}

void HeldReplies::Release() {
  const int64_t durable = journal_.durable_offset();
  while (!held_.empty() && held_.front().offset <= durable) {
    const std::shared_ptr<Holder> holder = std::move(held_.front().holder);
    held_.pop_front();
    holder->SendHeld();
  }
}

}  // namespace cloakroom
