#include "storage/sessions/plain_pollers.h"

#include <algorithm>

#include "storage/base/clock.h"

namespace cloakroom {

void PlainPollers::Note(uint64_t connection, int64_t now_ms) {
  Forget(now_ms);
  for (Poller& poller : pollers_) {
    if (poller.connection != connection) continue;
    poller.last_ms = now_ms;
    return;
  }
  if (pollers_.size() < kMost) pollers_.push_back({connection, now_ms, now_ms});
}

void PlainPollers::Remove(uint64_t connection) {
  std::erase_if(pollers_,
                [connection](const Poller& poller) { return poller.connection == connection; });
}

int64_t PlainPollers::Since(uint64_t connection) const {
  for (const Poller& poller : pollers_)
    if (poller.connection == connection) return poller.first_ms;
  return kNever;
}

void PlainPollers::Forget(int64_t now_ms) {
  std::erase_if(pollers_, [now_ms](const Poller& poller) { return !Polls(poller, now_ms); });
}

int64_t PlainPollers::ForgottenAt() const {
  if (pollers_.empty()) return kNever;
  int64_t last_ms = pollers_.front().last_ms;
  for (const Poller& poller : pollers_) last_ms = std::max(last_ms, poller.last_ms);
  return last_ms + kStillPollsMs;
}

bool PlainPollers::Due(int64_t now_ms, int64_t patience_ms) const {
  if (now_ms - turn_began_ms_ < patience_ms) return false;
  const Poller* next = nullptr;
  for (const Poller& poller : pollers_) {
    if (!Polls(poller, now_ms)) continue;
    if (now_ms - poller.first_ms >= patience_ms + patience_ms / 2) return true;
    const bool expected = now_ms - poller.last_ms <= kTickMs;
    if (expected && (next == nullptr || poller.last_ms < next->last_ms)) next = &poller;
  }
  return next != nullptr && now_ms - next->first_ms >= patience_ms;
}

}  // namespace cloakroom
