#ifndef CLOAKROOM_STORAGE_VALUES_BTREE_PARTS_H_
#define CLOAKROOM_STORAGE_VALUES_BTREE_PARTS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "storage/values/shared_part.h"
#include "storage/values/value.h"

namespace cloakroom {

class BTreeLeafEditor;

/// How a type lays out its items in the leaves of a B+ tree (btree.h). The functions read leaves
/// that the type itself has written.
struct LeafFormat {
  /// A leaf that is larger than either limit, and has more than one item, is split in two. SIZE_MAX
  /// for a type that divides its leaves itself.
  size_t max_bytes;
  size_t max_items;
  /// Where item `index` starts in a leaf; the end for the index behind the last. Null if the type
  /// itself erases items, and never lets a leaf split or merge, or if it has `erase` and `append`.
  size_t (*offset)(std::string_view leaf, size_t index) = nullptr;
  /// The order key of the leaf's first item: a number that never decreases from item to item. Items
  /// with equal keys are told apart by their bytes. Null if the items are not sorted.
  uint64_t (*key)(std::string_view leaf) = nullptr;
  // For a type whose items do not lie one behind the other, so that a part of a leaf's bytes is no
  // leaf (list_run.h). Both or neither; `offset` is null then. They need not count items.
  /// Erases items from `first` on.
  void (*erase)(BTreeLeafEditor& leaf, size_t first, size_t count) = nullptr;
  /// Puts the items of another leaf behind those of this one.
  void (*append)(BTreeLeafEditor& leaf, std::string_view other) = nullptr;
};

using BTreePart = SharedPart;

/// A leaf: one allocation of a header and `size` bytes, which only the type understands. Invariant:
/// `capacity` bytes follow the header, which are all that the allocator gave.
struct BTreeLeaf : BTreePart {
  /// A leaf with these bytes and one reference.
  static BTreeLeaf* Create(std::string_view bytes, size_t items);
  static void Free(BTreeLeaf* leaf);

  std::string_view bytes() const { return {reinterpret_cast<const char*>(this + 1), size}; }
  char* data() { return reinterpret_cast<char*>(this + 1); }
  size_t memory() const;

  uint32_t items = 0;
  uint32_t size = 0;
  uint32_t capacity;

 private:
  explicit BTreeLeaf(size_t capacity_bytes)
      : BTreePart(true), capacity(static_cast<uint32_t>(capacity_bytes)) {}
  friend class BTreeLeafEditor;
  static BTreeLeaf* Allocate(size_t capacity_bytes);
};

/// Changes a leaf. The leaf moves as it grows and shrinks: leaf() returns its present address.
/// REQUIRES: nobody else can reach the leaf, see SharedPart.
class BTreeLeafEditor final : public Region {
 public:
  explicit BTreeLeafEditor(BTreeLeaf* leaf) : leaf_(leaf) {}

  BTreeLeaf* leaf() const { return leaf_; }
  size_t items() const { return leaf_->items; }
  /// Whoever inserts or erases items also says so here.
  void set_items(size_t items) { leaf_->items = static_cast<uint32_t>(items); }

  char* data() override { return leaf_->data(); }
  size_t size() const override { return leaf_->size; }
  char* Splice(size_t offset, size_t erase, size_t insert) override;
  /// Gives back unused memory.
  void Trim();

  enum class Place : uint8_t { kFront, kMiddle, kEnd };
  /// Where the last Splice was.
  Place last_change() const { return last_change_; }

 private:
  void Reallocate(size_t capacity);

  BTreeLeaf* leaf_;
  Place last_change_ = Place::kMiddle;
};

/// A part below a node, the number of items in it, and the order key of its first item (0 without
/// an order).
struct BTreeChild {
  BTreePart* part = nullptr;
  size_t items = 0;
  uint64_t key = 0;
};

inline constexpr unsigned kMaxBTreeChildren = 32;
/// Nodes are at least half full but for those at the right and left edges, so this is enough for
/// more items than fit into memory.
inline constexpr unsigned kMaxBTreeDepth = 16;

/// An inner node: 1 to 32 children, all leaves or all nodes of equal height, in the order of their
/// items.
struct BTreeNode : BTreePart {
  static BTreeNode* Create(std::span<const BTreeChild> children);
  /// A node with its own references to the same children.
  static BTreeNode* Copy(const BTreeNode* node);
  /// Frees the node alone, not what it refers to.
  static void Free(BTreeNode* node);
  /// Puts a child at `index`; consumes `node` and returns its successor. REQUIRES: node->unique(),
  /// count < kMaxBTreeChildren.
  static BTreeNode* Insert(BTreeNode* node, unsigned index, const BTreeChild& child);
  /// Takes out the child at `index`, whose reference the caller takes over. REQUIRES: unique().
  void Erase(unsigned index);
  /// Moves the children from `index` on to a new node. REQUIRES: unique().
  BTreeNode* SplitOff(unsigned index);

  std::span<BTreeChild> children() { return {first(), count}; }
  std::span<const BTreeChild> children() const {
    return {const_cast<BTreeNode*>(this)->first(), count};
  }
  size_t items() const;
  bool has_leaves() const { return children()[0].part->is_leaf; }

  uint8_t count = 0;
  uint8_t capacity;

 private:
  explicit BTreeNode(unsigned children)
      : BTreePart(false), capacity(static_cast<uint8_t>(children)) {}
  static BTreeNode* Allocate(size_t capacity);
  BTreeChild* first() { return reinterpret_cast<BTreeChild*>(this + 1); }
};

/// The items in any part; null is an empty one.
size_t BTreeItems(const BTreePart* part);

/// Drops a reference to `part`, which may be null; the last one frees everything below that has no
/// other reference. Any thread. Recurses as deep as the tree.
void UnrefBTree(const BTreePart* part);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_BTREE_PARTS_H_
