#include "storage/snapshot/snapshot_batch.h"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "storage/access/lookup.h"
#include "tests/storage/support/test_keyspace.h"

namespace cloakroom {
namespace {

class SnapshotBatchTest : public KeyspaceTest {
 protected:
  void Add(SnapshotBatch& batch, std::string_view key) {
    Hold hold(kSlot);
    ASSERT_TRUE(hold.TryKey(db(), KeyHash::Of(key)));
    batch.Add(7, *PeekKey(hold, db(), key, KeyHash::Of(key), now_ms()));
  }
};

TEST_F(SnapshotBatchTest, GivesBackWhatWasAdded) {
  Set(db(), "a", "12");
  Set(db(), "b", std::string(1000, 'x'), now_ms() + 5);
  SnapshotBatch batch;
  EXPECT_TRUE(batch.empty());
  Add(batch, "a");
  Add(batch, "b");
  EXPECT_EQ(batch.count(), 2u);
  EXPECT_GT(batch.retained_bytes(), 1000u);
  std::vector<std::string> seen;
  batch.ForEach([&](const EntryView& entry) {
    EXPECT_EQ(entry.db, 7);
    seen.push_back(std::string(entry.key) + "=" +
                   std::string(StringView(entry.value).bytes()).substr(0, 3));
    EXPECT_EQ(entry.expire_at_ms, entry.key == "a" ? kNoExpiry : now_ms() + 5);
  });
  EXPECT_THAT(seen, testing::ElementsAre("a=12", "b=xxx"));
}

TEST_F(SnapshotBatchTest, KeepsAValueThatIsGone) {
  Set(db(), "b", std::string(1000, 'x'));
  SnapshotBatch batch;
  Add(batch, "b");
  Delete(db(), "b");
  SnapshotBatch moved;
  moved.Swap(batch);
  EXPECT_TRUE(batch.empty());
  moved.ForEach([&](const EntryView& entry) {
    EXPECT_EQ(StringView(entry.value).bytes(), std::string(1000, 'x'));
  });
  moved.Clear();
  EXPECT_EQ(moved.retained_bytes(), 0u);
}

TEST_F(SnapshotBatchTest, GivesItsPiecesAwayOldestFirstWithoutCopyingThem) {
  const std::string value(10'000, 'x');
  SnapshotBatch batch;
  for (int i = 0; i < 100; ++i) {
    const std::string key = std::to_string(1000 + i);
    Write(db(), key, [&](WriteScope& scope) {
      EncodingLimits limits;
      MutableHash hash(scope, limits);
      for (int f = 0; f < 40; ++f) {
        hash.Set("field" + std::to_string(f), value.substr(0, 40), now_ms());
      }
      scope.Changed("hset");
    });
    Add(batch, key);
  }
  std::set<const char*> places;
  batch.ForEach([&](const EntryView& entry) { places.insert(entry.key.data()); });
  std::set<std::string> seen;
  const size_t retained = batch.retained_bytes();
  size_t taken = 0;
  while (!batch.empty()) {
    SnapshotBatch part;
    part.TakeFrom(batch, 50'000);
    EXPECT_TRUE(part.retained_bytes() >= 50'000 || batch.empty());
    EXPECT_LT(part.retained_bytes(), 150'000u);
    taken += part.retained_bytes();
    part.ForEach([&](const EntryView& entry) {
      EXPECT_TRUE(places.contains(entry.key.data()));
      EXPECT_TRUE(seen.insert(std::string(entry.key)).second);
    });
  }
  EXPECT_EQ(seen.size(), 100u);
  EXPECT_EQ(taken, retained);
  EXPECT_EQ(batch.retained_bytes(), 0u);
}

TEST_F(SnapshotBatchTest, WhatIsLargerThanAPieceHasOneToItself) {
  const std::string key(200'000, 'k');
  Set(db(), "a", "1");
  Set(db(), key, "2");
  Set(db(), "b", "3");
  SnapshotBatch batch;
  for (const std::string& one : {std::string("a"), key, std::string("b")}) Add(batch, one);
  std::map<std::string, std::string> seen;
  batch.ForEach([&](const EntryView& entry) {
    seen[std::string(entry.key)] = StringView(entry.value).bytes();
  });
  EXPECT_THAT(seen, testing::UnorderedElementsAre(testing::Pair("a", "1"), testing::Pair(key, "2"),
                                                  testing::Pair("b", "3")));
}

}  // namespace
}  // namespace cloakroom
