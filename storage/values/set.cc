#include "storage/values/set.h"

#include <vector>

#include "absl/random/distributions.h"
#include "storage/base/integer_text.h"
#include "storage/values/int_set.h"
#include "storage/values/packed.h"

namespace cloakroom {
namespace {

std::string_view NameEncoding(const ValueView& value) {
  if (value.encoding == Encoding::kIntSet) return "intset";
  return value.outgrown || value.encoding == Encoding::kTrie ? "hashtable" : "listpack";
}

size_t SizeOf(const ValueView& value, int64_t /*now_ms*/) { return Set(value).size(); }

void ForEachMember(const ValueView& value, absl::FunctionRef<void(const Item&)> fn,
                   int64_t /*now_ms*/) {
  Set(value).ForEach([&](std::string_view member) { fn({.field = member}); });
}

}  // namespace

constinit const TypeOps kSetOps = {.type = ValueType::kSet,
                                   .name = "set",
                                   .release = ReleaseItems,
                                   .release_cost = ItemsReleaseCost,
                                   .share = ShareItems,
                                   .memory = ItemsMemory,
                                   .encoding_name = NameEncoding,
                                   .size = SizeOf,
                                   .for_each = ForEachMember};

size_t Set::size() const { return is_int_set() ? IntSetView(payload_).size() : items().size(); }

bool Set::Contains(std::string_view member) const {
  if (!is_int_set()) return items().Find(member).has_value();
  const std::optional<int64_t> value = ParseCanonicalInt(member);
  return value && IntSetView(payload_).Contains(*value);
}

void Set::ForEach(absl::FunctionRef<void(std::string_view)> fn) const {
  if (!is_int_set()) return items().ForEach([&](const Item& item) { fn(item.field); });
  const IntSetView integers(payload_);
  for (size_t i = 0; i < integers.size(); ++i) fn(IntegerText(integers.At(i)).view());
}

uint64_t Set::Scan(uint64_t cursor, size_t count,
                   absl::FunctionRef<void(std::string_view)> fn) const {
  if (!is_int_set()) {
    return items().Scan(cursor, count, [&](const Item& item) { fn(item.field); });
  }
  ForEach(fn);
  return 0;
}

std::optional<std::string> Set::Random(absl::BitGenRef rng) const {
  if (empty()) return std::nullopt;
  return At(absl::Uniform<size_t>(rng, 0, size()));
}

std::string Set::At(size_t rank) const {
  if (!is_int_set()) return std::string(items().At(rank).field);
  return std::string(IntegerText(IntSetView(payload_).At(rank)).view());
}

MutableSet::MutableSet(ValueSlot& slot, const EncodingLimits& limits)
    : slot_(slot),
      limits_(limits),
      items_(slot, ValueType::kSet, /*has_values=*/false, limits.set_max_listpack_entries) {}

Set MutableSet::view() const {
  return slot_.exists() ? Set(slot_.encoding(), slot_.bytes()) : Set();
}

bool MutableSet::Add(std::string_view member) {
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
  if (member.size() > limits_.set_max_listpack_value) slot_.set_outgrown(true);
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
  const bool removed = Erase(member);
  if (removed) slot_.LogItem(ChangeKind::kRemoveMember, {member});
  return removed;
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

}  // namespace cloakroom
