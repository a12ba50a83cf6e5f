#ifndef CLOAKROOM_STORAGE_VALUES_TRIE_H_
#define CLOAKROOM_STORAGE_VALUES_TRIE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/functional/function_ref.h"
#include "storage/values/trie_view.h"

namespace cloakroom {

// A leaf that is larger than either limit, and has more than one item, splits. Chosen by measuring
// (bench/micro/trie_bench.cc): larger leaves save a few bytes per member but cost search time.
inline constexpr size_t kMaxLeafItems = 40;
inline constexpr size_t kMaxLeafBytes = 2048;
// Neighbours merge if together they stay within both limits, or are a single item. Half of the
// above, so that erasing and inserting the same item does not merge and split each time; this also
// holds for an empty neighbour.
inline constexpr size_t kMergedLeafItems = kMaxLeafItems / 2;
inline constexpr size_t kMergedLeafBytes = kMaxLeafBytes / 2;

/// A large hash or set: a trie over the hash of the fields, with packed leaves (trie_leaf.h) below
/// nodes of 16 slots (trie_node.h). It grows and shrinks by one leaf at a time: no operation
/// touches more than a path of at most 15 nodes, typically 4 to 5 in a million items, and two
/// leaves.
///
/// Copy-on-write: Share() returns an equal trie in O(1). Both may change afterwards; a change
/// copies the parts of its path that are still shared, about 3 KB, and then works in place.
///
/// Owns one reference to its root; null if empty. Threads: one at a time may use a Trie. Tries that
/// share parts are independent: each may be used, read and dropped on a thread of its own.
class Trie {
 public:
  explicit Trie(bool has_values, TrieHash hash = SeededTrieHash)
      : has_values_(has_values), hash_(hash) {}
  /// Takes over a reference to a root. REQUIRES: the kind and hash with which it was built.
  Trie(TriePart* root, bool has_values, TrieHash hash = SeededTrieHash)
      : root_(root), has_values_(has_values), hash_(hash) {}
  ~Trie() { UnrefTrie(root_); }

  Trie(Trie&& other) noexcept
      : root_(std::exchange(other.root_, nullptr)),
        has_values_(other.has_values_),
        hash_(other.hash_) {}
  Trie& operator=(Trie&& other) noexcept {
    std::swap(root_, other.root_);
    return *this;
  }

  TrieView view() const { return TrieView(root_, hash_); }
  size_t size() const { return view().size(); }
  bool empty() const { return root_ == nullptr; }

  /// A copy that does not change when this trie does. O(1).
  Trie Share() const;
  /// Gives the reference to the root to the caller.
  TriePart* Release() { return std::exchange(root_, nullptr); }

  /// Inserts the item, or replaces its value and expiry. Returns whether it is new. A set passes an
  /// empty value and no expiry. The arguments must not point into the trie.
  bool Put(std::string_view field, std::string_view value = {}, int64_t expires_at_ms = kNever);
  /// Inserts all items of a packed block of the same kind and takes over its references to blobs.
  /// REQUIRES: none of their fields is in the trie.
  void Adopt(const PackedView& block);
  /// Returns whether the item was there.
  bool Erase(std::string_view field);
  /// Returns whether there is such an item. kNever: it no longer expires.
  bool SetExpiry(std::string_view field, int64_t expires_at_ms);

 private:
  // The nodes from the root to a leaf, and in each the child that the path takes.
  struct Step {
    TrieNode* node;
    unsigned child;
  };
  struct Path {
    Step steps[kMaxTrieDepth];
    unsigned depth = 0;
    TrieLeaf* leaf = nullptr;
  };

  Path Descend(uint64_t hash) const;
  /// Replaces the part of the path at `depth`: a node, the leaf, or the root at 0.
  void SetPart(Path& path, unsigned depth, TriePart* part);
  /// Copies the parts that others can reach, so that the whole path may change in place.
  void MakeUnique(Path& path);
  void SetLeaf(Path& path, TrieLeaf* leaf);
  void AddToCounts(Path& path, int change);

  void Insert(Path& path, int64_t expires_at_ms, absl::FunctionRef<void(TrieLeafEditor&)> append);
  bool Overfull(const Path& path) const;
  void SplitLeaf(Path& path);
  void HalveRun(Path& path);
  bool MergeRun(Path& path);
  void CollapseNode(Path& path);
  void RefreshExpiry(Path& path);

  TriePart* root_ = nullptr;
  bool has_values_;
  TrieHash hash_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_TRIE_H_
