#ifndef CLOAKROOM_STORAGE_VALUES_HASH_H_
#define CLOAKROOM_STORAGE_VALUES_HASH_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/random/bit_gen_ref.h"
#include "storage/values/encoding_limits.h"
#include "storage/values/item.h"
#include "storage/values/items.h"
#include "storage/values/shared_value.h"
#include "storage/values/type_ops.h"
#include "storage/values/value.h"

namespace cloakroom {

/// Its row (type_ops.h).
extern const TypeOps kHashOps;

/// A hash as readers see it: expired fields are invisible. A default-constructed Hash is absent,
/// and empty. Results are valid until the hash changes; the caller holds the stripe's lock, or a
/// SharedValue.
class Hash {
 public:
  static constexpr ValueType kType = ValueType::kHash;

  Hash() = default;
  Hash(Encoding encoding, std::string_view payload) : encoding_(encoding), payload_(payload) {}
  /// REQUIRES: a hash.
  explicit Hash(const ValueView& value) : Hash(value.encoding, value.payload) {}

  /// O(1) unless fields have expired and are not erased yet.
  size_t size(int64_t now_ms) const { return items().LiveSize(now_ms); }

  std::optional<ItemValue> Find(std::string_view field, int64_t now_ms) const;
  /// When the field expires (kNever: never); nullopt if there is no such field.
  std::optional<int64_t> FieldExpiry(std::string_view field, int64_t now_ms) const;
  /// No field expires before this time; kNever if none ever does.
  int64_t NextExpiry() const { return items().MinExpiry(); }

  /// In insertion order while packed; afterwards in an order that only changes of the hash change.
  void ForEach(absl::FunctionRef<void(const Item&)> fn, int64_t now_ms) const;
  /// One step of HSCAN: calls `fn` for about `count` fields and returns the next cursor, 0 at the
  /// end. Visits the whole of a packed hash. Cursors fit a signed 64-bit integer.
  uint64_t Scan(uint64_t cursor, size_t count, absl::FunctionRef<void(const Item&)> fn,
                int64_t now_ms) const;
  /// Any field, each with equal probability; nullopt if empty.
  std::optional<Item> Random(absl::BitGenRef rng, int64_t now_ms) const;

  /// The hash as it is now, for a thread without the lock. O(1), or a copy of a packed block.
  SharedValue Share() const {
    return SharedValue({.type = kType, .encoding = encoding_, .payload = payload_});
  }

 private:
  Items items() const { return Items(encoding_, payload_); }

  Encoding encoding_ = Encoding::kPacked;
  std::string_view payload_;
};

/// A hash being changed. The slot may be absent: the first Set creates it, and erasing the last
/// field removes it. Arguments must not point into the hash. The caller holds the stripe's lock.
class MutableHash {
 public:
  enum class Expiry : uint8_t { kClear, kKeep };

  /// REQUIRES: the slot is absent or holds a hash.
  MutableHash(ValueSlot& slot, const EncodingLimits& limits);

  Hash view() const;

  /// Returns whether the field is new: absent, or expired and not erased yet.
  bool Set(std::string_view field, std::string_view value, int64_t now_ms,
           Expiry expiry = Expiry::kClear);
  /// Returns whether a live field was erased.
  bool Erase(std::string_view field, int64_t now_ms);

  /// False: there is no such field. A time in the past makes the field invisible at once.
  bool SetFieldExpiry(std::string_view field, int64_t expires_at_ms, int64_t now_ms);
  /// False: there is no such field, or it had no expiry.
  bool PersistField(std::string_view field, int64_t now_ms);

  /// Erases at most `limit` expired fields, calls `on_erase` before each, and returns how many it
  /// erased.
  size_t EraseExpired(int64_t now_ms, size_t limit,
                      absl::FunctionRef<void(std::string_view field)> on_erase);
  size_t EraseExpired(int64_t now_ms, size_t limit);

 private:
  void LogSet(std::string_view field, std::string_view value, int64_t expires_at_ms);
  void LogFieldExpiry(std::string_view field, int64_t expires_at_ms);

  ValueSlot& slot_;
  size_t max_value_;
  MutableItems items_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_HASH_H_
