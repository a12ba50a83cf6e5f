#include "storage/values/stream_group.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace cloakroom {
namespace {

/// What a node of a std::map has beside its value: three pointers and a colour.
constexpr size_t kMapNode = 4 * sizeof(void*);

size_t TextMemory(const std::string& text) {
  const bool inside = text.capacity() <= std::string().capacity();
  return inside ? 0 : text.capacity() + 1;
}

}  // namespace

StreamGroup StreamGroup::Share() const {
  StreamGroup copy;
  copy.last_id = last_id;
  copy.entries_read = entries_read;
  copy.pending_ = pending_.Share();
  copy.by_number_.resize(by_number_.size(), nullptr);
  for (const auto& [name, consumer] : consumers_) {
    const auto place =
        copy.consumers_.emplace_hint(copy.consumers_.end(), name,
                                     StreamConsumer{consumer.number, consumer.seen_ms,
                                                    consumer.active_ms, consumer.pending.Share()});
    copy.by_number_[consumer.number] = &*place;
  }
  return copy;
}

const StreamConsumer* StreamGroup::Find(std::string_view name) const {
  const auto found = consumers_.find(name);
  return found == consumers_.end() ? nullptr : &found->second;
}

StreamConsumer* StreamGroup::Find(std::string_view name) {
  const auto found = consumers_.find(name);
  return found == consumers_.end() ? nullptr : &found->second;
}

StreamConsumer& StreamGroup::Create(std::string_view name, int64_t seen_ms) {
  auto free = std::ranges::find(by_number_, nullptr);
  if (free == by_number_.end()) free = by_number_.insert(free, nullptr);
  const auto number = static_cast<uint32_t>(free - by_number_.begin());
  const auto place = consumers_.try_emplace(std::string(name)).first;
  *free = &*place;
  place->second.number = number;
  place->second.seen_ms = seen_ms;
  return place->second;
}

void StreamGroup::EraseConsumer(std::string_view name) {
  const auto found = consumers_.find(name);
  found->second.pending.ForEachFrom(kFirstStreamId, [&](const StreamId& id) {
    pending_.Erase(id);
    return true;
  });
  by_number_[found->second.number] = nullptr;
  consumers_.erase(found);
}

void StreamGroup::Give(StreamConsumer& consumer, const StreamId& id, int64_t delivered_ms,
                       int64_t deliveries) {
  if (!consumer.pending.Contains(id)) {
    if (const std::optional<PendingEntry> held = pending_.Find(id)) {
      by_number_[held->consumer]->second.pending.Erase(id);
    }
    consumer.pending.Insert(id);
  }
  pending_.Put({id, delivered_ms, deliveries, consumer.number});
}

bool StreamGroup::Drop(const StreamId& id) {
  const std::optional<PendingEntry> held = pending_.Find(id);
  if (!held) return false;
  by_number_[held->consumer]->second.pending.Erase(id);
  return pending_.Erase(id);
}

StreamGroups* StreamGroups::Copy() const {
  StreamGroups* const copy = Create();
  for (const auto& [name, group] : by_name) {
    copy->by_name.emplace_hint(copy->by_name.end(), name, group.Share());
  }
  return copy;
}

size_t MemoryOf(const StreamGroups& groups, size_t samples) {
  size_t bytes = sizeof(groups);
  for (const auto& [name, group] : groups.by_name) {
    bytes += kMapNode + sizeof(std::string) + TextMemory(name) + sizeof(group);
    bytes += group.pending().tree().Memory(samples);
    for (const auto& [consumer_name, consumer] : group.consumers()) {
      bytes += kMapNode + sizeof(std::string) + TextMemory(consumer_name) + sizeof(consumer) +
               sizeof(void*);
      bytes += consumer.pending.tree().Memory(samples);
    }
  }
  return bytes;
}

size_t PartsOf(const StreamGroups& groups) {
  size_t parts = 1;
  for (const auto& [name, group] : groups.by_name) {
    parts += 1 + group.consumers().size() + group.pending().tree().PartCount();
  }
  return parts;
}

}  // namespace cloakroom
