#include "storage/changes/interest.h"

#include <utility>

namespace cloakroom {

void InterestTable::Unwatch(std::string_view key, const Watcher* watcher) {
  auto found = keys_.find(key);
  if (found == keys_.end()) return;
  auto& watched = found->second.watched;
  for (size_t i = 0; i < watched.size(); ++i) {
    if (watched[i].watcher != watcher) continue;
    watched.erase(watched.begin() + static_cast<ptrdiff_t>(i));
    break;
  }
  if (found->second.empty()) keys_.erase(found);
}

bool InterestTable::WasExpired(std::string_view key, const Watcher* watcher) const {
  auto found = keys_.find(key);
  if (found == keys_.end()) return false;
  for (const Watched& watched : found->second.watched) {
    if (watched.watcher == watcher) return watched.expired;
  }
  return false;
}

void InterestTable::SignalWatchers(std::string_view key, bool gone) {
  auto found = keys_.find(key);
  if (found == keys_.end()) return;
  for (const Watched& watched : found->second.watched) {
    if (!(gone && watched.expired)) watched.watcher->dirty.store(true);
  }
}

void InterestTable::Enqueue(std::string_view key, Place* place) {
  Interest& interest = keys_[key];
  place->before = interest.last;
  place->behind = nullptr;
  place->queued = true;
  (interest.last != nullptr ? interest.last->behind : interest.first) = place;
  interest.last = place;
  interest.hearing_removal += place->hears_removal ? 1 : 0;
  if (place->also_held) also_held_[*place->also_held] += 1;
}

void InterestTable::Leave(std::string_view key, Place* place) {
  if (!place->queued) return;
  auto found = keys_.find(key);
  Interest& interest = found->second;
  (place->before != nullptr ? place->before->behind : interest.first) = place->behind;
  (place->behind != nullptr ? place->behind->before : interest.last) = place->before;
  place->before = place->behind = nullptr;
  place->queued = false;
  interest.hearing_removal -= place->hears_removal ? 1 : 0;
  if (interest.empty()) keys_.erase(found);
  if (!place->also_held) return;
  const auto others = also_held_.find(*place->also_held);
  if (--others->second == 0) also_held_.erase(others);
}

bool InterestTable::MarkReady(std::string_view key) {
  auto found = keys_.find(key);
  if (found == keys_.end() || found->second.first == nullptr) return false;
  return !std::exchange(found->second.ready, true);
}

void InterestTable::UnmarkReady(std::string_view key) {
  if (auto found = keys_.find(key); found != keys_.end()) found->second.ready = false;
}

InterestTable::Place* InterestTable::FirstWaiting(std::string_view key, const Place* behind) const {
  Place* place = nullptr;
  if (behind != nullptr) {
    place = behind->behind;
  } else if (auto found = keys_.find(key); found != keys_.end()) {
    place = found->second.first;
  }
  while (place != nullptr && place->waiter->settled()) place = place->behind;
  return place;
}

InterestTable::Place* InterestTable::FirstHearingRemoval(std::string_view key,
                                                         const Place* behind) const {
  const auto found = keys_.find(key);
  if (found == keys_.end() || found->second.hearing_removal == 0) return nullptr;
  Place* place = FirstWaiting(key, behind);
  while (place != nullptr && !place->hears_removal) place = FirstWaiting(key, place);
  return place;
}

}  // namespace cloakroom
