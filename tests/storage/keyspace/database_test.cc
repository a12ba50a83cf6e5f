#include "storage/keyspace/database.h"

#include <map>
#include <set>
#include <string>

#include "absl/random/random.h"
#include "storage/access/flush.h"
#include "storage/access/lookup.h"
#include "storage/keyspace/access_clock.h"
#include "tests/storage/support/test_keyspace.h"

namespace cloakroom {
namespace {

class DatabaseTest : public KeyspaceTest {
 protected:
  const Entry* Find(std::string_view key) {
    Hold hold(kSlot);
    EXPECT_TRUE(hold.TryKey(db(), KeyHash::Of(key)));
    return FindKey(hold, db(), key, KeyHash::Of(key), now_ms(), random_);
  }
  uint32_t AccessOf(std::string_view key) {
    Hold hold(kSlot);
    EXPECT_TRUE(hold.TryKey(db(), KeyHash::Of(key)));
    return PeekKey(hold, db(), key, KeyHash::Of(key), now_ms())->access();
  }
  void Watch(Database& database, std::string_view key, Watcher* watcher) {
    Hold hold(kSlot);
    ASSERT_TRUE(hold.TryKey(database, KeyHash::Of(key)));
    database.Watch(key, KeyHash::Of(key), watcher, now_ms());
  }
  void Unwatch(Database& database, std::string_view key, Watcher* watcher) {
    Hold hold(kSlot);
    ASSERT_TRUE(hold.TryKey(database, KeyHash::Of(key)));
    database.Unwatch(key, KeyHash::Of(key), watcher);
  }
  void Fill(int keys) {
    for (int i = 0; i < keys; ++i) Set(db(), "key:" + std::to_string(i), "v");
  }
  std::map<std::string, int> ScanAll(size_t count) {
    std::map<std::string, int> seen;
    uint64_t cursor = 0;
    do {
      cursor =
          db().Scan(hold_, cursor, count, [&](const Entry& e) { ++seen[std::string(e.key())]; });
      EXPECT_LE(cursor, uint64_t{INT64_MAX});
    } while (cursor != 0);
    return seen;
  }

  absl::InsecureBitGen random_;
  Hold hold_{kSlot};
};

TEST_F(DatabaseTest, PeekRemovesWhatHasExpired) {
  Set(db(), "k", "v", now_ms() + 10);
  EXPECT_TRUE(Exists(db(), "k"));
  Advance(10);
  EXPECT_FALSE(Exists(db(), "k"));
  EXPECT_EQ(db().size(), 0u);
}

TEST_F(DatabaseTest, FindRemovesWhatHasExpired) {
  Set(db(), "k", "v", now_ms() + 10);
  Advance(10);
  TakeEvents();
  EXPECT_EQ(Find("k"), nullptr);
  EXPECT_EQ(db().size(), 0u);
  EXPECT_EQ(TakeEvents(), "expired 0:k; ");
}

TEST_F(DatabaseTest, FindIsAnAccessAndPeekIsNone) {
  Set(db(), "k", "v");
  uint32_t fresh = AccessOf("k");
  Advance(7'000);
  EXPECT_EQ(AccessOf("k"), fresh);
  EXPECT_NE(Find("k"), nullptr);
  EXPECT_EQ(AccessOf("k"), access_clock::LruAt(now_ms()));
}

TEST_F(DatabaseTest, UnderLfuAnAccessRaisesTheCounter) {
  keyspace_.settings().policy = EvictionPolicy::kAllKeysLfu;
  Set(db(), "k", "v");
  Find("k");
  EXPECT_EQ(access_clock::LfuDecayed(AccessOf("k"), now_ms(), 1), access_clock::kLfuInitial + 1);
}

TEST_F(DatabaseTest, ScanVisitsEachKeyOnceWhateverTheCount) {
  Fill(2'000);
  for (size_t count : {1u, 10u, 333u, 100'000u}) {
    std::map<std::string, int> seen = ScanAll(count);
    EXPECT_EQ(seen.size(), 2'000u);
    for (const auto& [key, times] : seen) EXPECT_EQ(times, 1) << key;
  }
}

TEST_F(DatabaseTest, ScanStepsAreAboutAsLongAsAskedFor) {
  Fill(10'000);
  size_t visited = 0;
  EXPECT_NE(db().Scan(hold_, 0, 100, [&](const Entry&) { ++visited; }), 0u);
  EXPECT_GE(visited, 100u);
  EXPECT_LT(visited, 130u);
}

TEST_F(DatabaseTest, ScanOfAnyCursorIsHarmless) {
  Fill(100);
  for (uint64_t cursor : {uint64_t{1}, uint64_t{1} << 47, uint64_t{256} << 48, UINT64_MAX}) {
    int steps = 0;
    while (cursor != 0) {
      cursor = db().Scan(hold_, cursor, 10, [](const Entry&) {});
      ASSERT_LT(++steps, 100);
    }
  }
}

TEST_F(DatabaseTest, RandomKeyReachesAllKeysAndNoneThatHasExpired) {
  EXPECT_EQ(db().RandomKey(hold_, random_, now_ms()).key, std::nullopt);
  Fill(10);
  Set(db(), "gone", "v", now_ms() + 1);
  Advance(1);
  std::set<std::string> seen;
  for (int i = 0; i < 1'000; ++i) seen.insert(*db().RandomKey(hold_, random_, now_ms()).key);
  EXPECT_EQ(seen.size(), 10u);
  EXPECT_FALSE(seen.contains("gone"));
}

TEST_F(DatabaseTest, RandomKeyOfExpiredKeysAloneGivesUp) {
  Set(db(), "gone", "v", now_ms() + 1);
  Advance(1);
  EXPECT_EQ(db().RandomKey(hold_, random_, now_ms()).key, std::nullopt);
}

TEST_F(DatabaseTest, SampleTtlIsAMean) {
  EXPECT_EQ(db().SampleTtlMs(random_, now_ms()), 0);
  for (int i = 0; i < 50; ++i) Set(db(), "k" + std::to_string(i), "v", now_ms() + 4'000);
  EXPECT_EQ(db().SampleTtlMs(random_, now_ms()), 4'000);
}

TEST_F(DatabaseTest, ClearEmptiesAndDisturbsThoseWhoWatchWhatWasThere) {
  Fill(1'000);
  Set(db(), "volatile", "v", now_ms() + 1'000);
  Watcher& there = NewWatcher();
  Watcher& absent = NewWatcher();
  Watch(db(), "key:5", &there);
  Watch(db(), "nothing", &absent);
  {
    Hold hold(kSlot);
    Database* all[] = {&db()};
    ASSERT_TRUE(hold.TryClose(all, false));
    EXPECT_EQ(FlushDatabase(hold, db()), 1'001u);
  }
  EXPECT_TRUE(there.dirty);
  EXPECT_FALSE(absent.dirty);
  EXPECT_EQ(db().size(), 0u);
  EXPECT_EQ(db().expires(), 0u);
  EXPECT_TRUE(ScanAll(10).empty());
  Set(db(), "again", "v");
  EXPECT_EQ(Get(db(), "again"), "v");
}

TEST_F(DatabaseTest, WhatHadExpiredWhenWatchedGoesWithoutDisturbing) {
  for (bool swap : {false, true}) {
    Set(db(0), "gone", "v", now_ms() + 10);
    Watcher& living = NewWatcher();
    Watch(db(0), "gone", &living);
    Advance(10);
    Watcher& late = NewWatcher();
    Watch(db(0), "gone", &late);
    Hold hold(kSlot);
    Database* both[] = {&db(0), &db(1)};
    ASSERT_TRUE(hold.TryClose(both, false));
    swap ? SwapDatabases(hold, db(0), db(1)) : void(FlushDatabase(hold, db(0)));
    EXPECT_TRUE(living.dirty);
    EXPECT_FALSE(late.dirty);
  }
}

TEST_F(DatabaseTest, SwapExchangesContentsAndLeavesWatchersWithTheirNumber) {
  Set(db(0), "zero", "0", now_ms() + 1'000);
  Set(db(1), "one", "1");
  Watcher& zero = NewWatcher();
  Watcher& elsewhere = NewWatcher();
  Watcher& absent = NewWatcher();
  Watch(db(0), "zero", &zero);
  Watch(db(0), "one", &elsewhere);
  Watch(db(1), "two", &absent);
  {
    Hold hold(kSlot);
    Database* both[] = {&db(0), &db(1)};
    ASSERT_TRUE(hold.TryClose(both, false));
    SwapDatabases(hold, db(0), db(1));
  }
  EXPECT_EQ(Get(db(0), "one"), "1");
  EXPECT_EQ(Get(db(1), "zero"), "0");
  EXPECT_EQ(db(0).expires(), 0u);
  EXPECT_EQ(db(1).expires(), 1u);
  EXPECT_TRUE(zero.dirty);
  EXPECT_TRUE(elsewhere.dirty);
  EXPECT_FALSE(absent.dirty);
}

TEST_F(DatabaseTest, AWatcherHearsNothingAfterUnwatch) {
  Set(db(), "k", "v");
  Watcher& stays = NewWatcher();
  Watcher& goes = NewWatcher();
  Watch(db(), "k", &stays);
  Watch(db(), "k", &goes);
  Unwatch(db(), "k", &goes);
  Set(db(), "k", "w");
  EXPECT_TRUE(stays.dirty);
  EXPECT_FALSE(goes.dirty);
}

TEST_F(DatabaseTest, KnowsWhatExpiredSinceItWasWatched) {
  Set(db(), "before", "v", now_ms() + 10);
  Advance(10);
  Set(db(), "since", "v", now_ms() + 10);
  Watcher& watcher = NewWatcher();
  Watch(db(), "before", &watcher);
  Watch(db(), "since", &watcher);
  Advance(10);
  auto expired = [&](std::string_view key) {
    Hold hold(kSlot);
    EXPECT_TRUE(hold.TryKey(db(), KeyHash::Of(key)));
    return db().ExpiredSinceWatch(key, KeyHash::Of(key), &watcher, now_ms());
  };
  EXPECT_FALSE(expired("before"));
  EXPECT_TRUE(expired("since"));
}

}  // namespace
}  // namespace cloakroom
