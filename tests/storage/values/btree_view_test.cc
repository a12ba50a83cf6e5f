#include "storage/values/btree_view.h"

#include <gtest/gtest.h>

#include "tests/storage/support/lines_btree.h"

namespace cloakroom {
namespace {

std::string Number(size_t i) {
  std::string text = std::to_string(i);
  return std::string(5 - text.size(), '0') + text;
}

class BTreeViewTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (size_t i = 0; i < 3000; ++i) InsertLine(tree_, i, Number(i * 2));
  }

  BTreePlace Seek(std::string_view line) {
    return tree_.view().Seek(LineKey(line), [&](std::string_view leaf) {
      return leaf.substr(0, leaf.find('\n')) > line;
    });
  }

  BTree tree_{kLines};
};

TEST_F(BTreeViewTest, AtFindsTheLeafOfAnIndex) {
  for (size_t i = 0; i < 3000; ++i) {
    const BTreePlace place = tree_.view().At(i);
    ASSERT_LE(place.before, i);
    ASSERT_LT(i, place.before + place.items());
    const size_t from = LineOffset(place.bytes(), i - place.before);
    ASSERT_EQ(place.bytes().substr(from, 5), Number(i * 2));
  }
  EXPECT_EQ(tree_.view().At(9999).before, tree_.view().Last().before);
  EXPECT_FALSE(BTree(kLines).view().First().valid());
}

TEST_F(BTreeViewTest, SeekFindsTheOnlyLeafThatMayHoldAnItem) {
  for (size_t i = 0; i < 5999; ++i) {
    const std::string line = Number(i);
    const BTreePlace place = Seek(line);
    ASSERT_EQ(place.before, tree_.view().At(i / 2).before) << line;
  }
  EXPECT_EQ(Seek("!").before, 0u);
  EXPECT_EQ(Seek("z").before, tree_.view().Last().before);
}

TEST_F(BTreeViewTest, PlacesMoveToBothSides) {
  BTreePlace place = tree_.view().First();
  size_t items = place.items();
  size_t leaves = 1;
  while (place.Next()) {
    EXPECT_EQ(place.before, items);
    items += place.items();
    leaves += 1;
  }
  EXPECT_EQ(items, 3000u);
  EXPECT_EQ(place.before, tree_.view().Last().before);
  for (; place.Previous(); --leaves) EXPECT_EQ(place.before, tree_.view().At(place.before).before);
  EXPECT_EQ(leaves, 1u);
  EXPECT_EQ(place.before, 0u);
}

TEST_F(BTreeViewTest, MemoryOfASampleIsAboutThatOfAll) {
  const size_t all = tree_.view().Memory(0);
  EXPECT_GT(all, 3000u * 6);
  EXPECT_NEAR(static_cast<double>(tree_.view().Memory(5)), static_cast<double>(all),
              static_cast<double>(all) / 10);
  EXPECT_GT(tree_.view().PartCount(), 3000u / 8);
}

}  // namespace
}  // namespace cloakroom
