#include "storage/values/zset_tree.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/storage/support/fake_slot.h"

namespace cloakroom {
namespace {

class ZsetTreeTest : public ::testing::Test {
 protected:
  ~ZsetTreeTest() override { Drop(roots_); }

  static void Drop(const ZsetRoots& roots) {
    UnrefBTree(roots.order);
    UnrefTrie(roots.scores);
  }
  template <typename Fn>
  void Change(Fn fn) {
    ZsetTree tree(roots_);
    fn(tree);
    roots_ = tree.Release();
  }
  ZsetTreeView view() const { return ZsetTreeView(roots_); }
  std::string Members(size_t first, size_t count, bool descending = false) {
    std::string members;
    view().ForRange(first, count, descending,
                    [&](const ScoredItem& item) { members += std::string(item.member) + " "; });
    return members;
  }

  ZsetRoots roots_;
};

TEST_F(ZsetTreeTest, HasNeitherRootWithoutMembers) {
  EXPECT_EQ(view().size(), 0u);
  EXPECT_FALSE(view().Score("a"));
  Change([](ZsetTree& tree) {
    tree.Add({.score = 1, .member = "a"});
    tree.Remove({.score = 1, .member = "a"});
  });
  EXPECT_EQ(roots_.order, nullptr);
  EXPECT_EQ(roots_.scores, nullptr);
}

TEST_F(ZsetTreeTest, IsMadeOfARun) {
  FakeRegion run;
  for (int i = 0; i < 200; ++i) {
    InsertScored(run, run.size(), {.score = double(i), .member = std::to_string(i)});
  }
  roots_ = ZsetTree::Of(run.bytes()).Release();
  EXPECT_EQ(view().size(), 200u);
  EXPECT_EQ(view().Score("150"), 150);
  EXPECT_EQ(Members(98, 4), "98 99 100 101 ");
  EXPECT_EQ(Members(98, 4, /*descending=*/true), "101 100 99 98 ");
}

TEST_F(ZsetTreeTest, FindsItsPlaceAmongManyEqualScores) {
  Change([](ZsetTree& tree) {
    for (int i = 1000; i < 2000; ++i) tree.Add({.score = 7, .member = std::to_string(i)});
    tree.Add({.score = 6, .member = "z"});
    tree.Add({.score = 8, .member = "a"});
  });
  const auto rank_of = [&](std::string_view member) {
    return view().CountBefore(OrderKeyOf(7),
                              [&](const ScoredItem& item) { return item.member < member; });
  };
  EXPECT_EQ(rank_of("1000"), 1u);
  EXPECT_EQ(rank_of("1500"), 501u);
  EXPECT_EQ(rank_of("9"), 1001u);
  EXPECT_EQ(view().CountBefore(OrderKeyOf(5), [](const ScoredItem&) { return true; }), 0u);
  EXPECT_EQ(view().CountBefore(OrderKeyOf(9), [](const ScoredItem&) { return true; }), 1002u);
}

TEST_F(ZsetTreeTest, MovesAMember) {
  Change([](ZsetTree& tree) {
    for (const char* member : {"a", "b", "c"}) tree.Add({.score = 1, .member = member});
    tree.Move("a", 1, 2);
  });
  EXPECT_EQ(Members(0, 3), "b c a ");
  EXPECT_EQ(view().Score("a"), 2);
}

TEST_F(ZsetTreeTest, RemovesARangeAndNamesItsMembers) {
  std::string removed;
  Change([&](ZsetTree& tree) {
    for (int i = 100; i < 400; ++i) tree.Add({.score = 0, .member = std::to_string(i)});
    tree.RemoveRange(2, 296, [&](const ScoredItem& item) { removed += item.member; });
  });
  EXPECT_EQ(removed.size(), 296u * 3);
  EXPECT_EQ(Members(0, 4), "100 101 398 399 ");
  EXPECT_FALSE(view().Score("200"));
}

}  // namespace
}  // namespace cloakroom
