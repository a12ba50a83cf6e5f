#ifndef CLOAKROOM_STORAGE_VALUES_ITEMS_H_
#define CLOAKROOM_STORAGE_VALUES_ITEMS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/random/bit_gen_ref.h"
#include "storage/values/item.h"
#include "storage/values/value.h"

namespace cloakroom {

/// What hashes and sets share: items with distinct fields, in a packed block or in a trie. Expired
/// items count as items, except in functions that take `now_ms`. Valid until the value changes.
/// Thread rule: the caller holds the stripe's lock, or a SharedValue.
class Items {
 public:
  /// REQUIRES: encoding is kPacked or kTrie. An empty payload is an empty collection.
  Items(Encoding encoding, std::string_view payload) : encoding_(encoding), payload_(payload) {}

  size_t size() const;
  /// How many of them have not expired. O(1) when MinExpiry() is in the future.
  size_t LiveSize(int64_t now_ms) const;
  /// No item expires before this time.
  int64_t MinExpiry() const;

  std::optional<Item> Find(std::string_view field) const;
  void ForEach(absl::FunctionRef<void(const Item&)> fn) const;
  uint64_t Scan(uint64_t cursor, size_t count, absl::FunctionRef<void(const Item&)> fn) const;
  /// REQUIRES: rank < size().
  Item At(size_t rank) const;
  /// Uniform among the items that have not expired.
  std::optional<Item> Random(absl::BitGenRef rng, int64_t now_ms) const;

 private:
  bool is_trie() const { return encoding_ == Encoding::kTrie; }
  std::optional<Item> FirstLiveFrom(uint64_t place, int64_t now_ms) const;

  Encoding encoding_;
  std::string_view payload_;
};

/// Items being changed in their slot: the first insertion creates it, a block that grows beyond its
/// limits becomes a trie, and erasing the last item removes the slot. Thread rule: as ValueView.
class MutableItems {
 public:
  /// `has_values`: items of the type are pairs (TypeOps). At most `max_packed_items` items remain
  /// packed. REQUIRES: the slot is absent or of this type.
  MutableItems(ValueSlot& slot, ValueType type, bool has_values, size_t max_packed_items)
      : slot_(slot), type_(type), has_values_(has_values), max_packed_items_(max_packed_items) {}

  Items view() const;

  /// Inserts the item, or replaces its value and expiry. Returns whether it is new.
  bool Put(std::string_view field, std::string_view value, int64_t expires_at_ms = kNever);
  /// Returns whether the item was there.
  bool Erase(std::string_view field);
  /// Returns whether there is such an item. kNever: it no longer expires.
  bool SetExpiry(std::string_view field, int64_t expires_at_ms);
  /// Erases at most `limit` expired items; calls `on_erase` with each one's field first.
  size_t EraseExpired(int64_t now_ms, size_t limit,
                      absl::FunctionRef<void(std::string_view)> on_erase);
  /// Makes a packed block a trie now. REQUIRES: the slot exists and is packed.
  void BecomeTrie();

 private:
  bool is_trie() const { return slot_.encoding() == Encoding::kTrie; }
  bool PutPacked(std::string_view field, std::string_view value, int64_t expires_at_ms);

  ValueSlot& slot_;
  const ValueType type_;
  const bool has_values_;
  const size_t max_packed_items_;
};

// The functions that a row of a type made of Items needs (type_ops.h).
void ReleaseItems(const ValueView& value);
size_t ItemsReleaseCost(const ValueView& value);
void ShareItems(const ValueView& value);
size_t ItemsMemory(const ValueView& value, size_t samples);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_ITEMS_H_
