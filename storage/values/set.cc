#include "storage/values/set.h"

#include <vector>

#include "absl/random/distributions.h"
#include "storage/base/integer_text.h"
#include "storage/values/int_set.h"
#include "storage/values/packed.h"

namespace cloakroom {
namespace {

std::string_view NameEncodingOfSet(const ValueView& value) {
  if (value.encoding == Encoding::kIntSet) return "intset";
  return value.outgrown || value.encoding == Encoding::kTrie ? "hashtable" : "listpack";
}

size_t SizeOfSet(const ValueView& value, int64_t now_ms) { return Set(value, now_ms).size(); }

void ForEachMemberOfSet(const ValueView& value, absl::FunctionRef<void(const Item&)> fn,
                        int64_t now_ms) {
  Set(value, now_ms).ForEachItem(fn);
}

int64_t NextExpiryOfSet(const ValueView& value) { return Set(value).NextExpiry(); }

size_t EraseExpiredMembers(ValueSlot& slot, const EncodingLimits& limits, int64_t now_ms,
                           size_t limit) {
  return MutableSet(slot, limits, now_ms).EraseExpired(limit);
}

}  // namespace

constinit const TypeOps kSetOps = {.type = ValueType::kSet,
                                   .name = "set",
                                   .redis_number = 2,
                                   .release = ReleaseItems,
                                   .release_cost = ItemsReleaseCost,
                                   .share = ShareItems,
                                   .memory = ItemsMemory,
                                   .encoding_name = NameEncodingOfSet,
                                   .size = SizeOfSet,
                                   .for_each = ForEachMemberOfSet,
                                   .next_expiry = NextExpiryOfSet,
                                   .erase_expired = EraseExpiredMembers,
                                   .expired_event = "sexpired"};

size_t Set::size() const {
  return is_int_set() ? IntSetView(payload_).size() : items().LiveSize(now_ms_);
}

bool Set::Contains(std::string_view member) const { return MemberExpiry(member).has_value(); }

std::optional<int64_t> Set::MemberExpiry(std::string_view member) const {
  if (is_int_set()) {
    const std::optional<int64_t> value = ParseCanonicalInt(member);
    if (!value || !IntSetView(payload_).Contains(*value)) return std::nullopt;
    return kNever;
  }
  const std::optional<Item> item = items().Find(member);
  if (!item || item->ExpiredAt(now_ms_)) return std::nullopt;
  return item->expires_at_ms;
}

void Set::ForEach(absl::FunctionRef<void(std::string_view)> fn) const {
  ForEachItem([&](const Item& item) { fn(item.field); });
}

void Set::ForEachItem(absl::FunctionRef<void(const Item&)> fn) const {
  if (!is_int_set()) {
    return items().ForEach([&](const Item& item) {
      if (!item.ExpiredAt(now_ms_)) fn(item);
    });
  }
  const IntSetView integers(payload_);
  for (size_t i = 0; i < integers.size(); ++i) {
    fn({.field = IntegerText(integers.At(i)).view()});
  }
}

uint64_t Set::Scan(uint64_t cursor, size_t count,
                   absl::FunctionRef<void(std::string_view)> fn) const {
  if (!is_int_set()) {
    return items().Scan(cursor, count, [&](const Item& item) {
      if (!item.ExpiredAt(now_ms_)) fn(item.field);
    });
  }
  ForEach(fn);
  return 0;
}

std::optional<std::string> Set::Random(absl::BitGenRef rng) const {
  if (is_int_set()) {
    if (empty()) return std::nullopt;
    return At(absl::Uniform<size_t>(rng, 0, size()));
  }
  const std::optional<Item> item = items().Random(rng, now_ms_);
  if (!item) return std::nullopt;
  return std::string(item->field);
}

std::string Set::At(size_t rank) const {
  if (!is_int_set()) return std::string(items().At(rank).field);
  return std::string(IntegerText(IntSetView(payload_).At(rank)).view());
}

MutableSet::MutableSet(ValueSlot& slot, const EncodingLimits& limits, int64_t now_ms)
    : slot_(slot),
      limits_(limits),
      now_ms_(now_ms),
      items_(slot, ValueType::kSet, /*has_values=*/false, limits.set_max_listpack_entries) {}

Set MutableSet::view() const {
  return slot_.exists() ? Set(slot_.encoding(), slot_.bytes(), now_ms_) : Set();
}

bool MutableSet::Add(std::string_view member) {
  if (view().NextExpiry() != kNever) {
    if (view().Contains(member)) return false;
    if (items_.SetExpiry(member, kNever)) {
      // Nothing expires for a reader of the log: to it the member is there or has been erased.
      slot_.LogItem(ChangeKind::kAddMember, {member});
      slot_.LogItem(ChangeKind::kPersistMember, {member});
      return true;
    }
  }
  const bool created = Insert(member);
  if (created) slot_.LogItem(ChangeKind::kAddMember, {member});
  return created;
}

bool MutableSet::Insert(std::string_view member) {
  const std::optional<int64_t> integer = ParseCanonicalInt(member);
  if (!slot_.exists() && integer && limits_.set_max_intset_entries > 0) {
    slot_.Create(ValueType::kSet, Encoding::kIntSet);
  }
  if (slot_.exists() && slot_.encoding() == Encoding::kIntSet) {
    if (integer) return AddToIntSet(*integer);
    LeaveIntSet(/*to_trie=*/false);
  }
  const bool created = items_.Put(member, {});
  if (member.size() > limits_.set_max_listpack_value_bytes) slot_.set_outgrown(true);
  return created;
}

bool MutableSet::AddToIntSet(int64_t value) {
  const bool created = IntSet(slot_).Add(value);
  // Here Redis makes a hash table at once, even if a listpack would do.
  if (view().size() > limits_.set_max_intset_entries) LeaveIntSet(/*to_trie=*/true);
  return created;
}

void MutableSet::LeaveIntSet(bool to_trie) {
  std::vector<int64_t> values;
  const IntSetView integers(slot_.bytes());
  values.reserve(integers.size());
  for (size_t i = 0; i < integers.size(); ++i) values.push_back(integers.At(i));
  slot_.set_encoding(Encoding::kPacked);
  slot_.Splice(0, slot_.size(), 0);
  PackedBlock::Init(slot_, /*has_values=*/false);
  if (to_trie) items_.BecomeTrie();
  for (const int64_t value : values) items_.Put(IntegerText(value).view(), {});
}

bool MutableSet::Remove(std::string_view member) {
  const bool may_be_expired = view().NextExpiry() <= now_ms_;
  const bool alive = !may_be_expired || view().Contains(member);
  const bool removed = Erase(member);
  if (removed) slot_.LogItem(ChangeKind::kRemoveMember, {member});
  return removed && alive;
}

bool MutableSet::Erase(std::string_view member) {
  if (!slot_.exists() || slot_.encoding() != Encoding::kIntSet) return items_.Erase(member);
  const std::optional<int64_t> integer = ParseCanonicalInt(member);
  if (!integer || !IntSet(slot_).Remove(*integer)) return false;
  if (view().empty()) slot_.Remove();
  return true;
}

std::optional<std::string> MutableSet::Pop(absl::BitGenRef rng) {
  std::optional<std::string> member = view().Random(rng);
  if (member) Remove(*member);
  return member;
}

bool MutableSet::SetMemberExpiry(std::string_view member, int64_t expires_at_ms) {
  if (!view().Contains(member)) return false;
  if (slot_.encoding() == Encoding::kIntSet) LeaveIntSet(/*to_trie=*/false);
  slot_.LogItem(ChangeKind::kExpireMember, {member}, expires_at_ms);
  return items_.SetExpiry(member, expires_at_ms);
}

bool MutableSet::PersistMember(std::string_view member) {
  const std::optional<int64_t> expiry = view().MemberExpiry(member);
  if (!expiry || *expiry == kNever) return false;
  slot_.LogItem(ChangeKind::kPersistMember, {member});
  return items_.SetExpiry(member, kNever);
}

size_t MutableSet::EraseExpired(size_t limit) {
  if (view().NextExpiry() == kNever) return 0;
  return items_.EraseExpired(now_ms_, limit, [&](std::string_view member) {
    slot_.LogItem(ChangeKind::kRemoveMember, {member});
  });
}

}  // namespace cloakroom
