#ifndef CLOAKROOM_STORAGE_VALUES_TRIE_NODE_H_
#define CLOAKROOM_STORAGE_VALUES_TRIE_NODE_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "storage/values/trie_leaf.h"

namespace cloakroom {

/// A part below a node, and the number of items in it. Null: a run of slots without items.
struct TrieChild {
  TriePart* part = nullptr;
  size_t items = 0;
};

/// An inner node: 16 slots, one for each value of the next 4 bits of the hash.
///
/// Neighbouring slots may share a child: the slots are divided into runs, and a child is stored
/// once per run. Invariants: a run's width is 1, 2, 4, 8 or 16 and its start a multiple of its
/// width; a node below covers one slot, a leaf any run; `starts` has bit i set if a run starts at
/// slot i (bit 0 always is), so that counting bits finds the child of a slot; min_expiry_ms is the
/// earliest expiry of an item below, kNever if there is none. The allocation holds exactly the
/// present children: a node of two leaves takes 48 bytes.
struct TrieNode : TriePart {
  static constexpr unsigned kSlots = 16;

  /// One run of all slots. Takes over the reference to the child, as Split and Merge do.
  static TrieNode* Create(TrieChild child);
  /// A node with its own references to the same children.
  static TrieNode* Copy(const TrieNode* node);
  /// Divides the run of child `index` in two; consumes `node` and the place of its child, whose
  /// reference the caller has taken over. REQUIRES: node->unique(), width(index) > 1.
  static TrieNode* Split(TrieNode* node, unsigned index, TrieChild low, TrieChild high);
  /// The reverse: children index and index + 1, halves of one aligned run, become one child.
  static TrieNode* Merge(TrieNode* node, unsigned index, TrieChild merged);
  /// Frees the node alone, not what it refers to.
  static void Free(TrieNode* node);

  unsigned count() const { return static_cast<unsigned>(std::popcount(starts)); }
  std::span<TrieChild> children() { return {first(), count()}; }
  std::span<const TrieChild> children() const {
    return {const_cast<TrieNode*>(this)->first(), count()};
  }

  /// The index of the child that covers `slot`.
  unsigned IndexOf(unsigned slot) const {
    return static_cast<unsigned>(std::popcount(starts & ((2u << slot) - 1))) - 1;
  }
  /// The first slot of child `index`, and how many it covers.
  unsigned Start(unsigned index) const;
  unsigned Width(unsigned index) const;

  size_t items() const;

  uint32_t starts;
  int64_t min_expiry_ms = kNever;

 private:
  explicit TrieNode(uint32_t run_starts) : TriePart(false), starts(run_starts) {}
  static TrieNode* Allocate(uint32_t run_starts);
  TrieChild* first() { return reinterpret_cast<TrieChild*>(this + 1); }
};

// Of any part; null is an empty one.
size_t TrieItems(const TriePart* part);
int64_t TrieMinExpiry(const TriePart* part);

/// Drops a reference to `part`, which may be null; the last one frees everything below that has no
/// other reference. Any thread. Recurses as deep as the trie, at most 16 levels.
void UnrefTrie(const TriePart* part);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_TRIE_NODE_H_
