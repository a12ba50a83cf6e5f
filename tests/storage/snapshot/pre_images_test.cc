#include "storage/snapshot/pre_images.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "storage/access/lookup.h"
#include "tests/storage/support/test_keyspace.h"

namespace cloakroom {
namespace {

class PreImagesTest : public KeyspaceTest {
 protected:
  /// Adds an entry, which it makes for this key.
  bool Add(const std::string& key, size_t bytes = 1000) {
    const KeyHash hash = KeyHash::Of(key);
    Set(db(), key, std::string(bytes, 'x'));
    Hold hold(kSlot);
    EXPECT_TRUE(hold.TryKey(db(), hash));
    return images_.Add(hash, 0, *PeekKey(hold, db(), key, hash, now_ms()));
  }

  PreImages images_;
};

TEST_F(PreImagesTest, GivesEachOnceInPortions) {
  images_.Open(size_t{1} << 30);
  for (int i = 0; i < 500; ++i) EXPECT_TRUE(Add("key" + std::to_string(i)));
  EXPECT_GT(images_.bytes(), 500'000u);
  EXPECT_EQ(images_.settled(), 500u);
  std::set<std::string> seen;
  int portions = 0;
  while (true) {
    SnapshotBatch batch;
    if (!images_.Take(&batch, 64 * 1024)) break;
    ++portions;
    batch.ForEach(
        [&](const EntryView& entry) { EXPECT_TRUE(seen.insert(std::string(entry.key)).second); });
  }
  EXPECT_EQ(seen.size(), 500u);
  EXPECT_GT(portions, 3);
  EXPECT_TRUE(images_.empty());
  EXPECT_EQ(images_.bytes(), 0u);
}

TEST_F(PreImagesTest, SaysWhenItIsTooMuch) {
  images_.Open(5000);
  int kept = 0;
  while (kept < 100 && Add("key" + std::to_string(kept))) ++kept;
  EXPECT_GT(kept, 2);
  EXPECT_LT(kept, 5);
}

TEST_F(PreImagesTest, ClosedItKeepsNothingAndCounts) {
  images_.Open(size_t{1} << 30);
  Add("a");
  images_.StopKeeping();
  EXPECT_TRUE(Add("b"));
  EXPECT_FALSE(images_.empty()) << "what was there stays";
  images_.Close();
  EXPECT_TRUE(images_.empty());
  EXPECT_EQ(images_.bytes(), 0u);
  images_.LeaveOut(KeyHash::Of("c"));
  EXPECT_EQ(images_.settled(), 3u);
  images_.Open(size_t{1} << 30);
  EXPECT_EQ(images_.settled(), 0u);
}

}  // namespace
}  // namespace cloakroom
