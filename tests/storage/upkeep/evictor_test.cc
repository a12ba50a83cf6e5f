#include "storage/upkeep/evictor.h"

#include <string>

#include "storage/access/flush.h"
#include "storage/access/lookup.h"
#include "storage/base/memory_meter.h"
#include "storage/keyspace/reclaimer.h"
#include "storage/snapshot/snapshot.h"
#include "tests/storage/support/test_keyspace.h"

namespace cloakroom {
namespace {

using Room = Evictor::Room;

class EvictorTest : public KeyspaceTest {
 protected:
  static constexpr int kKeys = 2'000;
  static constexpr size_t kValueBytes = 2'000;
  /// How many must stay of the half that a policy should spare. Candidates come from one stripe of
  /// eight keys, and now and then only keys to be spared are left in it.
  static constexpr int kMostlySpared = kKeys / 2 * 85 / 100;

  EvictorTest() {
    MemoryMeter::RegisterThread();
    TakeNoEvents();
    // Samples as large as a stripe, so that the choice follows the policy exactly.
    keyspace_.settings().maxmemory_samples = 64;
  }

  StorageSettings& settings() { return keyspace_.settings(); }
  void Use(EvictionPolicy policy) { settings().policy = policy; }
  std::string Key(int i) { return "key:" + std::to_string(i); }
  void Fill(int keys, int64_t expire_at_ms = kNoExpiry) {
    for (int i = 0; i < keys; ++i) Set(db(), Key(i), std::string(kValueBytes, 'x'), expire_at_ms);
  }
  /// Sets the limit to the memory in use now, minus this many values.
  void LimitBelowUse(int values) {
    keyspace_.reclaimer().Drain();
    settings().maxmemory_bytes =
        MemoryMeter::UsedBytes() - static_cast<int64_t>(kValueBytes) * values;
  }
  /// Evicts until there is room.
  Room MakeRoom() {
    Room outcome;
    do {
      outcome = evictor_.MakeRoom();
    } while (outcome == Room::kBelowLimit && evictor_.OverLimit());
    return outcome;
  }
  int CountOf(int from, int to) {
    int there = 0;
    for (int i = from; i < to; ++i) there += Exists(db(), Key(i)) ? 1 : 0;
    return there;
  }
  void Touch(int i) {
    Hold hold(kSlot);
    ASSERT_TRUE(hold.TryKey(db(), KeyHash::Of(Key(i))));
    FindKey(hold, db(), Key(i), KeyHash::Of(Key(i)), now_ms(), random_);
  }

  absl::InsecureBitGen random_;
  Evictor evictor_{keyspace_, kSlot};
};

TEST_F(EvictorTest, NothingGoesDuringAPause) {
  Use(EvictionPolicy::kAllKeysLru);
  Fill(kKeys);
  LimitBelowUse(10);
  settings().unchanging_until_ms = now_ms() + 10;
  EXPECT_EQ(evictor_.MakeRoom(), Room::kBelowLimit);
  EXPECT_EQ(CountOf(0, kKeys), kKeys);
  Advance(10);
  EXPECT_EQ(MakeRoom(), Room::kBelowLimit);
  EXPECT_LT(CountOf(0, kKeys), kKeys);
}

TEST_F(EvictorTest, WithoutALimitThereIsAlwaysRoom) {
  Use(EvictionPolicy::kAllKeysRandom);
  Fill(100);
  EXPECT_EQ(evictor_.MakeRoom(), Room::kBelowLimit);
  EXPECT_FALSE(evictor_.OverLimit());
  EXPECT_EQ(db().size(), 100u);
}

TEST_F(EvictorTest, NoEvictionLetsNothingGo) {
  Fill(100);
  LimitBelowUse(10);
  EXPECT_TRUE(evictor_.OverLimit());
  EXPECT_EQ(evictor_.MakeRoom(), Room::kNoRoom);
  EXPECT_EQ(db().size(), 100u);
}

TEST_F(EvictorTest, RandomEvictsUntilThereIsRoomAndNoMore) {
  Use(EvictionPolicy::kAllKeysRandom);
  Fill(kKeys);
  LimitBelowUse(500);
  EXPECT_EQ(MakeRoom(), Room::kBelowLimit);
  EXPECT_FALSE(evictor_.OverLimit());
  // A key takes more than its value alone.
  EXPECT_LT(db().size(), kKeys - 300u);
  EXPECT_GT(db().size(), kKeys - 600u);
  EXPECT_EQ(keyspace_.counters().evicted, static_cast<int64_t>(kKeys - db().size()));
}

TEST_F(EvictorTest, OneCallEvictsASlice) {
  Use(EvictionPolicy::kAllKeysRandom);
  Fill(kKeys);
  LimitBelowUse(kKeys - 100);
  EXPECT_EQ(evictor_.MakeRoom(), Room::kBelowLimit);
  EXPECT_TRUE(evictor_.OverLimit());
  EXPECT_GT(db().size(), kKeys - 300u);
}

TEST_F(EvictorTest, LruSparesWhatWasUsedLately) {
  Use(EvictionPolicy::kAllKeysLru);
  Fill(kKeys);
  Advance(100'000);
  for (int i = 0; i < kKeys / 2; ++i) Touch(i);
  LimitBelowUse(500);
  EXPECT_EQ(MakeRoom(), Room::kBelowLimit);
  EXPECT_GE(CountOf(0, kKeys / 2), kMostlySpared);
  EXPECT_LT(CountOf(kKeys / 2, kKeys), kKeys / 2 - 300);
}

TEST_F(EvictorTest, LfuSparesWhatIsUsedOften) {
  Use(EvictionPolicy::kAllKeysLfu);
  Fill(kKeys);
  for (int i = 0; i < kKeys / 2; ++i) {
    for (int hit = 0; hit < 5; ++hit) Touch(i);
  }
  LimitBelowUse(500);
  EXPECT_EQ(MakeRoom(), Room::kBelowLimit);
  EXPECT_GE(CountOf(0, kKeys / 2), kMostlySpared);
}

TEST_F(EvictorTest, VolatileTtlTakesWhatIsDueFirst) {
  Use(EvictionPolicy::kVolatileTtl);
  for (int i = 0; i < kKeys; ++i) {
    int64_t ttl_ms = i < kKeys / 2 ? 3'600'000 : 60'000 + i;
    Set(db(), Key(i), std::string(kValueBytes, 'x'), now_ms() + ttl_ms);
  }
  LimitBelowUse(500);
  EXPECT_EQ(MakeRoom(), Room::kBelowLimit);
  EXPECT_GE(CountOf(0, kKeys / 2), kMostlySpared);
}

/// The four policies that spare keys without an expiry.
class VolatileEvictorTest : public EvictorTest,
                            public testing::WithParamInterface<EvictionPolicy> {};

TEST_P(VolatileEvictorTest, SparesKeysWithoutAnExpiry) {
  Use(GetParam());
  Fill(kKeys);
  for (int i = kKeys / 2; i < kKeys; ++i) {
    Set(db(), Key(i), std::string(kValueBytes, 'x'), now_ms() + 3'600'000);
  }
  LimitBelowUse(500);
  EXPECT_EQ(MakeRoom(), Room::kBelowLimit);
  EXPECT_EQ(CountOf(0, kKeys / 2), kKeys / 2);
  EXPECT_LT(CountOf(kKeys / 2, kKeys), kKeys / 2 - 300);
}

TEST_P(VolatileEvictorTest, HasNoRoomWhenNothingExpires) {
  Use(GetParam());
  Fill(200);
  LimitBelowUse(50);
  EXPECT_EQ(MakeRoom(), Room::kNoRoom);
  EXPECT_EQ(db().size(), 200u);
}

INSTANTIATE_TEST_SUITE_P(Policies, VolatileEvictorTest,
                         testing::Values(EvictionPolicy::kVolatileLru, EvictionPolicy::kVolatileLfu,
                                         EvictionPolicy::kVolatileRandom,
                                         EvictionPolicy::kVolatileTtl));

/// The three policies that may evict any key.
class AllKeysEvictorTest : public EvictorTest,
                           public testing::WithParamInterface<EvictionPolicy> {};

TEST_P(AllKeysEvictorTest, TakesFromEveryDatabaseAndEndsWithNoKeys) {
  Use(GetParam());
  Fill(300);
  for (int i = 0; i < 300; ++i) Set(db(2), Key(i), std::string(kValueBytes, 'x'));
  settings().maxmemory_bytes = 1;
  EXPECT_EQ(MakeRoom(), Room::kNoRoom);
  EXPECT_EQ(db().size() + db(2).size(), 0u);
  EXPECT_EQ(keyspace_.counters().evicted, 600);
}

INSTANTIATE_TEST_SUITE_P(Policies, AllKeysEvictorTest,
                         testing::Values(EvictionPolicy::kAllKeysLru, EvictionPolicy::kAllKeysLfu,
                                         EvictionPolicy::kAllKeysRandom));

TEST_F(EvictorTest, AnEvictionIsToldAndDisturbsWatchers) {
  Use(EvictionPolicy::kAllKeysRandom);
  Set(db(), "only", std::string(kValueBytes, 'x'));
  Watcher& watcher = NewWatcher();
  {
    Hold hold(kSlot);
    ASSERT_TRUE(hold.TryKey(db(), KeyHash::Of("only")));
    db().Watch("only", KeyHash::Of("only"), &watcher, now_ms());
  }
  settings().maxmemory_bytes = 1;
  EXPECT_EQ(MakeRoom(), Room::kNoRoom);
  EXPECT_TRUE(watcher.dirty);
}

TEST_F(EvictorTest, AClosedGateIsNotWaitedFor) {
  Use(EvictionPolicy::kAllKeysRandom);
  Fill(10);
  settings().maxmemory_bytes = 1;
  Hold hold(1);
  Database* one[] = {&db()};
  ASSERT_TRUE(hold.TryClose(one, false));
  EXPECT_EQ(evictor_.MakeRoom(), Room::kBusy);
  hold.Release();
  EXPECT_EQ(db().size(), 10u);
}

TEST_F(EvictorTest, WhatIsEvictedDuringASnapshotIsFreedAndLeftOutOfIt) {
  Use(EvictionPolicy::kAllKeysRandom);
  Fill(kKeys);
  Snapshot& snapshot = keyspace_.snapshot();
  snapshot.Begin({}, [] {});
  LimitBelowUse(kKeys / 2);
  ASSERT_EQ(MakeRoom(), Room::kBelowLimit);
  EXPECT_EQ(snapshot.pre_image_bytes(), 0u);
  const size_t left = db().size();
  EXPECT_GT(left, size_t{kKeys} / 4) << "for half of the memory, half of the keys";
  EXPECT_LT(left, size_t{kKeys} * 3 / 4);
  SnapshotBatch batch;
  while (snapshot.Next(&batch) == Snapshot::Step::kGave) {
  }
  EXPECT_EQ(snapshot.keys_done(), left);
  EXPECT_EQ(snapshot.failure(), Snapshot::Failure::kNone);
}

TEST_F(EvictorTest, PreImagesEvictNothing) {
  Use(EvictionPolicy::kAllKeysRandom);
  Fill(kKeys);
  Snapshot& snapshot = keyspace_.snapshot();
  snapshot.Begin({.max_pre_image_bytes = size_t{1} << 30}, [] {});
  LimitBelowUse(-kKeys / 2);  // room for the new values
  Fill(kKeys);                // all of them change
  EXPECT_GT(snapshot.pre_image_bytes(), size_t{kKeys} * kValueBytes);
  EXPECT_EQ(evictor_.MakeRoom(), Room::kBelowLimit);
  EXPECT_EQ(db().size(), size_t{kKeys});
  snapshot.Cancel();
}

TEST_F(EvictorTest, WhatIsOnItsWayToTheDiskEvictsNothing) {
  class : public ChangeLog {
   public:
    ChangePlace Reserve(const ChangeBatch&, SeenOffset*, GateSlot) override { return {}; }
    void Complete(const ChangeBatch&, const ChangePlace&) override {}
    int64_t buffered_bytes() const override { return int64_t{kValueBytes} * kKeys; }
  } log;
  Use(EvictionPolicy::kAllKeysRandom);
  Fill(kKeys);
  LimitBelowUse(100);
  keyspace_.feed().set_log(&log);
  EXPECT_EQ(evictor_.MakeRoom(), Room::kBelowLimit);
  EXPECT_EQ(db().size(), size_t{kKeys});
  keyspace_.feed().set_log(nullptr);
  EXPECT_EQ(MakeRoom(), Room::kBelowLimit);
  EXPECT_LT(db().size(), size_t{kKeys});
}

TEST_F(EvictorTest, ForWhatWasFlushedDuringASnapshotNothingIsEvictedOrRefused) {
  Use(EvictionPolicy::kNoEviction);
  Fill(kKeys);
  Set(db(1), "kept", "1");
  Snapshot& snapshot = keyspace_.snapshot();
  snapshot.Begin({}, [] {});
  LimitBelowUse(kKeys / 2);
  EXPECT_EQ(evictor_.MakeRoom(), Room::kNoRoom);
  {
    Hold hold(kSlot);
    Database* closed[] = {&db()};
    ASSERT_TRUE(hold.TryClose(closed, false));
    FlushDatabase(hold, db());
  }
  EXPECT_EQ(evictor_.MakeRoom(), Room::kBelowLimit);
  keyspace_.reclaimer().Drain();
  EXPECT_FALSE(evictor_.OverLimit());
  EXPECT_TRUE(Exists(db(1), "kept"));
  EXPECT_EQ(snapshot.failure(), Snapshot::Failure::kMemoryNeeded);
  snapshot.Cancel();
}

}  // namespace
}  // namespace cloakroom
