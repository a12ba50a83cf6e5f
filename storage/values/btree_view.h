#ifndef CLOAKROOM_STORAGE_VALUES_BTREE_VIEW_H_
#define CLOAKROOM_STORAGE_VALUES_BTREE_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "storage/values/btree_parts.h"

namespace cloakroom {

/// A leaf of a B+ tree and the path to it. Valid until the tree changes.
struct BTreePlace {
  struct Step {
    BTreeNode* node;
    unsigned child;
  };

  Step steps[kMaxBTreeDepth];
  unsigned depth = 0;
  BTreeLeaf* leaf = nullptr;  ///< null: the tree is empty
  size_t before = 0;          ///< how many items are in the leaves before it

  bool valid() const { return leaf != nullptr; }
  size_t items() const { return leaf->items; }
  std::string_view bytes() const { return leaf->bytes(); }

  /// Moves to the leaf behind, or before; false, and the place stays, if there is none.
  bool Next();
  bool Previous();
};

/// Reads a B+ tree (btree.h). Does not own it: valid until the tree changes. Thread rule: as
/// TrieView.
class BTreeView {
 public:
  explicit BTreeView(const BTreePart* root) : root_(root) {}

  /// All items. O(children of the root).
  size_t size() const { return BTreeItems(root_); }
  bool empty() const { return root_ == nullptr; }

  BTreePlace First() const;
  BTreePlace Last() const { return At(SIZE_MAX); }
  /// The leaf that holds the item with this index; the last leaf if the index is size() or more.
  BTreePlace At(size_t index) const;
  /// The last leaf whose first item is not behind the target, so the only one that may hold it; the
  /// first leaf if all are behind. `key` is the target's order key; `is_behind` says whether the
  /// first item of a leaf, whose order key is the same, is behind the target.
  /// REQUIRES: the items are sorted, format.key is not null.
  BTreePlace Seek(uint64_t key, absl::FunctionRef<bool(std::string_view leaf)> is_behind) const;

  /// Calls `fn` with the bytes and the number of items of every leaf, in order.
  void ForEachLeaf(absl::FunctionRef<void(std::string_view bytes, size_t items)> fn) const;

  /// The bytes of all parts, as the allocator counts them. Measures `samples` leaves and
  /// extrapolates; 0 measures all.
  size_t Memory(size_t samples) const;
  /// How many allocations there are.
  size_t PartCount() const;

 private:
  BTreePlace Descend(absl::FunctionRef<unsigned(const BTreeNode&)> choose) const;

  const BTreePart* root_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_BTREE_VIEW_H_
