#include "storage/changes/change_feed.h"

#include <cassert>

namespace cloakroom {

void ChangeFeed::set_log(ChangeLog* log) {
  log_.store(log, std::memory_order_release);
  Sum();
}

void ChangeFeed::set_silent(bool silent) {
  silent_ = silent;
  Sum();
}

void ChangeFeed::Add(ChangeConsumer& consumer) {
  for (Place& place : places_) {
    if (place.consumer.load() != nullptr) continue;
    place.consumer = &consumer;
    return;
  }
  assert(!"kMostConsumers is too small");
}

void ChangeFeed::Remove(ChangeConsumer& consumer) {
  SetWants(consumer, ChangeConsumer::kNothing);
  for (Place& place : places_) {
    if (place.consumer.load() == &consumer) place.consumer = nullptr;
  }
}

void ChangeFeed::SetWants(const ChangeConsumer& consumer, uint8_t wants) {
  for (Place& place : places_) {
    if (place.consumer.load() == &consumer) place.wants = wants;
  }
  Sum();
}

void ChangeFeed::Sum() {
  MutexLock lock(mutex_);
  uint8_t sum = log() != nullptr ? ChangeConsumer::kResults : ChangeConsumer::kNothing;
  for (const Place& place : places_) sum |= place.wants.load();
  if (silent_) sum = ChangeConsumer::kNothing;
  wants_.store(sum, std::memory_order_release);
}

ChangeFeed::Handed ChangeFeed::Hand(const ChangeBatch& batch, SeenOffset* writer, uint64_t client,
                                    GateSlot slot) const {
  Handed handed;
  ChangeOrigin origin{.client = client};
  ChangeLog* const its_log = log();
  if (its_log != nullptr && !batch.empty()) {
    handed = {.log = its_log, .place = its_log->Reserve(batch, writer, slot)};
    if (its_log->readers_wait() && batch.awaited()) origin.durable_from = handed.place.end;
  }
  for (const Place& place : places_) {
    if (place.wants.load(std::memory_order_relaxed) == ChangeConsumer::kNothing) continue;
    place.consumer.load(std::memory_order_relaxed)->Take(batch, origin);
  }
  return handed;
}

void ChangeFeed::AfterHold() const {
  for (const Place& place : places_) {
    if (place.wants.load(std::memory_order_relaxed) == ChangeConsumer::kNothing) continue;
    place.consumer.load(std::memory_order_relaxed)->AfterHold();
  }
}

}  // namespace cloakroom
