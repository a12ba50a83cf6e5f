#include "storage/snapshot/snapshot.h"

#include <gmock/gmock.h>

#include <future>
#include <map>
#include <thread>

#include "storage/access/flush.h"
#include "storage/access/lookup.h"
#include "storage/base/memory_meter.h"
#include "storage/keyspace/reclaimer.h"
#include "storage/values/set.h"
#include "tests/storage/support/test_keyspace.h"

namespace cloakroom {
namespace {

constexpr size_t kNoLimit = size_t{1} << 30;

class SnapshotTest : public KeyspaceTest {
 protected:
  Snapshot& snapshot() { return keyspace_.snapshot(); }

  Snapshot::Facts Begin(size_t max_pre_image_bytes = kNoLimit) {
    return *snapshot().Begin({.max_pre_image_bytes = max_pre_image_bytes}, [] {});
  }
  /// Takes one step, which must give a batch.
  void Give(SnapshotBatch* batch) { ASSERT_EQ(snapshot().Next(batch), Snapshot::Step::kGave); }

  void Flush(Database& database) {
    Hold hold(kSlot);
    Database* closed[] = {&database};
    ASSERT_TRUE(hold.TryClose(closed, false));
    FlushDatabase(hold, database);
  }

  static std::string Text(const EntryView& entry) {
    if (entry.value.type == ValueType::kSet) {
      return std::to_string(cloakroom::Set(entry.value).size()) + " members";
    }
    return std::string(StringView(entry.value).bytes());
  }

  /// Everything that is still to come, by "db:key"; a key that comes twice fails the test.
  std::map<std::string, std::string> Rest() {
    SnapshotBatch batch;
    while (snapshot().Next(&batch) == Snapshot::Step::kGave) Collect(batch);
    EXPECT_EQ(snapshot().failure(), Snapshot::Failure::kNone);
    return std::exchange(collected_, {});
  }
  void Collect(const SnapshotBatch& batch) {
    batch.ForEach([&](const EntryView& entry) {
      std::string name = std::to_string(entry.db) + ":" + std::string(entry.key);
      EXPECT_TRUE(collected_.emplace(name, Text(entry)).second) << name << " came twice";
    });
  }

  void AddMembers(std::string_view key, int from, int to) {
    EncodingLimits limits;
    Write(db(), key, [&](WriteScope& scope) {
      MutableSet set(scope, limits);
      for (int i = from; i < to; ++i) set.Add("member" + std::to_string(i));
      scope.Changed("sadd");
    });
  }

  std::map<std::string, std::string> collected_;
};

TEST_F(SnapshotTest, HoldsEveryKeyOfEveryDatabase) {
  Set(db(0), "a", "1");
  Set(db(0), "b", std::string(5000, 'x'), now_ms() + 10);
  Set(db(2), "a", "2");
  Snapshot::Facts facts = Begin();
  EXPECT_EQ(facts.keys, 3u);
  EXPECT_FALSE(facts.field_expiry);
  EXPECT_THAT(Rest(), testing::ElementsAre(testing::Pair("0:a", "1"),
                                           testing::Pair("0:b", std::string(5000, 'x')),
                                           testing::Pair("2:a", "2")));
  EXPECT_FALSE(snapshot().active());
  EXPECT_EQ(snapshot().keys_done(), 3u);
}

TEST_F(SnapshotTest, ChangesAfterTheInstantAreNotInIt) {
  Set(db(), "changed", "old");
  Set(db(), "deleted", "old");
  Begin();
  Set(db(), "changed", "new");
  Set(db(), "changed", "newer");
  Delete(db(), "deleted");
  Set(db(), "deleted", "again");
  Set(db(), "created", "new");
  EXPECT_THAT(Rest(), testing::ElementsAre(testing::Pair("0:changed", "old"),
                                           testing::Pair("0:deleted", "old")));
  EXPECT_EQ(Get(db(), "changed"), "newer");
}

TEST_F(SnapshotTest, TheNextOneSeesWhatTheLastOneLeftOut) {
  Set(db(), "a", "1");
  Begin();
  Set(db(), "b", "2");
  Rest();
  Set(db(), "c", "3");
  Begin();
  EXPECT_THAT(Rest(), testing::ElementsAre(testing::Pair("0:a", "1"), testing::Pair("0:b", "2"),
                                           testing::Pair("0:c", "3")));
}

TEST_F(SnapshotTest, EveryKeyComesOnceWhateverTheTableDoesMeanwhile) {
  for (int i = 0; i < 3000; ++i) Set(db(), "key" + std::to_string(i), std::to_string(i));
  Begin();
  SnapshotBatch batch;
  for (int round = 0; snapshot().Next(&batch) == Snapshot::Step::kGave; ++round) {
    Collect(batch);
    for (int i = round * 300; i < round * 300 + 300; ++i) {
      Set(db(), "new" + std::to_string(i), "x");                       // the table grows
      if (i % 3 == 0) Delete(db(), "key" + std::to_string(i % 3000));  // and shrinks
      if (i % 3 == 1) Set(db(), "key" + std::to_string(i % 3000), "changed");
    }
  }
  std::map<std::string, std::string> all = Rest();
  EXPECT_EQ(all.size(), 3000u);
  for (int i = 0; i < 3000; ++i) {
    EXPECT_EQ(all["0:key" + std::to_string(i)], std::to_string(i));
  }
}

TEST_F(SnapshotTest, ABigSetIsSharedNotCopied) {
  AddMembers("set", 0, 10'000);
  Begin();
  AddMembers("set", 10'000, 10'001);
  SnapshotBatch batch;
  Give(&batch);
  EXPECT_LT(batch.retained_bytes(), 100'000u);
  Collect(batch);
  EXPECT_THAT(Rest(), testing::ElementsAre(testing::Pair("0:set", "10000 members")));
}

TEST_F(SnapshotTest, AFlushedDatabaseIsInIt) {
  for (int i = 0; i < 1000; ++i) Set(db(1), "key" + std::to_string(i), "x");
  Begin();
  {
    Hold hold(kSlot);
    Database* closed[] = {&db(1)};
    ASSERT_TRUE(hold.TryClose(closed, false));
    EXPECT_EQ(FlushDatabase(hold, db(1)), 1000u);
  }
  Set(db(1), "key1", "new");
  std::map<std::string, std::string> all = Rest();
  EXPECT_EQ(all.size(), 1000u);
  EXPECT_EQ(all["1:key1"], "x");
}

TEST_F(SnapshotTest, SwappedDatabasesKeepTheNumberThatTheyHad) {
  for (int i = 0; i < 2000; ++i) Set(db(0), "a" + std::to_string(i), "0");
  Set(db(2), "b", "2");
  Begin();
  SnapshotBatch batch;
  Give(&batch);
  Collect(batch);
  {
    Hold hold(kSlot);
    Database* closed[] = {&db(0), &db(1), &db(2)};
    ASSERT_TRUE(hold.TryClose(closed, false));
    SwapDatabases(hold, db(0), db(2));
  }
  Delete(db(0), "b");
  std::map<std::string, std::string> all = Rest();
  EXPECT_EQ(all.size(), 2001u);
  EXPECT_EQ(all["2:b"], "2");
  EXPECT_EQ(all["0:a7"], "0");
}

TEST_F(SnapshotTest, WhatExpiresMeanwhileTakesNoMemoryAndIsLeftOut) {
  Set(db(), "a", std::string(5000, 'x'), now_ms() + 10);
  Set(db(), "b", "2");
  Begin();
  Advance(20);
  EXPECT_FALSE(Exists(db(), "a"));
  EXPECT_EQ(snapshot().pre_image_bytes(), 0u);
  EXPECT_THAT(Rest(), testing::ElementsAre(testing::Pair("0:b", "2")));
}

TEST_F(SnapshotTest, WhatChangedBeforeItExpiredIsInIt) {
  Set(db(), "a", "1", now_ms() + 10);
  Begin();
  Set(db(), "a", "2", now_ms() + 10);
  Advance(20);
  EXPECT_FALSE(Exists(db(), "a"));
  EXPECT_THAT(Rest(), testing::ElementsAre(testing::Pair("0:a", "1")));
}

TEST_F(SnapshotTest, WhatALoggedCommandReadsIsInItEvenIfItExpires) {
  Set(db(), "a", "1", now_ms() + 10);
  Begin();
  {
    Hold hold(kSlot);
    ASSERT_TRUE(hold.TryKey(db(), KeyHash::Of("a")));
    KeepForLog(db(), "a", KeyHash::Of("a"));
    KeepForLog(db(), "a", KeyHash::Of("a"));
    EXPECT_GT(snapshot().pre_image_bytes(), 0u);
  }
  Advance(20);
  EXPECT_FALSE(Exists(db(), "a"));
  EXPECT_THAT(Rest(), testing::ElementsAre(testing::Pair("0:a", "1")));
}

TEST_F(SnapshotTest, FlushedTablesAreFreedWhenMemoryIsNeededAndItFails) {
  for (int i = 0; i < 1000; ++i) Set(db(1), "key" + std::to_string(i), "x");
  Begin();
  EXPECT_FALSE(snapshot().FreeFlushedTables()) << "there are none";
  Flush(db(1));
  EXPECT_EQ(keyspace_.reclaimer().freed(), 0);
  EXPECT_TRUE(snapshot().FreeFlushedTables());
  keyspace_.reclaimer().Drain();
  EXPECT_EQ(keyspace_.reclaimer().freed(), 1000);
  EXPECT_EQ(snapshot().failure(), Snapshot::Failure::kMemoryNeeded);
  snapshot().Cancel();
  Set(db(1), "new", "1");
  Begin();
  EXPECT_THAT(Rest(), testing::ElementsAre(testing::Pair("1:new", "1")));
}

TEST_F(SnapshotTest, WhereALogSaysThatTheyAreGoneFlushedTablesAreFreedAtOnce) {
  class : public ChangeLog {
    ChangePlace Reserve(const ChangeBatch&, SeenOffset*, GateSlot) override { return {}; }
    void Complete(const ChangeBatch&, const ChangePlace&) override {}
  } log;
  keyspace_.feed().set_log(&log);
  for (int i = 0; i < 1000; ++i) Set(db(1), "key" + std::to_string(i), "x");
  Set(db(0), "kept", "1");
  snapshot().Begin({.log_follows = true}, [] {});
  Flush(db(1));
  keyspace_.reclaimer().Drain();
  EXPECT_EQ(keyspace_.reclaimer().freed(), 1000);
  EXPECT_THAT(Rest(), testing::ElementsAre(testing::Pair("0:kept", "1")));
  keyspace_.feed().set_log(nullptr);
}

TEST_F(SnapshotTest, FlushedTablesThatWereWalkedAreFreedAtOnce) {
  for (int i = 0; i < 1000; ++i) Set(db(0), "key" + std::to_string(i), "x");
  for (int i = 0; i < 1000; ++i) Set(db(2), "key" + std::to_string(i), std::string(1000, 'x'));
  Begin();
  SnapshotBatch batch;
  for (int i = 0; i < 5; ++i) {
    Give(&batch);
    Collect(batch);
  }
  Flush(db(0));
  keyspace_.reclaimer().Drain();
  EXPECT_EQ(keyspace_.reclaimer().freed(), 1000);
  EXPECT_EQ(Rest().size(), 2000u);
}

TEST_F(SnapshotTest, AClosedDatabaseIsPassedOverAndComeBackTo) {
  for (int i = 0; i < 3; ++i) Set(db(i), "key", std::to_string(i));
  Begin();
  std::promise<void> closed;
  std::promise<void> open;
  std::thread busy([&] {
    Hold hold(1);
    Database* one[] = {&db(1)};
    ASSERT_TRUE(hold.TryClose(one, false));
    closed.set_value();
    open.get_future().wait();
  });
  closed.get_future().wait();
  SnapshotBatch batch;
  Give(&batch);
  Collect(batch);
  EXPECT_EQ(collected_.size(), 2u);
  EXPECT_EQ(snapshot().Next(&batch), Snapshot::Step::kBusy);
  Set(db(2), "key", "new");
  EXPECT_EQ(snapshot().Next(&batch), Snapshot::Step::kBusy);
  open.set_value();
  busy.join();
  EXPECT_EQ(Rest().size(), 3u);
}

TEST_F(SnapshotTest, ACancelledOneWaitsForNoClosedDatabase) {
  for (int i = 0; i < 3; ++i) Set(db(i), "key", std::to_string(i));
  Begin();
  std::promise<void> closed;
  std::promise<void> open;
  std::thread busy([&] {
    Hold hold(1);
    Database* one[] = {&db(1)};
    ASSERT_TRUE(hold.TryClose(one, false));
    closed.set_value();
    open.get_future().wait();
  });
  closed.get_future().wait();
  snapshot().Cancel();
  EXPECT_TRUE(snapshot().active()) << "what is behind the gate is still older";
  open.set_value();
  busy.join();
  Set(db(1), "key", "new");
  EXPECT_EQ(snapshot().pre_image_bytes(), 0u) << "nobody wants it";
  Begin();
  EXPECT_EQ(Rest().size(), 3u);
}

TEST_F(SnapshotTest, KeysThatWereMissedOrCameTwiceFailIt) {
  Set(db(), "a", "1");
  Set(db(), "b", "2");
  {
    // The state that a bug would leave: the bit of an earlier snapshot.
    Hold hold(kSlot);
    ASSERT_TRUE(hold.TryKey(db(), KeyHash::Of("a")));
    const Entry* entry = PeekKey(hold, db(), "a", KeyHash::Of("a"), now_ms());
    const_cast<Entry*>(entry)->set_epoch(!snapshot().epoch());
  }
  Begin();
  SnapshotBatch batch;
  while (snapshot().Next(&batch) == Snapshot::Step::kGave) {
  }
  EXPECT_EQ(snapshot().failure(), Snapshot::Failure::kIncomplete);
  Begin();
  EXPECT_EQ(Rest().size(), 2u) << "and the next one is whole again";
}

TEST_F(SnapshotTest, TooManyPreImagesFailIt) {
  for (int i = 0; i < 100; ++i) Set(db(), "key" + std::to_string(i), std::string(2000, 'x'));
  Begin(/*max_pre_image_bytes=*/50'000);
  for (int i = 0; i < 100; ++i) Set(db(), "key" + std::to_string(i), "new");
  EXPECT_EQ(snapshot().failure(), Snapshot::Failure::kTooManyPreImages);
  snapshot().Cancel();
  EXPECT_FALSE(snapshot().active());
  EXPECT_EQ(Begin().keys, 100u);
  EXPECT_EQ(Rest().size(), 100u) << "and the next one is whole again";
}

TEST_F(SnapshotTest, ACancelledOneLeavesNothingBehind) {
  for (int i = 0; i < 1000; ++i) Set(db(), "key" + std::to_string(i), "x");
  Begin();
  SnapshotBatch batch;
  Give(&batch);
  batch.Clear();
  snapshot().Cancel();
  Set(db(), "key1", "y");
  Begin();
  EXPECT_EQ(Rest().size(), 1000u);
}

TEST_F(SnapshotTest, IsOnePointInTimeWhileThreadsMoveAmounts) {
  constexpr int kAccounts = 64;
  for (int i = 0; i < kAccounts; ++i) Set(db(), "account" + std::to_string(i), "100");
  TakeNoEvents();
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (GateSlot slot = 0; slot < 2; ++slot) {
    threads.emplace_back([&, slot] {
      MemoryMeter::RegisterThread();
      for (int i = slot; !stop; ++i) {
        std::string from = "account" + std::to_string(i * 7 % kAccounts);
        std::string to = "account" + std::to_string((i * 7 + 13) % kAccounts);
        KeyHash keys[] = {KeyHash::Of(from), KeyHash::Of(to)};
        Hold hold(slot);
        if (!hold.TryKeys(db(), keys)) continue;
        for (auto [key, change] : {std::pair(from, -1), std::pair(to, 1)}) {
          WriteScope scope(hold, db(), key, KeyHash::Of(key), now_ms());
          MutableString string(scope);
          string.AssignInteger(*string.view().integer() + change);
          scope.Changed("incrby");
        }
      }
    });
  }
  for (int round = 0; round < 20; ++round) {
    Begin();
    int64_t sum = 0;
    for (const auto& [key, text] : Rest()) sum += std::stoll(text);
    EXPECT_EQ(sum, kAccounts * 100);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace cloakroom
