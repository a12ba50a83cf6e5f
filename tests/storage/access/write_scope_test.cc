#include "storage/access/write_scope.h"

#include <string>

#include "storage/keyspace/access_clock.h"
#include "storage/values/shared_value.h"
#include "tests/storage/support/test_keyspace.h"

namespace cloakroom {
namespace {

class WriteScopeTest : public KeyspaceTest {
 protected:
  Stripe& StripeOf(std::string_view key) { return db().StripeOf(KeyHash::Of(key)); }
  int64_t FirstDueOf(std::string_view key) {
    Stripe& stripe = StripeOf(key);
    MutexLock lock(stripe.mutex);
    return stripe.table.FirstDueMs();
  }
  void Watch(std::string_view key) {
    Hold hold(kSlot);
    ASSERT_TRUE(hold.TryKey(db(), KeyHash::Of(key)));
    db().Watch(key, KeyHash::Of(key), &watcher_, now_ms());
  }
  bool TakeDirty() { return watcher_.dirty.exchange(false); }

  Watcher& watcher_ = NewWatcher();
};

TEST_F(WriteScopeTest, AScopeWithoutAChangeLeavesNoTrace) {
  Set(db(), "k", "v");
  Watch("k");
  Watch("absent");
  TakeEvents();
  int64_t changes = keyspace_.changes();
  Write(db(), "k", [](WriteScope& scope) { EXPECT_TRUE(scope.exists()); });
  Write(db(), "absent", [](WriteScope& scope) { EXPECT_FALSE(scope.exists()); });
  EXPECT_EQ(TakeEvents(), "");
  EXPECT_FALSE(TakeDirty());
  EXPECT_EQ(keyspace_.changes(), changes);
  EXPECT_EQ(db().size(), 1u);
}

TEST_F(WriteScopeTest, CountsKeysAsTheyComeAndGo) {
  Set(db(), "a", "1");
  Set(db(), "b", "2");
  EXPECT_EQ(db().size(), 2u);
  Set(db(), "a", "3");
  EXPECT_EQ(db().size(), 2u);
  Delete(db(), "a");
  EXPECT_EQ(db().size(), 1u);
  EXPECT_EQ(Get(db(), "a"), std::nullopt);
}

TEST_F(WriteScopeTest, CountsExpiresThroughEveryChange) {
  Set(db(), "k", "v", now_ms() + 1'000);
  EXPECT_EQ(db().expires(), 1u);
  Write(db(), "k", [&](WriteScope& scope) { scope.SetExpiry(now_ms() + 2'000); });
  EXPECT_EQ(db().expires(), 1u);
  Write(db(), "k", [](WriteScope& scope) { scope.SetExpiry(kNoExpiry); });
  EXPECT_EQ(db().expires(), 0u);
  Write(db(), "k", [&](WriteScope& scope) { scope.SetExpiry(now_ms() + 3'000); });
  Set(db(), "k", "w");
  EXPECT_EQ(db().expires(), 0u);
  Set(db(), "k", "x", now_ms() + 4'000);
  Delete(db(), "k");
  EXPECT_EQ(db().expires(), 0u);
}

TEST_F(WriteScopeTest, NotesAnExpiryInTheIndex) {
  Set(db(), "k", "v");
  EXPECT_EQ(FirstDueOf("k"), kNever);
  Write(db(), "k", [&](WriteScope& scope) { scope.SetExpiry(now_ms() + 10'000); });
  EXPECT_LE(FirstDueOf("k"), now_ms() + 10'000);
  EXPECT_GT(FirstDueOf("k"), now_ms() + 9'000);
}

TEST_F(WriteScopeTest, NotesTheExpiryOfAField) {
  Write(db(), "h", [&](WriteScope& scope) {
    MutableHash hash(scope, keyspace_.encoding_limits());
    hash.Set("f", "v", now_ms());
    hash.Set("g", "v", now_ms());
    hash.SetFieldExpiry("f", now_ms() + 10'000, now_ms());
  });
  EXPECT_LE(FirstDueOf("h"), now_ms() + 10'000);
  EXPECT_EQ(db().expires(), 0u);
  Write(db(), "h", [&](WriteScope& scope) {
    EXPECT_TRUE(scope.entry()->has_field_expiry());
    MutableHash(scope, keyspace_.encoding_limits()).PersistField("f", now_ms());
  });
  Write(db(), "h", [](WriteScope& scope) { EXPECT_FALSE(scope.entry()->has_field_expiry()); });
}

TEST_F(WriteScopeTest, TellsWatchersAndTheObserverOfAChange) {
  Set(db(), "k", "v");
  Watch("k");
  TakeEvents();
  Set(db(), "other", "v");
  EXPECT_FALSE(TakeDirty());
  Set(db(), "k", "w");
  EXPECT_TRUE(TakeDirty());
  EXPECT_EQ(TakeEvents(), "set 0:other; set 0:k; ");
}

TEST_F(WriteScopeTest, AnExpiredKeyLeavesAsTheScopeBegins) {
  Set(db(), "k", "v", now_ms() + 10);
  Watch("k");
  TakeEvents();
  Advance(10);
  Write(db(), "k", [](WriteScope& scope) { EXPECT_FALSE(scope.exists()); });
  EXPECT_EQ(TakeEvents(), "expired 0:k; ");
  EXPECT_TRUE(TakeDirty());
  EXPECT_EQ(db().size(), 0u);
  EXPECT_EQ(db().expires(), 0u);
  EXPECT_EQ(keyspace_.counters().expired, 1);
}

TEST_F(WriteScopeTest, WhatHadExpiredWhenItWasWatchedDisturbsNobodyByLeaving) {
  Set(db(), "k", "v", now_ms() + 10);
  Advance(10);
  Watch("k");
  Write(db(), "k", [](WriteScope&) {});
  EXPECT_FALSE(TakeDirty());
  Set(db(), "k", "new");
  EXPECT_TRUE(TakeDirty());
}

TEST_F(WriteScopeTest, AnExpiredKeyCanBeMadeAnewInTheSameScope) {
  Set(db(), "k", "v", now_ms() + 10);
  Advance(10);
  Set(db(), "k", "w");
  EXPECT_EQ(Get(db(), "k"), "w");
  EXPECT_EQ(db().size(), 1u);
  EXPECT_EQ(db().expires(), 0u);
}

TEST_F(WriteScopeTest, ANewKeyCountsAsJustUsed) {
  Set(db(), "lru", "v");
  keyspace_.settings().policy = EvictionPolicy::kAllKeysLfu;
  Set(db(), "lfu", "v");
  Write(db(), "lru", [&](WriteScope& scope) {
    EXPECT_EQ(scope.entry()->access(), access_clock::LruAt(now_ms()));
  });
  Write(db(), "lfu", [&](WriteScope& scope) {
    EXPECT_EQ(scope.entry()->access(), access_clock::LfuNew(now_ms()));
  });
}

TEST_F(WriteScopeTest, ADetachedEntryCanBeAdoptedElsewhere) {
  std::string large(1'000, 'x');
  Set(db(), "from", large, now_ms() + 5'000);
  Entry* entry = nullptr;
  Write(db(), "from", [&](WriteScope& scope) { entry = scope.Detach(); });
  EXPECT_EQ(db().size(), 0u);
  EXPECT_EQ(db().expires(), 0u);
  Write(db(1), "to",
        [&](WriteScope& scope) { scope.Adopt(*entry, entry->payload(), entry->expire_at_ms()); });
  Entry::Destroy(entry);
  EXPECT_EQ(Get(db(1), "to"), large);
  EXPECT_EQ(db(1).size(), 1u);
  EXPECT_EQ(db(1).expires(), 1u);
}

TEST_F(WriteScopeTest, ACopiedPayloadIsIndependent) {
  std::string large(1'000, 'x');
  Set(db(), "from", large);
  std::string payload;
  {
    Hold hold(kSlot);
    Database* closed[] = {&db(0), &db(1)};
    ASSERT_TRUE(hold.TryClose(closed, false));
    WriteScope scope(hold, db(), "from", KeyHash::Of("from"), now_ms());
    payload = CopyPayload(scope.view());
    WriteScope to(hold, db(1), "to", KeyHash::Of("to"), now_ms());
    to.Adopt(*scope.entry(), payload, kNoExpiry);
  }
  Delete(db(), "from");
  EXPECT_EQ(Get(db(1), "to"), large);
}

TEST_F(WriteScopeTest, DeletingAndMakingInOneScopeReplaces) {
  Set(db(), "k", std::string(1'000, 'x'), now_ms() + 1'000);
  Write(db(), "k", [&](WriteScope& scope) {
    scope.Delete();
    EXPECT_FALSE(scope.exists());
    MutableHash hash(scope, keyspace_.encoding_limits());
    hash.Set("f", "v", now_ms());
    EXPECT_EQ(scope.type(), ValueType::kHash);
  });
  EXPECT_EQ(db().size(), 1u);
  EXPECT_EQ(db().expires(), 0u);
}

}  // namespace
}  // namespace cloakroom
