#include "storage/values/btree.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "tests/storage/support/lines_btree.h"

namespace cloakroom {
namespace {

/// Checks what every tree keeps: counts, order keys, equal depth of all leaves, limits of leaves.
size_t CheckPart(const BTreePart* part, unsigned depth, unsigned& leaf_depth) {
  if (part->is_leaf) {
    const auto* leaf = static_cast<const BTreeLeaf*>(part);
    if (leaf_depth == 0) leaf_depth = depth;
    EXPECT_EQ(depth, leaf_depth);
    EXPECT_GT(leaf->items, 0u);
    EXPECT_EQ(LineOffset(leaf->bytes(), leaf->items), leaf->size);
    EXPECT_TRUE(leaf->items == 1 ||
                (leaf->items <= kLines.max_items && leaf->size <= kLines.max_bytes));
    return leaf->items;
  }
  const auto* node = static_cast<const BTreeNode*>(part);
  EXPECT_GT(node->count, 0u);
  size_t items = 0;
  for (const BTreeChild& child : node->children()) {
    EXPECT_EQ(CheckPart(child.part, depth + 1, leaf_depth), child.items);
    const BTreePart* first = child.part;
    while (!first->is_leaf) first = static_cast<const BTreeNode*>(first)->children()[0].part;
    EXPECT_EQ(child.key, LineKey(static_cast<const BTreeLeaf*>(first)->bytes()));
    items += child.items;
  }
  return items;
}

void Check(BTree& tree) {
  BTree copy = tree.Share();
  BTreePart* const root = copy.Release();
  unsigned leaf_depth = 0;
  if (root != nullptr) {
    EXPECT_EQ(CheckPart(root, 1, leaf_depth), tree.size());
  }
  UnrefBTree(root);
}

std::string RandomLine(std::mt19937& rng) {
  const size_t size = rng() % 50 == 0 ? 100 : rng() % 20;
  return std::string(size + 1, static_cast<char>('a' + rng() % 26));
}

// One random change of the tree and of the model.
void Change(BTree& tree, Lines& model, std::mt19937& rng, size_t most) {
  const unsigned action = rng() % 12;
  const bool full = model.size() > most;
  if (model.empty() || (action < 7 && !full)) {
    const size_t index = action < 2 ? model.size() : action < 4 ? 0 : rng() % (model.size() + 1);
    const std::string line = RandomLine(rng);
    InsertLine(tree, index, line);
    model.insert(model.begin() + static_cast<ptrdiff_t>(index), line);
  } else if (action < 9) {
    const size_t index = rng() % model.size();
    model[index] = RandomLine(rng);
    ReplaceLine(tree, index, model[index]);
  } else {
    const size_t first = rng() % model.size();
    const size_t longest = rng() % 40 == 0 ? model.size() : 4;
    const size_t count = std::min<size_t>(model.size() - first, rng() % longest + 1);
    tree.Erase(first, count);
    const auto from = model.begin() + static_cast<ptrdiff_t>(first);
    model.erase(from, from + static_cast<ptrdiff_t>(count));
  }
}

TEST(BTreeTest, BehavesAsAVector) {
  for (const size_t most : {size_t{20}, size_t{400}, size_t{3000}}) {
    std::mt19937 rng(static_cast<unsigned>(most));
    BTree tree(kLines);
    Lines model;
    for (int step = 0; step < 20000; ++step) {
      Change(tree, model, rng, most);
      ASSERT_EQ(tree.size(), model.size());
      if (step % 200 != 0) continue;
      ASSERT_EQ(LinesOf(tree.view()), model);
      Check(tree);
    }
  }
}

TEST(BTreeTest, ASharedTreeDoesNotChange) {
  std::mt19937 rng(3);
  BTree tree(kLines);
  Lines model;
  for (int step = 0; step < 2000; ++step) Change(tree, model, rng, 1000);
  for (int round = 0; round < 50; ++round) {
    BTree kept = tree.Share();
    const Lines kept_lines = model;
    for (int step = 0; step < 100; ++step) Change(tree, model, rng, 1000);
    EXPECT_EQ(LinesOf(kept.view()), kept_lines);
    EXPECT_EQ(LinesOf(tree.view()), model);
    Check(kept);
    if (round % 2 == 0) {
      std::swap(tree, kept);
      model = kept_lines;
    }
  }
  Check(tree);
}

TEST(BTreeTest, TreesThatShareMayBeUsedByTwoThreads) {
  BTree tree(kLines);
  for (size_t i = 0; i < 5000; ++i) InsertLine(tree, i, std::to_string(i));
  BTree other = tree.Share();
  std::thread thread([&] {
    for (size_t i = 0; i < 1000; ++i) other.Erase(i, 2);
  });
  for (size_t i = 0; i < 1000; ++i) ReplaceLine(tree, i * 5, "x");
  thread.join();
  EXPECT_EQ(other.size(), 3000u);
  EXPECT_EQ(tree.size(), 5000u);
  Check(tree);
  Check(other);
}

TEST(BTreeTest, GrowthAtAnEndFillsItsLeaves) {
  for (const bool at_front : {false, true}) {
    BTree tree(kLines);
    for (size_t i = 0; i < 8000; ++i) InsertLine(tree, at_front ? 0 : i, "x");
    size_t leaves = 0;
    tree.view().ForEachLeaf([&](std::string_view, size_t) { leaves += 1; });
    EXPECT_LE(leaves, 1001u) << at_front;
    Check(tree);
  }
}

TEST(BTreeTest, LeavesCanBeAddedAtBothEnds) {
  BTree tree(kLines);
  Lines model;
  for (int i = 0; i < 500; ++i) {
    tree.AppendLeaf("k\nl\n", 2);
    tree.PrependLeaf("a\n", 1);
  }
  model.assign(500, "a");
  for (int i = 0; i < 500; ++i) model.insert(model.end(), {"k", "l"});
  EXPECT_EQ(LinesOf(tree.view()), model);
  Check(tree);
}

TEST(BTreeTest, ErasingEverythingLeavesAnEmptyTree) {
  BTree tree(kLines);
  for (size_t i = 0; i < 1000; ++i) InsertLine(tree, i, "x");
  tree.Erase(0, 1000);
  EXPECT_TRUE(tree.empty());
  EXPECT_EQ(tree.size(), 0u);
  InsertLine(tree, 0, "y");
  EXPECT_EQ(LinesOf(tree.view()), Lines{"y"});
}

}  // namespace
}  // namespace cloakroom
