#ifndef CLOAKROOM_STORAGE_VALUES_ZSET_TREE_H_
#define CLOAKROOM_STORAGE_VALUES_ZSET_TREE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "storage/values/btree.h"
#include "storage/values/scored_item.h"
#include "storage/values/trie.h"

namespace cloakroom {

/// A large sorted set keeps its members twice: in order in the leaves of a B+ tree (runs of
/// scored_item.h), which finds ranks and ranges, and in a trie (packed scores as values), which
/// finds the score of a member. Both are copy-on-write.

/// The roots of both; null without members. The payload of an entry is this struct.
struct ZsetRoots {
  BTreePart* order = nullptr;
  TriePart* scores = nullptr;
};

/// Whether an item comes before a place in the order.
using ScoredPredicate = absl::FunctionRef<bool(const ScoredItem&)>;
using ScoredFn = absl::FunctionRef<void(const ScoredItem&)>;

/// Reads a large sorted set. Does not own it: valid until the set changes.
class ZsetTreeView {
 public:
  explicit ZsetTreeView(const ZsetRoots& roots) : roots_(roots) {}

  size_t size() const { return order().size(); }
  std::optional<double> Score(std::string_view member) const;
  /// How many items come before a place. `before` holds for all items with a lower score than the
  /// one with the order key `key`, and for none with a higher one; the tree asks it only about
  /// items with this score. O(log n).
  size_t CountBefore(uint64_t key, ScoredPredicate before) const;
  /// REQUIRES: rank < size().
  ScoredItem At(size_t rank) const;
  /// Calls `fn` for `count` items from rank `first` on, in ascending order or, from the last of
  /// them to the first, in descending order. REQUIRES: first + count <= size().
  void ForRange(size_t first, size_t count, bool descending, ScoredFn fn) const;
  /// One step of ZSCAN; see TrieView::Scan.
  uint64_t Scan(uint64_t cursor, size_t count, ScoredFn fn) const;
  /// See BTreeView::Memory.
  size_t Memory(size_t samples) const;

 private:
  BTreeView order() const;
  TrieView scores() const { return TrieView(roots_.scores); }

  ZsetRoots roots_;
};

/// Changes a large sorted set: takes over the references to its roots, and gives those of the
/// changed set back with Release().
///
/// Thread rule: one thread at a time; see BTree and Trie for sets that share parts.
class ZsetTree {
 public:
  explicit ZsetTree(const ZsetRoots& roots);

  /// Makes a tree of a run of items.
  static ZsetTree Of(std::string_view run);

  size_t size() const { return order_.size(); }
  /// REQUIRES: no such member.
  void Add(const ScoredItem& item);
  /// Gives a member another score. REQUIRES: `old_score` is its score.
  void Move(std::string_view member, double old_score, double new_score);
  /// REQUIRES: `item` is a member with its score.
  void Remove(const ScoredItem& item);
  /// Removes `count` items from rank `first` on, and calls `fn` with each before.
  /// REQUIRES: first + count <= size().
  void RemoveRange(size_t first, size_t count, ScoredFn fn);

  /// Gives the references to the caller.
  ZsetRoots Release() { return {order_.Release(), scores_.Release()}; }

 private:
  void Place(const ScoredItem& item);
  void TakeOut(const ScoredItem& item);

  BTree order_;
  Trie scores_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_ZSET_TREE_H_
