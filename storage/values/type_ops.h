#ifndef CLOAKROOM_STORAGE_VALUES_TYPE_OPS_H_
#define CLOAKROOM_STORAGE_VALUES_TYPE_OPS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "storage/changes/key_event.h"
#include "storage/values/encoding_limits.h"
#include "storage/values/item.h"
#include "storage/values/value.h"

namespace cloakroom {

/// The operations of a type for callers that treat all values alike: one row for each type, beside
/// its class (kStringOps in string_value.h, kHashOps, kSetOps). Commands, which know the type of
/// their key, use its class and pay for no look-up.
///
/// Thread rule: as ValueView. Functions never get an absent value.
struct TypeOps {
  ValueType type;
  std::string_view name;  ///< what TYPE answers
  uint8_t redis_number;   ///< redis-server's number of its objects' types: DEBUG DIGEST mixes it
  /// Items are pairs of a field and a value; otherwise a field alone.
  bool has_values = false;
  /// The order of the items is a part of the value.
  bool ordered = false;

  // For what the payload owns beyond its own bytes: references to blobs and to a trie's root.
  // Called only for encodings that are not self-contained. See the functions of these names below.
  void (*release)(const ValueView& value);
  size_t (*release_cost)(const ValueView& value);
  void (*share)(const ValueView& value);
  size_t (*memory)(const ValueView& value, size_t samples);

  std::string_view (*encoding_name)(const ValueView& value);
  /// Items that have not expired; 1 for a string. 0: to clients there is no such value.
  size_t (*size)(const ValueView& value, int64_t now_ms);
  /// Calls `fn` for these items, in the type's order. A string is one item.
  void (*for_each)(const ValueView& value, absl::FunctionRef<void(const Item&)> fn, int64_t now_ms);

  // Only for types whose items have an expiry; null otherwise.
  /// No item expires before this time; kNever if none does.
  int64_t (*next_expiry)(const ValueView& value) = nullptr;
  /// Erases at most `limit` expired items and returns how many; erasing the last removes the slot.
  size_t (*erase_expired)(ValueSlot& slot, const EncodingLimits& limits, int64_t now_ms,
                          size_t limit) = nullptr;
  KeyEvent expired_event = {};  ///< what happens to the key then
};

/// The rows, by type.
extern const TypeOps* const kTypeOps[kValueTypes];

inline const TypeOps& OpsOf(ValueType type) { return *kTypeOps[static_cast<size_t>(type)]; }

/// Whether the payload refers to anything outside itself.
inline bool HasReferences(const ValueView& value) {
  return !IsSelfContained(value.encoding) && !value.payload.empty();
}

/// Drops every reference that the payload holds; the payload must not be used afterwards.
inline void ReleaseValue(const ValueView& value) {
  if (HasReferences(value)) OpsOf(value.type).release(value);
}

/// Roughly how many allocations ReleaseValue would free: decides who does it. O(packed items).
inline size_t ReleaseCost(const ValueView& value) {
  return HasReferences(value) ? OpsOf(value.type).release_cost(value) : 0;
}

/// Adds a reference to everything that the payload refers to: for a caller that copies its bytes.
inline void ShareValue(const ValueView& value) {
  if (HasReferences(value)) OpsOf(value.type).share(value);
}

/// A payload equal to this one with references of its own. Blobs and tries are shared, so a set of
/// a million members costs nothing; a change of either side first copies what it touches.
inline std::string CopyPayload(const ValueView& value) {
  ShareValue(value);
  return std::string(value.payload);
}

/// Bytes that the value occupies outside its entry, as the allocator counts them. For a trie,
/// measures `samples` leaves and extrapolates; 0 measures all.
inline size_t ValueMemory(const ValueView& value, size_t samples = 5) {
  return HasReferences(value) ? OpsOf(value.type).memory(value, samples) : 0;
}

/// What OBJECT ENCODING answers, in Redis 7.2's words.
inline std::string_view EncodingName(const ValueView& value) {
  return OpsOf(value.type).encoding_name(value);
}

/// Whether items have expired and no others are left: to clients there is no such value.
inline bool AllItemsExpired(const ValueView& value, int64_t now_ms) {
  const TypeOps& ops = OpsOf(value.type);
  return ops.next_expiry != nullptr && ops.next_expiry(value) <= now_ms &&
         ops.size(value, now_ms) == 0;
}

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_TYPE_OPS_H_
