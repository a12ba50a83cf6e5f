#include "storage/values/btree_parts.h"

#include <gtest/gtest.h>

#include <array>

namespace cloakroom {
namespace {

TEST(BTreePartsTest, AnEditorTellsWhereItChangedTheLeaf) {
  BTreeLeafEditor editor(BTreeLeaf::Create("bc", 2));
  *editor.Splice(0, 0, 1) = 'a';
  EXPECT_EQ(editor.last_change(), BTreeLeafEditor::Place::kFront);
  *editor.Splice(1, 1, 1) = 'x';
  EXPECT_EQ(editor.last_change(), BTreeLeafEditor::Place::kMiddle);
  *editor.Splice(3, 0, 1) = 'd';
  EXPECT_EQ(editor.last_change(), BTreeLeafEditor::Place::kEnd);
  EXPECT_EQ(editor.bytes(), "axcd");
  BTreeLeaf::Free(editor.leaf());
}

TEST(BTreePartsTest, AShrunkLeafGivesBackItsMemory) {
  BTreeLeafEditor editor(BTreeLeaf::Create(std::string(4000, 'x'), 1));
  const size_t before = editor.leaf()->memory();
  editor.Splice(0, 3900, 0);
  EXPECT_LT(editor.leaf()->memory(), before / 8);
  BTreeLeaf::Free(editor.leaf());
}

TEST(BTreePartsTest, ANodeInsertsErasesAndSplits) {
  std::array<BTreeChild, 2> two;
  for (BTreeChild& child : two) child = {.part = BTreeLeaf::Create("x", 1), .items = 1};
  BTreeNode* node = BTreeNode::Create(two);
  for (unsigned i = 0; i < 30; ++i) {
    node = BTreeNode::Insert(node, 1, {.part = BTreeLeaf::Create("yy", 2), .items = 2});
  }
  EXPECT_EQ(node->count, kMaxBTreeChildren);
  EXPECT_EQ(node->items(), 62u);
  UnrefBTree(node->children()[1].part);
  node->Erase(1);
  BTreeNode* const behind = node->SplitOff(20);
  EXPECT_EQ(node->count, 20);
  EXPECT_EQ(behind->count, 11);
  EXPECT_EQ(node->items() + behind->items(), 60u);
  UnrefBTree(node);
  UnrefBTree(behind);
}

TEST(BTreePartsTest, ACopyOfANodeKeepsItsChildren) {
  const std::array<BTreeChild, 1> one = {{{.part = BTreeLeaf::Create("x", 1), .items = 1}}};
  BTreeNode* const node = BTreeNode::Create(one);
  BTreeNode* const copy = BTreeNode::Copy(node);
  EXPECT_FALSE(one[0].part->unique());
  UnrefBTree(node);
  EXPECT_TRUE(one[0].part->unique());
  EXPECT_EQ(BTreeItems(copy), 1u);
  UnrefBTree(copy);
}

}  // namespace
}  // namespace cloakroom
