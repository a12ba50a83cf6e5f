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

  BTreeView view() const { return BTreeView(root_); }
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
  /// REQUIRES: first + count <= size(); the format has `offset` or `erase`.
  void Erase(size_t first, size_t count);

 private:
  enum class Side : bool { kBefore, kBehind };

  BTreeChild ChildOf(BTreePart* part) const;
  bool Overfull(const BTreeLeaf& leaf) const;
  /// Whether a neighbour may be so small that the two are one leaf; the neighbour need not be read.
  bool IsSmall(const BTreeLeaf& leaf) const;
  /// Whether two neighbours are so small together that they should be one part.
  bool FitTogether(const BTreePart* a, const BTreePart* b) const;

  // These change the nodes of a path, which must be unique, and keep the path valid unless they say
  // otherwise.
  /// Replaces the part of the path at `depth`: a node, the leaf, or the root at 0.
  void SetPart(BTreePlace& path, unsigned depth, BTreePart* part);
  void MakeNodesUnique(BTreePlace& path);
  /// Brings counts and order keys up to date in the nodes above `depth`.
  void Refresh(BTreePlace& path, unsigned depth);
  /// Puts a part beside the path's part at `depth`. The path is invalid then.
  void Insert(BTreePlace& path, unsigned depth, BTreePart* part, Side side);
  /// Splits the leaf before item `cut`, and the halves until none is too large. The path is invalid
  /// then.
  void SplitLeaf(BTreePlace& path, size_t cut);
  size_t MiddleOf(const BTreeLeaf& leaf) const;
  void EraseItems(BTreeLeafEditor& leaf, size_t first, size_t count) const;
  void RemoveLeaf(BTreePlace& path);
  /// Merges the path's parts with neighbours, from the leaf upwards, where they fit together.
  void MergeUpwards(BTreePlace& path);
  BTreePart* Merged(BTreePart* left, BTreePart* right);
  void CollapseRoot();

  BTreePart* root_ = nullptr;
  const LeafFormat* format_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_BTREE_H_
