#ifndef CLOAKROOM_TESTS_STORAGE_SUPPORT_TRIE_CHECK_H_
#define CLOAKROOM_TESTS_STORAGE_SUPPORT_TRIE_CHECK_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>

#include "storage/values/trie.h"

namespace cloakroom {

/// Expects every invariant of the parts below `part`, which covers `positions` positions from
/// `start` on, and returns how many items there are.
inline size_t CheckTrie(const TriePart* part, TrieHash hash = SeededTrieHash, uint64_t start = 0,
                        unsigned depth = 0, uint64_t positions = uint64_t{1} << kTriePositionBits) {
  if (part == nullptr) return 0;
  if (part->is_leaf) {
    const TrieLeaf* const leaf = static_cast<const TrieLeaf*>(part);
    EXPECT_GT(leaf->size(), 0u);
    EXPECT_LE(leaf->byte_size(), leaf->capacity);
    EXPECT_GE(leaf->tag_capacity, leaf->size());
    EXPECT_EQ(leaf->tag_capacity % TrieLeaf::kTagStep, 0u);
    for (const PackedItem& item : leaf->items()) {
      EXPECT_EQ(leaf->tag(item.index), TrieTag(hash(item.field)));
      EXPECT_GE(TriePosition(hash(item.field)), start);
      EXPECT_LT(TriePosition(hash(item.field)) - start, positions);
    }
    return leaf->size();
  }
  const TrieNode* const node = static_cast<const TrieNode*>(part);
  EXPECT_EQ(node->starts & 1u, 1u);
  EXPECT_LT(node->starts, 1u << TrieNode::kSlots);
  size_t items = 0;
  int64_t earliest = kNever;
  for (unsigned i = 0; i < node->count(); ++i) {
    const TrieChild& child = node->children()[i];
    const unsigned width = node->Width(i);
    EXPECT_TRUE(std::has_single_bit(width));
    EXPECT_EQ(node->Start(i) % width, 0u);
    EXPECT_LT(width, TrieNode::kSlots) << "a node of one child";
    if (child.part != nullptr && !child.part->is_leaf) {
      EXPECT_EQ(width, 1u);
    }
    const uint64_t slot = positions / TrieNode::kSlots;
    const size_t below =
        CheckTrie(child.part, hash, start + slot * node->Start(i), depth + 1, slot * width);
    EXPECT_EQ(child.items, below);
    items += below;
    earliest = std::min(earliest, TrieMinExpiry(child.part));
  }
  EXPECT_GT(items, 0u);
  EXPECT_EQ(node->min_expiry_ms, earliest);
  return items;
}

/// The same for a whole trie, through a second reference to its root.
inline void CheckTrie(const Trie& trie, TrieHash hash = SeededTrieHash) {
  Trie shared = trie.Share();
  TriePart* const root = shared.Release();
  EXPECT_EQ(CheckTrie(root, hash), trie.size());
  UnrefTrie(root);
}

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_STORAGE_SUPPORT_TRIE_CHECK_H_
