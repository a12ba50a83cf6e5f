#include "storage/snapshot_batch.h"

#include <gmock/gmock.h>

#include "tests/storage/support/test_keyspace.h"

namespace cloakroom {
namespace {

class SnapshotBatchTest : public KeyspaceTest {
 protected:
  void Add(SnapshotBatch& batch, std::string_view key) {
    Hold hold(kSlot);
    ASSERT_TRUE(hold.TryKey(db(), KeyHash::Of(key)));
    batch.Add(7, *db().Peek(key, KeyHash::Of(key), now_ms()));
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
  batch.ForEach([&](const SnapshotEntry& entry) {
    EXPECT_EQ(entry.db, 7);
    seen.push_back(std::string(entry.key) + "=" +
                   std::string(StringView(entry.encoding, entry.payload).bytes()).substr(0, 3));
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
  moved.ForEach([&](const SnapshotEntry& entry) {
    EXPECT_EQ(StringView(entry.encoding, entry.payload).bytes(), std::string(1000, 'x'));
  });
  moved.Clear();
  EXPECT_EQ(moved.retained_bytes(), 0u);
}

}  // namespace
}  // namespace cloakroom
