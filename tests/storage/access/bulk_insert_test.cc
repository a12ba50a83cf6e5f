#include "storage/access/bulk_insert.h"

#include <gtest/gtest.h>

#include <string>

#include "storage/values/hash.h"
#include "tests/storage/support/fake_slot.h"
#include "tests/storage/support/test_keyspace.h"

namespace cloakroom {
namespace {

class BulkInsertTest : public KeyspaceTest {
 protected:
  absl::Status Insert(std::string_view key, std::string_view value,
                      int64_t expire_at_ms = kNoExpiry) {
    return BulkInsert(db(), KeyHash::Of(key),
                      {.key = key, .value = {.payload = value}, .expire_at_ms = expire_at_ms});
  }
};

TEST_F(BulkInsertTest, WhatWasInsertedIsThere) {
  EXPECT_TRUE(Insert("a", "one").ok());
  EXPECT_TRUE(Insert("b", "two", now_ms() + 5000).ok());
  EXPECT_EQ(Get(db(), "a"), "one");
  EXPECT_EQ(Get(db(), "b"), "two");
  EXPECT_EQ(db().size(), 2u);
  EXPECT_EQ(db().expires(), 1u);
}

TEST_F(BulkInsertTest, ItIsNoChange) {
  ASSERT_TRUE(Insert("a", "one").ok());
  EXPECT_EQ(TakeEvents(), "");
  EXPECT_EQ(keyspace_.changes(), 0);
}

TEST_F(BulkInsertTest, AKeyThatIsThereStays) {
  ASSERT_TRUE(Insert("a", "one").ok());
  EXPECT_TRUE(absl::IsAlreadyExists(Insert("a", "two", now_ms() + 5000)));
  EXPECT_EQ(Get(db(), "a"), "one");
  EXPECT_EQ(db().size(), 1u);
  EXPECT_EQ(db().expires(), 0u);
}

TEST_F(BulkInsertTest, TheExpirerKnowsOfIt) {
  ASSERT_TRUE(Insert("a", "one", now_ms() + 5000).ok());
  Stripe& stripe = db().StripeOf(KeyHash::Of("a"));
  const MutexLock lock(stripe.mutex);
  EXPECT_LE(stripe.table.FirstDueMs(), now_ms() + 5000);
  EXPECT_NE(stripe.table.FirstDueMs(), kNever);
}

TEST_F(BulkInsertTest, FieldsThatExpireAreKnownToo) {
  FakeSlot slot;
  MutableHash hash(slot, {});
  hash.Set("f", "v", now_ms());
  hash.SetFieldExpiry("f", now_ms() + 100, now_ms());
  slot.set_outgrown(true);
  EXPECT_TRUE(
      BulkInsert(db(), KeyHash::Of("h"), {.key = "h", .value = slot.view(), .access = 77}).ok());
  Stripe& stripe = db().StripeOf(KeyHash::Of("h"));
  const MutexLock lock(stripe.mutex);
  const Entry& entry = **stripe.table.Find("h", KeyHash::Of("h"));
  EXPECT_TRUE(entry.has_field_expiry());
  EXPECT_TRUE(entry.outgrown());
  EXPECT_EQ(entry.access(), 77u);
  EXPECT_LE(stripe.table.FirstDueMs(), now_ms() + 100);
}

}  // namespace
}  // namespace cloakroom
