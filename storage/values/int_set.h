#ifndef CLOAKROOM_STORAGE_VALUES_INT_SET_H_
#define CLOAKROOM_STORAGE_VALUES_INT_SET_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "storage/values/value.h"

namespace cloakroom {

// An int set: a byte that says how wide the integers are (2, 4 or 8 bytes), then the integers in
// ascending order, distinct, in the host's byte order, unaligned.
// Invariants: the width is the narrowest that has ever been enough; it never shrinks. An empty set
// has no bytes at all. Finding is O(log n); changing is one Splice, O(n) for the bytes that move.
// Threads: as for the bytes that hold the set.

/// Reads an int set. REQUIRES: bytes written by IntSet, or Validate() returned true.
class IntSetView {
 public:
  explicit IntSetView(std::string_view bytes) : bytes_(bytes) {}

  /// Whether `bytes` are a well-formed int set. Never reads out of bounds.
  static bool Validate(std::string_view bytes);

  size_t size() const { return bytes_.empty() ? 0 : (bytes_.size() - 1) / width(); }
  bool Contains(int64_t value) const;
  /// In ascending order. REQUIRES: index < size().
  int64_t At(size_t index) const;

 private:
  friend class IntSet;

  size_t width() const { return static_cast<uint8_t>(bytes_[0]); }
  /// The index of the first integer that is not below `value`.
  size_t LowerBound(int64_t value) const;

  std::string_view bytes_;
};

/// Changes an int set in its region.
class IntSet {
 public:
  explicit IntSet(Region& region) : region_(region) {}

  IntSetView view() const { return IntSetView(region_.bytes()); }
  /// Returns whether the value is new.
  bool Add(int64_t value);
  /// Returns whether the value was there.
  bool Remove(int64_t value);

 private:
  void Widen(size_t width);

  Region& region_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_INT_SET_H_
