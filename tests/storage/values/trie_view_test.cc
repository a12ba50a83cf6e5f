#include "storage/values/trie_view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "storage/values/trie.h"

namespace cloakroom {
namespace {

Trie Members(int count) {
  Trie trie(/*has_values=*/false);
  for (int i = 0; i < count; ++i) trie.Put("member:" + std::to_string(i));
  return trie;
}

TEST(TrieViewTest, EmptyHasNothing) {
  const TrieView empty(nullptr);
  EXPECT_EQ(empty.size(), 0u);
  EXPECT_EQ(empty.MinExpiry(), kNever);
  EXPECT_FALSE(empty.Find("x"));
  EXPECT_EQ(empty.Scan(0, 10, [](const Item&) { FAIL(); }), 0u);
  EXPECT_EQ(empty.MemoryUsage(0), 0u);
}

TEST(TrieViewTest, RanksFollowTheOrderOfForEach) {
  const Trie trie = Members(3000);
  size_t rank = 0;
  trie.view().ForEach([&](const Item& item) {
    EXPECT_EQ(trie.view().At(rank).field, item.field);
    ++rank;
  });
  EXPECT_EQ(rank, 3000u);
}

TEST(TrieViewTest, ScanOfAQuietTrieReturnsEveryItemOnceInSmallSteps) {
  const Trie trie = Members(5000);
  std::multiset<std::string> seen;
  uint64_t cursor = 0;
  do {
    const size_t before = seen.size();
    cursor = trie.view().Scan(cursor, 10, [&](const Item& item) { seen.emplace(item.field); });
    EXPECT_LE(seen.size() - before, 10 + kMaxLeafItems);
    EXPECT_LE(cursor, static_cast<uint64_t>(std::numeric_limits<int64_t>::max()));
  } while (cursor != 0);
  EXPECT_EQ(seen.size(), 5000u);
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 5000u);
}

TEST(TrieViewTest, AnyCursorIsAccepted) {
  const Trie trie = Members(100);
  for (const uint64_t cursor : {uint64_t{12345}, (uint64_t{1} << 60) - 1, uint64_t{1} << 60,
                                std::numeric_limits<uint64_t>::max()}) {
    trie.view().Scan(cursor, 1, [](const Item&) {});
  }
  EXPECT_EQ(trie.view().Scan(uint64_t{1} << 60, 1, [](const Item&) { FAIL(); }), 0u);
}

TEST(TrieViewTest, SampledMemoryIsCloseToTheWhole) {
  const Trie trie = Members(20'000);
  const double whole = static_cast<double>(trie.view().MemoryUsage(0));
  EXPECT_NEAR(static_cast<double>(trie.view().MemoryUsage(50)), whole, whole / 10);
  EXPECT_GT(whole, 20'000.0 * 11);
}

TEST(TrieViewTest, ExpiredItemsAreFoundWithoutTheOthers) {
  Trie trie(/*has_values=*/true);
  for (int i = 0; i < 1000; ++i) trie.Put(std::to_string(i), "v", 1000 + i);
  std::set<int> expired;
  trie.view().ForEachExpired(1010, [&](const Item& item) {
    expired.insert(std::stoi(std::string(item.field)));
    return true;
  });
  EXPECT_EQ(expired, (std::set<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  int calls = 0;
  trie.view().ForEachExpired(1500, [&](const Item&) { return ++calls < 3; });
  EXPECT_EQ(calls, 3);
}

}  // namespace
}  // namespace cloakroom
