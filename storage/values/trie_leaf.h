#ifndef CLOAKROOM_STORAGE_VALUES_TRIE_LEAF_H_
#define CLOAKROOM_STORAGE_VALUES_TRIE_LEAF_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/values/packed.h"
#include "storage/values/shared_part.h"
#include "storage/values/value.h"

namespace cloakroom {

using TriePart = SharedPart;

/// A leaf: one allocation of a header, an array of one-byte tags and a packed block.
///
/// Invariants: tag i is the low byte of the hash of item i, so that a search compares only items
/// whose tag matches, usually none or one; the tag array has room for a multiple of kTagStep tags;
/// `capacity` bytes follow the header, which are all that the allocator gave. The allocation grows
/// in the allocator's steps, not by doubling: half-empty leaves by the million would cost more than
/// now and then moving one of two kilobytes.
struct TrieLeaf : TriePart {
  static constexpr size_t kTagStep = 8;

  /// An empty leaf with one reference and room for `reserve` bytes of tags and items.
  static TrieLeaf* Create(bool has_values, size_t reserve = 0);
  /// A leaf of equal content with one reference; shares the blobs.
  static TrieLeaf* Copy(const TrieLeaf* leaf);
  /// Frees a leaf without references, with or without its own references to blobs.
  static void Free(TrieLeaf* leaf);
  static void FreeKeepingBlobs(TrieLeaf* leaf);

  size_t size() const { return items().size(); }
  /// What the leaf limits compare: tags and packed bytes.
  size_t byte_size() const { return tag_capacity + packed_size; }
  size_t memory() const;

  PackedView items() const { return PackedView({bytes() + tag_capacity, packed_size}); }
  uint8_t tag(size_t index) const { return static_cast<uint8_t>(bytes()[index]); }
  std::optional<PackedItem> Find(uint8_t tag, std::string_view field) const;

  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
  char* bytes() { return reinterpret_cast<char*>(this + 1); }

  uint32_t tag_capacity = 0;
  uint32_t packed_size = 0;
  uint32_t capacity;

 private:
  explicit TrieLeaf(size_t capacity_bytes)
      : TriePart(true), capacity(static_cast<uint32_t>(capacity_bytes)) {}
  friend class TrieLeafEditor;
  static TrieLeaf* Allocate(size_t capacity_bytes);
};

static_assert(sizeof(TrieLeaf) == 20);

/// Changes a leaf. The leaf moves as it grows and shrinks: leaf() returns its present address.
/// REQUIRES: nobody else can reach the leaf, see SharedPart.
class TrieLeafEditor final : private Region {
 public:
  explicit TrieLeafEditor(TrieLeaf* leaf) : leaf_(leaf) {}

  TrieLeaf* leaf() const { return leaf_; }

  void Append(uint8_t tag, std::string_view field, std::string_view value, int64_t expires_at_ms);
  /// Appends one item of another block; takes over its reference to a blob.
  void AppendMoved(uint8_t tag, const PackedView& from, const PackedItem& item);
  void SetValue(const PackedItem& item, std::string_view value);
  void SetExpiry(const PackedItem& item, int64_t expires_at_ms);
  void Erase(const PackedItem& item);
  /// Gives back unused memory.
  void Trim();

 private:
  friend struct TrieLeaf;

  char* data() override { return leaf_->bytes() + leaf_->tag_capacity; }
  size_t size() const override { return leaf_->packed_size; }
  char* Splice(size_t offset, size_t erase, size_t insert) override;

  PackedBlock block() { return PackedBlock(*this); }
  void AppendTag(uint8_t tag);
  void SetTagCapacity(size_t tags);
  void Reallocate(size_t capacity);

  TrieLeaf* leaf_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_TRIE_LEAF_H_
