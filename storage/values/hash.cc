#include "storage/values/hash.h"

#include <algorithm>

namespace cloakroom {
namespace {

std::optional<Item> FindLive(const Items& items, std::string_view field, int64_t now_ms) {
  const std::optional<Item> item = items.Find(field);
  if (!item || item->ExpiredAt(now_ms)) return std::nullopt;
  return item;
}

std::string_view NameEncodingOfHash(const ValueView& value) {
  return value.outgrown || value.encoding == Encoding::kTrie ? "hashtable" : "listpack";
}

size_t SizeOfHash(const ValueView& value, int64_t now_ms) { return Hash(value).size(now_ms); }

void ForEachField(const ValueView& value, absl::FunctionRef<void(const Item&)> fn, int64_t now_ms) {
  Hash(value).ForEach(fn, now_ms);
}

int64_t NextExpiryOfHash(const ValueView& value) { return Hash(value).NextExpiry(); }

size_t EraseExpiredFields(ValueSlot& slot, const EncodingLimits& limits, int64_t now_ms,
                          size_t limit) {
  return MutableHash(slot, limits).EraseExpired(now_ms, limit);
}

}  // namespace

constinit const TypeOps kHashOps = {.type = ValueType::kHash,
                                    .name = "hash",
                                    .redis_number = 4,
                                    .has_values = true,
                                    .release = ReleaseItems,
                                    .release_cost = ItemsReleaseCost,
                                    .share = ShareItems,
                                    .memory = ItemsMemory,
                                    .encoding_name = NameEncodingOfHash,
                                    .size = SizeOfHash,
                                    .for_each = ForEachField,
                                    .next_expiry = NextExpiryOfHash,
                                    .erase_expired = EraseExpiredFields,
                                    .expired_event = "hexpired"};

std::optional<ItemValue> Hash::Find(std::string_view field, int64_t now_ms) const {
  const std::optional<Item> item = FindLive(items(), field, now_ms);
  if (!item) return std::nullopt;
  return item->value;
}

std::optional<int64_t> Hash::FieldExpiry(std::string_view field, int64_t now_ms) const {
  const std::optional<Item> item = FindLive(items(), field, now_ms);
  if (!item) return std::nullopt;
  return item->expires_at_ms;
}

void Hash::ForEach(absl::FunctionRef<void(const Item&)> fn, int64_t now_ms) const {
  items().ForEach([&](const Item& item) {
    if (!item.ExpiredAt(now_ms)) fn(item);
  });
}

uint64_t Hash::Scan(uint64_t cursor, size_t count, absl::FunctionRef<void(const Item&)> fn,
                    int64_t now_ms) const {
  return items().Scan(cursor, count, [&](const Item& item) {
    if (!item.ExpiredAt(now_ms)) fn(item);
  });
}

std::optional<Item> Hash::Random(absl::BitGenRef rng, int64_t now_ms) const {
  return items().Random(rng, now_ms);
}

MutableHash::MutableHash(ValueSlot& slot, const EncodingLimits& limits)
    : slot_(slot),
      max_value_(limits.hash_max_listpack_value_bytes),
      items_(slot, ValueType::kHash, /*has_values=*/true, limits.hash_max_listpack_entries) {}

Hash MutableHash::view() const {
  return slot_.exists() ? Hash(slot_.encoding(), slot_.bytes()) : Hash();
}

bool MutableHash::Set(std::string_view field, std::string_view value, int64_t now_ms,
                      Expiry expiry) {
  int64_t expires_at_ms = kNever;
  bool was_expired = false;
  if (view().NextExpiry() != kNever) {
    const std::optional<Item> old = items_.view().Find(field);
    was_expired = old && old->ExpiredAt(now_ms);
    if (old && !was_expired && expiry == Expiry::kKeep) expires_at_ms = old->expires_at_ms;
  }
  if (slot_.logged()) LogSet(field, value, expires_at_ms);
  const bool created = items_.Put(field, value, expires_at_ms);
  if (std::max(field.size(), value.size()) > max_value_) slot_.set_outgrown(true);
  return created || was_expired;
}

// Sessions write the same fields again and again; an equal value is no change.
void MutableHash::LogSet(std::string_view field, std::string_view value, int64_t expires_at_ms) {
  const std::optional<Item> old = items_.view().Find(field);
  if (old && old->value.bytes == value && old->expires_at_ms == expires_at_ms) return;
  slot_.LogItem(ChangeKind::kSetField, {field, value});
  if (expires_at_ms != kNever) LogFieldExpiry(field, expires_at_ms);
}

void MutableHash::LogFieldExpiry(std::string_view field, int64_t expires_at_ms) {
  if (expires_at_ms == kNever) {
    return slot_.LogItem(ChangeKind::kPersistField, {field});
  }
  slot_.LogItem(ChangeKind::kExpireField, {field}, expires_at_ms);
}

bool MutableHash::Erase(std::string_view field, int64_t now_ms) {
  const bool alive = view().Find(field, now_ms).has_value();
  if (items_.Erase(field)) slot_.LogItem(ChangeKind::kEraseField, {field});
  return alive;
}

bool MutableHash::SetFieldExpiry(std::string_view field, int64_t expires_at_ms, int64_t now_ms) {
  if (!view().Find(field, now_ms)) return false;
  if (slot_.logged()) LogFieldExpiry(field, expires_at_ms);
  return items_.SetExpiry(field, expires_at_ms);
}

bool MutableHash::PersistField(std::string_view field, int64_t now_ms) {
  const std::optional<int64_t> expiry = view().FieldExpiry(field, now_ms);
  if (!expiry || *expiry == kNever) return false;
  if (slot_.logged()) LogFieldExpiry(field, kNever);
  return items_.SetExpiry(field, kNever);
}

size_t MutableHash::EraseExpired(int64_t now_ms, size_t limit,
                                 absl::FunctionRef<void(std::string_view)> on_erase) {
  return items_.EraseExpired(now_ms, limit, [&](std::string_view field) {
    slot_.LogItem(ChangeKind::kEraseField, {field});
    on_erase(field);
  });
}

size_t MutableHash::EraseExpired(int64_t now_ms, size_t limit) {
  return EraseExpired(now_ms, limit, [](std::string_view) {});
}

}  // namespace cloakroom
