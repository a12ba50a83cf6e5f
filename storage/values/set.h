#ifndef CLOAKROOM_STORAGE_VALUES_SET_H_
#define CLOAKROOM_STORAGE_VALUES_SET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/random/bit_gen_ref.h"
#include "storage/base/clock.h"
#include "storage/values/encoding_limits.h"
#include "storage/values/items.h"
#include "storage/values/shared_value.h"
#include "storage/values/type_ops.h"
#include "storage/values/value.h"

namespace cloakroom {

/// Its row (type_ops.h).
extern const TypeOps kSetOps;

/// A set as readers see it at a moment, `now_ms`: members that have expired by then are invisible.
/// A default-constructed Set is absent, and empty. Valid until the set changes; the caller holds
/// the stripe's lock, or a SharedValue. Members passed to a callback are valid only during the
/// call.
class Set {
 public:
  static constexpr ValueType kType = ValueType::kSet;

  Set() = default;
  Set(Encoding encoding, std::string_view payload, int64_t now_ms = kNothingExpiresMs)
      : encoding_(encoding), payload_(payload), now_ms_(now_ms) {}
  /// REQUIRES: a set.
  explicit Set(const ValueView& value, int64_t now_ms = kNothingExpiresMs)
      : Set(value.encoding, value.payload, now_ms) {}

  int64_t now_ms() const { return now_ms_; }
  /// O(1) unless members have expired and are not erased yet.
  size_t size() const;
  bool empty() const { return size() == 0; }
  bool Contains(std::string_view member) const;
  /// When the member expires (kNever: never); nullopt if there is no such member.
  std::optional<int64_t> MemberExpiry(std::string_view member) const;
  /// No member expires before this time, past or future; kNever if none ever does.
  int64_t NextExpiry() const { return is_int_set() ? kNever : items().MinExpiry(); }

  /// An int set in ascending order, a packed set in insertion order, a trie in hash order.
  void ForEach(absl::FunctionRef<void(std::string_view)> fn) const;
  /// The same with the members' expiries.
  void ForEachItem(absl::FunctionRef<void(const Item&)> fn) const;
  /// One step of SSCAN: calls `fn` for about `count` members and returns the next cursor, 0 at the
  /// end. Visits the whole of a packed set or int set. Cursors fit a signed 64-bit integer.
  uint64_t Scan(uint64_t cursor, size_t count, absl::FunctionRef<void(std::string_view)> fn) const;
  /// Any member, each with equal probability; nullopt if empty.
  std::optional<std::string> Random(absl::BitGenRef rng) const;
  /// The member at a rank in ForEach's order. O(log n) in a trie, so a sample of distinct members
  /// costs as many distinct ranks. REQUIRES: rank < size(), and no member has expired.
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
  int64_t now_ms_ = kNothingExpiresMs;
};

/// A set being changed at a moment, `now_ms`. The slot may be absent: the first Add creates it, and
/// removing the last member removes it. Arguments must not point into the set. The caller holds the
/// stripe's lock.
class MutableSet {
 public:
  /// REQUIRES: the slot is absent or holds a set.
  MutableSet(ValueSlot& slot, const EncodingLimits& limits, int64_t now_ms = kNothingExpiresMs);

  Set view() const;

  /// Returns whether the member is new: absent, or expired and not erased yet. A member that is
  /// there keeps its expiry.
  bool Add(std::string_view member);
  /// Returns whether a live member was there.
  bool Remove(std::string_view member);
  /// Removes and returns a random member; nullopt if empty.
  std::optional<std::string> Pop(absl::BitGenRef rng);

  /// False: there is no such member. A time in the past makes the member invisible at once.
  bool SetMemberExpiry(std::string_view member, int64_t expires_at_ms);
  /// False: there is no such member, or it had no expiry.
  bool PersistMember(std::string_view member);
  /// Erases at most `limit` expired members, and returns how many it erased.
  size_t EraseExpired(size_t limit);

 private:
  bool Insert(std::string_view member);
  bool Erase(std::string_view member);
  bool AddToIntSet(int64_t value);
  void LeaveIntSet(bool to_trie);

  ValueSlot& slot_;
  const EncodingLimits& limits_;
  const int64_t now_ms_;
  MutableItems items_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_SET_H_
