#ifndef CLOAKROOM_STORAGE_VALUES_SHARED_VALUE_H_
#define CLOAKROOM_STORAGE_VALUES_SHARED_VALUE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "storage/values/value.h"

namespace cloakroom {

// What an entry's payload owns beyond its own bytes: references to blobs and to a trie's root.
// These functions treat it as a whole, whatever its type. The caller holds the stripe's lock, or
// is the payload's only owner.

/// Drops every reference that the payload holds; the payload must not be used afterwards.
void ReleaseValue(ValueType type, Encoding encoding, std::string_view payload);

/// Roughly how many allocations ReleaseValue would free: decides who does it. O(packed items).
size_t ReleaseCost(ValueType type, Encoding encoding, std::string_view payload);

/// Takes a reference of its own to each that the payload holds: for whoever copies its bytes.
void ShareValue(Encoding encoding, std::string_view payload);

/// A payload equal to this one that owns references of its own. Blobs and tries are shared, so a
/// set of a million members costs nothing; whoever changes one side first copies what it touches.
std::string CopyPayload(ValueType type, Encoding encoding, std::string_view payload);

/// Bytes that the value occupies outside its entry, as the allocator counts them. Of a trie,
/// `samples` leaves are measured and the rest extrapolated; 0 measures all.
size_t ValueMemory(ValueType type, Encoding encoding, std::string_view payload, size_t samples = 5);

/// A copy of a value as it was when it was taken, which any one thread at a time may read without
/// a lock while the original changes: Hash(shared.encoding(), shared.payload()), for instance.
/// The last holder frees what is left of it, on whatever thread that happens.
class SharedValue {
 public:
  SharedValue(ValueType type, Encoding encoding, std::string_view payload);
  ~SharedValue() { ReleaseValue(type_, encoding_, payload_); }
  SharedValue(const SharedValue& other);
  SharedValue(SharedValue&& other) noexcept;
  SharedValue& operator=(SharedValue other) noexcept;

  /// Whether this is that value, unchanged since it was shared. Large values are copied when they
  /// change, so their address tells; it is not given to another one while this object lives.
  bool Is(ValueType type, Encoding encoding, std::string_view payload) const {
    return type_ == type && encoding_ == encoding && payload_ == payload;
  }

  ValueType type() const { return type_; }
  Encoding encoding() const { return encoding_; }
  std::string_view payload() const { return payload_; }

 private:
  ValueType type_;
  Encoding encoding_;
  std::string payload_;  // Owns its references, unless empty.
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_SHARED_VALUE_H_
