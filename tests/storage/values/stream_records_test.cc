#include "storage/values/stream_records.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <vector>

namespace cloakroom {
namespace {

std::vector<StreamId> IdsOf(const StreamIdSet& set, const StreamId& from = {}) {
  std::vector<StreamId> ids;
  set.ForEachFrom(from, [&](const StreamId& id) {
    ids.push_back(id);
    return true;
  });
  return ids;
}

TEST(StreamRecordsTest, ARandomSetOfIdsIsThatOfAModel) {
  std::mt19937_64 rng(3);
  StreamIdSet set;
  std::set<StreamId> model;
  for (int i = 0; i < 20'000; ++i) {
    const StreamId id = {rng() % 40, rng() % 40};
    if (rng() % 3 == 0) {
      EXPECT_EQ(set.Erase(id), model.erase(id) == 1);
    } else {
      EXPECT_EQ(set.Insert(id), model.insert(id).second);
    }
  }
  EXPECT_EQ(set.size(), model.size());
  EXPECT_EQ(IdsOf(set), std::vector<StreamId>(model.begin(), model.end()));
  const StreamId middle = {20, 20};
  EXPECT_EQ(set.Contains(middle), model.contains(middle));
  EXPECT_EQ(IdsOf(set, middle), std::vector<StreamId>(model.lower_bound(middle), model.end()));
}

TEST(StreamRecordsTest, APendingEntryIsReplacedByOneWithItsId) {
  PendingEntries entries;
  for (uint64_t i = 0; i < 1000; ++i) entries.Put({{i, 0}, 5, 1, 7});
  entries.Put({{500, 0}, -9, 3, 8});
  EXPECT_EQ(entries.size(), 1000u);
  const std::optional<PendingEntry> found = entries.Find({500, 0});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->delivered_ms, -9);
  EXPECT_EQ(found->deliveries, 3);
  EXPECT_EQ(found->consumer, 8u);
  EXPECT_EQ(entries.first(), (StreamId{0, 0}));
  EXPECT_EQ(entries.last(), (StreamId{999, 0}));
  EXPECT_FALSE(entries.Find({500, 1}));
}

TEST(StreamRecordsTest, ACopyKeepsWhatItHad) {
  PendingEntries entries;
  for (uint64_t i = 0; i < 1000; ++i) entries.Put({{i, 0}, 5, 1, 7});
  const PendingEntries copy = entries.Share();
  for (uint64_t i = 0; i < 1000; i += 2) EXPECT_TRUE(entries.Erase({i, 0}));
  EXPECT_FALSE(entries.Erase({0, 0}));
  EXPECT_EQ(entries.size(), 500u);
  EXPECT_EQ(copy.size(), 1000u);
  EXPECT_TRUE(copy.Find({0, 0}));
}

}  // namespace
}  // namespace cloakroom
