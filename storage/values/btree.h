#ifndef CLOAKROOM_STORAGE_VALUES_BTREE_H_
#define CLOAKROOM_STORAGE_VALUES_BTREE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/functional/function_ref.h"
#include "storage/values/btree_view.h"

namespace cloakroom {

/// A long sequence of items: a B+ tree whose leaves are runs of items in the type's own format, and
/// whose nodes count the items below them. It finds an item by its index, and by order if the items
/// are sorted, in O(log n); it grows and shrinks by one leaf at a time.
///
/// Copy-on-write: Share() returns an equal tree in O(1). Both may change afterwards; a change
/// copies the parts of its path that are still shared, and then works in place.
///
/// Owns one reference to its root; null if empty. Threads: one at a time may use a BTree. Trees
/// that share parts are independent: each may be used, read and dropped on a thread of its own.
class BTree {
 public:
  explicit BTree(const LeafFormat& format) : format_(&format) {}
  /// Takes over a reference to a root. REQUIRES: a tree of this format.
  BTree(BTreePart* root, const LeafFormat& format) : root_(root), format_(&format) {}
  ~BTree() { UnrefBTree(root_); }

  BTree(BTree&& other) noexcept
      : root_(std::exchange(other.root_, nullptr)), format_(other.format_) {}
  BTree& operator=(BTree&& other) noexcept {
    std::swap(root_, other.root_);
    std::swap(format_, other.format_);
    return *this;
  }

  BTreeView view() const { return BTreeView(root_, *format_); }
  size_t size() const { return view().size(); }
  bool empty() const { return root_ == nullptr; }

  /// A copy that does not change when this tree does. O(1).
  BTree Share() const;
  /// Gives the reference to the root to the caller.
  BTreePart* Release() { return std::exchange(root_, nullptr); }

  /// Changes the leaf at `place` through the editor; the other leaves stay as they are. Afterwards
  /// splits the leaf if it is larger than the format's limits, merges it with a neighbour if both
  /// are small, or removes it if it has no items. `place` and every other place are invalid then.
  /// Items of a sorted tree must remain sorted.
  void Edit(const BTreePlace& place, absl::FunctionRef<void(BTreeLeafEditor&)> change);

  /// Adds a leaf of `items` items in front of all others, or behind them. REQUIRES: items > 0.
  void PrependLeaf(std::string_view bytes, size_t items);
  void AppendLeaf(std::string_view bytes, size_t items);

  /// Erases `count` items from index `first` on; whole leaves in it are dropped unread.
  /// REQUIRES: first + count <= size(); format.offset is not null.
  void Erase(size_t first, size_t count);

 private:
  /// Replaces the part of the path at `depth`: a node, the leaf, or the root at 0.
  void SetPart(BTreePlace& place, unsigned depth, BTreePart* part);
  void MakeUnique(BTreePlace& place);
  /// Brings counts and order keys of the path's nodes up to date with the leaf.
  void Refresh(BTreePlace& place);
  void Insert(BTreePlace& place, BTreePart* behind);
  void SplitLeaf(BTreePlace& place, bool appended, bool prepended);
  void RemoveLeaf(BTreePlace& place);
  void MergeLeaf(BTreePlace& place);
  void Settle(BTreePlace& place, size_t items_before, bool at_front);

  BTreePart* root_ = nullptr;
  const LeafFormat* format_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_BTREE_H_
