#include "storage/values/items.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/storage/support/fake_slot.h"

namespace cloakroom {
namespace {

TEST(ItemsTest, BecomingATrieKeepsItemsExpiriesAndBlobs) {
  FakeSlot slot;
  MutableItems items(slot, ValueType::kHash, /*has_values=*/true, 100);
  items.Put("plain", "v");
  items.Put("timed", "w", 500);
  items.Put("large", std::string(5000, 'x'));
  const BlobRef blob = BlobRef::Share(items.view().Find("large")->value.blob);
  items.BecomeTrie();
  EXPECT_EQ(slot.encoding(), Encoding::kTrie);
  EXPECT_EQ(items.view().size(), 3u);
  EXPECT_EQ(items.view().Find("timed")->expires_at_ms, 500);
  EXPECT_EQ(items.view().Find("large")->value.blob, blob.get());
  EXPECT_EQ(items.view().MinExpiry(), 500);
  for (const char* field : {"plain", "timed", "large"}) EXPECT_TRUE(items.Erase(field));
  EXPECT_FALSE(slot.exists());
  EXPECT_TRUE(blob->unique());
}

TEST(ItemsTest, HugeFirstItemMakesATrieAtOnce) {
  FakeSlot slot;
  MutableItems items(slot, ValueType::kSet, /*has_values=*/false, 100);
  EXPECT_TRUE(items.Put(std::string(1'000'000, 'm'), {}));
  EXPECT_EQ(slot.encoding(), Encoding::kTrie);
  EXPECT_FALSE(items.Put(std::string(1'000'000, 'm'), {}));
}

TEST(ItemsTest, LimitOfZeroNeverStaysPacked) {
  FakeSlot slot;
  MutableItems items(slot, ValueType::kSet, /*has_values=*/false, 0);
  items.Put("m", {});
  EXPECT_EQ(slot.encoding(), Encoding::kTrie);
  EXPECT_EQ(items.view().At(0).field, "m");
}

}  // namespace
}  // namespace cloakroom
