#ifndef CLOAKROOM_STORAGE_VALUES_SET_H_
#define CLOAKROOM_STORAGE_VALUES_SET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/random/bit_gen_ref.h"
#include "storage/values/encoding_limits.h"
#include "storage/values/items.h"
#include "storage/values/shared_value.h"
#include "storage/values/type_ops.h"
#include "storage/values/value.h"

namespace cloakroom {

/// Its row (type_ops.h).
extern const TypeOps kSetOps;

/// A set as readers see it. A default-constructed Set is absent, and empty. Valid until the set
/// changes; the caller holds the stripe's lock, or a SharedValue. Members passed to a callback are
/// valid only during the call.
class Set {
 public:
  static constexpr ValueType kType = ValueType::kSet;

  Set() = default;
  Set(Encoding encoding, std::string_view payload) : encoding_(encoding), payload_(payload) {}
  /// REQUIRES: a set.
  explicit Set(const ValueView& value) : Set(value.encoding, value.payload) {}

  size_t size() const;
  bool empty() const { return size() == 0; }
  bool Contains(std::string_view member) const;

  /// An int set in ascending order, a packed set in insertion order, a trie in hash order.
  void ForEach(absl::FunctionRef<void(std::string_view)> fn) const;
  /// One step of SSCAN: calls `fn` for about `count` members and returns the next cursor, 0 at the
  /// end. Visits the whole of a packed set or int set. Cursors fit a signed 64-bit integer.
  uint64_t Scan(uint64_t cursor, size_t count, absl::FunctionRef<void(std::string_view)> fn) const;
  /// Any member, each with equal probability; nullopt if empty.
  std::optional<std::string> Random(absl::BitGenRef rng) const;
  /// The member at a rank in ForEach's order. O(log n) in a trie, so a sample of distinct members
  /// costs as many distinct ranks. REQUIRES: rank < size().
  std::string At(size_t rank) const;

  /// The set as it is now, for a thread without the lock. O(1), or a copy of a small block.
  SharedValue Share() const {
    return SharedValue({.type = kType, .encoding = encoding_, .payload = payload_});
  }
  /// Whether this set is that value, unchanged since it was shared.
  bool Is(const SharedValue& value) const {
    return value.Is({.type = kType, .encoding = encoding_, .payload = payload_});
  }

 private:
  bool is_int_set() const { return encoding_ == Encoding::kIntSet; }
  Items items() const { return Items(encoding_, payload_); }

  Encoding encoding_ = Encoding::kPacked;
  std::string_view payload_;
};

/// A set being changed. The slot may be absent: the first Add creates it, and removing the last
/// member removes it. Arguments must not point into the set. The caller holds the stripe's lock.
class MutableSet {
 public:
  /// REQUIRES: the slot is absent or holds a set.
  MutableSet(ValueSlot& slot, const EncodingLimits& limits);

  Set view() const;

  /// Returns whether the member is new.
  bool Add(std::string_view member);
  /// Returns whether the member was there.
  bool Remove(std::string_view member);
  /// Removes and returns a random member; nullopt if empty.
  std::optional<std::string> Pop(absl::BitGenRef rng);

 private:
  bool Insert(std::string_view member);
  bool Erase(std::string_view member);
  bool AddToIntSet(int64_t value);
  void LeaveIntSet(bool to_trie);

  ValueSlot& slot_;
  const EncodingLimits& limits_;
  MutableItems items_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_SET_H_
