#ifndef CLOAKROOM_STORAGE_VALUES_PACKED_H_
#define CLOAKROOM_STORAGE_VALUES_PACKED_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

#include "storage/values/item.h"
#include "storage/values/value.h"

namespace cloakroom {

// A packed block: items in insertion order in one run of bytes.
//
//   block  = header item*          header = uint32: 8 bits of flags, 24 bits count
//   item   = [0xFE expiry] length field [value]         expiry = int64 milliseconds
//   value  = length bytes | 0xFF pointer to a Blob      only in blocks that have values (hashes)
//   length = 1 byte below 0x80 | 2 bytes 0x80-0xBF, 14 bits, high bits first | 0xC0 uint32
//
// Invariants: `count` items fill the block exactly; fields are distinct (the caller's duty); a
// value of kMinBlobValue bytes or more is a blob, a smaller one is inline; a block owns one
// reference to each of its blobs; no item has an expiry, or a blob, unless the block's flag says
// that some may. Numbers are in the host's order and unaligned: a block with blobs never leaves the
// process. Limits: 2^24 - 1 items; a field below 2^32 bytes. Look-ups are linear: callers limit
// blocks to some hundred items. Threads: as for the bytes that hold the block.

/// Values of this size and larger are Blobs of their own, so that they can be sent by reference and
/// shifting the block stays cheap.
inline constexpr size_t kMinBlobValue = 1024;

/// An item and its place in its block. Valid until the block changes.
struct PackedItem : Item {
  size_t index = 0;         ///< its place in the sequence
  size_t offset = 0;        ///< of its first byte in the block
  size_t value_offset = 0;  ///< of its value's first byte, the length
  size_t end = 0;           ///< of the byte behind it
};

/// Reads a block. REQUIRES: this process wrote the bytes as a block, or Validate() returned true.
class PackedView {
 public:
  explicit PackedView(std::string_view block) : block_(block) {}

  /// Whether `bytes` are a well-formed block. For bytes from outside, so false if there are blobs
  /// (pointers). Never reads out of bounds. Does not look for duplicate fields.
  static bool Validate(std::string_view bytes);

  size_t size() const { return Header() >> 8; }
  bool has_values() const;
  bool may_have_blobs() const;
  /// The earliest expiry of an item; kNever if there is none.
  int64_t MinExpiry() const;

  std::optional<PackedItem> Find(std::string_view field) const;
  /// REQUIRES: index < size().
  PackedItem At(size_t index) const;
  /// As At, but walks from an earlier item on. REQUIRES: from.index < index < size().
  PackedItem At(size_t index, const PackedItem& from) const;

  /// Takes or drops one reference to every blob: for copying or discarding the block's bytes.
  void RefBlobs() const;
  void UnrefBlobs() const;
  /// The number of blobs, and the memory of their allocations.
  size_t BlobCount() const;
  size_t BlobMemory() const;

  class Iterator;
  Iterator begin() const;
  std::default_sentinel_t end() const { return {}; }

 private:
  friend class PackedBlock;

  uint32_t Header() const;
  PackedItem Decode(size_t index, size_t offset) const;
  size_t SkipItems(size_t offset, size_t count) const;

  std::string_view block_;
};

/// Iterates over a block's items in order.
class PackedView::Iterator {
 public:
  explicit Iterator(PackedView view);

  const PackedItem& operator*() const { return item_; }
  const PackedItem* operator->() const { return &item_; }
  Iterator& operator++();
  bool operator==(std::default_sentinel_t) const { return item_.index == count_; }

 private:
  PackedView view_;
  size_t count_;
  PackedItem item_;
};

/// Changes a block in its region. Every change is one Splice. Arguments must not point into the
/// region, and a PackedItem must come from the block's present state.
class PackedBlock {
 public:
  explicit PackedBlock(Region& region) : region_(region) {}

  /// Writes an empty block. REQUIRES: region.size() == 0.
  static void Init(Region& region, bool has_values);

  PackedView view() const { return PackedView(region_.bytes()); }

  /// REQUIRES: no item has this field; `value` and the expiry only if the block has values.
  void Append(std::string_view field, std::string_view value, int64_t expires_at_ms);
  /// Appends the bytes of an item of another block; takes over its reference to a blob.
  void AppendMoved(const PackedView& from, const PackedItem& item);
  void SetValue(const PackedItem& item, std::string_view value);
  /// kNever: it no longer expires.
  void SetExpiry(const PackedItem& item, int64_t expires_at_ms);
  void Erase(const PackedItem& item);

 private:
  void SetHeader(size_t count, uint32_t flags);
  void AddFlags(uint32_t flags);

  Region& region_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_PACKED_H_
