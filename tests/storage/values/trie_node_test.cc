#include "storage/values/trie_node.h"

#include <gtest/gtest.h>

namespace cloakroom {
namespace {

TEST(TrieNodeTest, OneChildCoversAllSlots) {
  TrieNode* const node = TrieNode::Create({nullptr, 5});
  EXPECT_EQ(node->count(), 1u);
  EXPECT_EQ(node->Width(0), 16u);
  EXPECT_EQ(node->items(), 5u);
  for (unsigned slot = 0; slot < 16; ++slot) EXPECT_EQ(node->IndexOf(slot), 0u);
  TrieNode::Free(node);
}

TEST(TrieNodeTest, SplitHalvesARunAndMergeUndoesIt) {
  TrieNode* node = TrieNode::Create({nullptr, 6});
  node = TrieNode::Split(node, 0, {nullptr, 1}, {nullptr, 5});
  node = TrieNode::Split(node, 1, {nullptr, 2}, {nullptr, 3});
  ASSERT_EQ(node->count(), 3u);
  EXPECT_EQ(node->Start(0), 0u);
  EXPECT_EQ(node->Start(1), 8u);
  EXPECT_EQ(node->Start(2), 12u);
  EXPECT_EQ(node->Width(0), 8u);
  EXPECT_EQ(node->Width(1), 4u);
  EXPECT_EQ(node->Width(2), 4u);
  EXPECT_EQ(node->IndexOf(7), 0u);
  EXPECT_EQ(node->IndexOf(11), 1u);
  EXPECT_EQ(node->IndexOf(15), 2u);
  EXPECT_EQ(node->children()[1].items, 2u);
  node = TrieNode::Merge(node, 1, {nullptr, 5});
  ASSERT_EQ(node->count(), 2u);
  EXPECT_EQ(node->Width(1), 8u);
  EXPECT_EQ(node->children()[1].items, 5u);
  EXPECT_EQ(node->items(), 6u);
  TrieNode::Free(node);
}

TEST(TrieNodeTest, SixteenChildrenHaveOneSlotEach) {
  TrieNode* node = TrieNode::Create({});
  for (unsigned width = 16; width > 1; width /= 2) {
    for (unsigned slot = 0; slot < 16; slot += width) {
      node = TrieNode::Split(node, node->IndexOf(slot), {}, {});
    }
  }
  ASSERT_EQ(node->count(), 16u);
  for (unsigned slot = 0; slot < 16; ++slot) {
    EXPECT_EQ(node->IndexOf(slot), slot);
    EXPECT_EQ(node->Start(slot), slot);
    EXPECT_EQ(node->Width(slot), 1u);
  }
  TrieNode::Free(node);
}

TEST(TrieNodeTest, CopySharesTheChildren) {
  TrieLeafEditor editor(TrieLeaf::Create(false));
  editor.Append(1, "member", {}, kNever);
  TrieNode* const node = TrieNode::Create({editor.leaf(), 1});
  TrieNode* const copy = TrieNode::Copy(node);
  EXPECT_FALSE(editor.leaf()->unique());
  UnrefTrie(node);
  EXPECT_TRUE(editor.leaf()->unique());
  EXPECT_EQ(TrieItems(copy), 1u);
  UnrefTrie(copy);
}

}  // namespace
}  // namespace cloakroom
