#include "storage/keyspace/hold.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/storage/support/key_apart.h"
#include "tests/storage/support/test_keyspace.h"

namespace cloakroom {
namespace {

class HoldTest : public KeyspaceTest {
 protected:
  /// Whether another event loop could take the key's stripe right now, without waiting for it.
  bool StripeIsFree(std::string_view key) {
    bool free = false;
    std::thread([&] {
      Mutex& mutex = db().StripeOf(KeyHash::Of(key)).mutex;
      if (mutex.TryLock()) {
        free = true;
        mutex.Unlock();
      }
    }).join();
    return free;
  }
  bool GateIsOpen(Database& database) {
    bool open = false;
    std::thread([&] {
      Hold hold(1);
      open = hold.TryPass(database);
    }).join();
    return open;
  }
};

TEST_F(HoldTest, AKeyIsHeldUntilTheHoldGoes) {
  {
    Hold hold(kSlot);
    ASSERT_TRUE(hold.TryKey(db(), KeyHash::Of("k")));
    EXPECT_FALSE(StripeIsFree("k"));
    EXPECT_FALSE(hold.closed());
    EXPECT_TRUE(GateIsOpen(db()));
  }
  EXPECT_TRUE(StripeIsFree("k"));
}

TEST_F(HoldTest, WhatThoseWhoWaitNeedIsHeldToo) {
  // Those who wait for a need b, and those who wait for b need c.
  const auto stripe = [&](const std::string& key) -> Stripe& {
    return db().StripeOf(KeyHash::Of(key));
  };
  InterestTable::Place for_a{.also_held = KeyHash::Of("b").stripe()};
  InterestTable::Place for_b{.also_held = KeyHash::Of("c").stripe()};
  {
    MutexLock lock(stripe("a").mutex);
    stripe("a").interests.Enqueue("a", &for_a);
  }
  {
    MutexLock lock(stripe("b").mutex);
    stripe("b").interests.Enqueue("b", &for_b);
  }
  for (const bool several : {false, true}) {
    Hold hold(kSlot);
    const KeyHash one[] = {KeyHash::Of("a")};
    ASSERT_TRUE(several ? hold.TryKeys(db(), one) : hold.TryKey(db(), one[0]));
    EXPECT_FALSE(StripeIsFree("b"));
    EXPECT_FALSE(StripeIsFree("c"));
  }
  for (const char* key : {"a", "b", "c"}) EXPECT_TRUE(StripeIsFree(key)) << key;
  {
    std::thread other([&] {
      Hold hold(1);
      ASSERT_TRUE(hold.TryKey(db(), KeyHash::Of("c")));
      Hold refused(kSlot);
      EXPECT_FALSE(refused.TryKey(db(), KeyHash::Of("a")));
      EXPECT_EQ(refused.refused(), nullptr) << "try again soon";
    });
    other.join();
  }
  MutexLock lock(stripe("a").mutex);
  stripe("a").interests.Leave("a", &for_a);
}

TEST_F(HoldTest, KeysOfOneStripeAreTakenOnce) {
  std::vector<KeyHash> hashes;
  for (int i = 0; i < 1'000; ++i) hashes.push_back(KeyHash::Of(std::to_string(i)));
  {
    Hold hold(kSlot);
    ASSERT_TRUE(hold.TryKeys(db(), hashes));
    EXPECT_FALSE(StripeIsFree("0"));
    EXPECT_FALSE(StripeIsFree("999"));
  }
  EXPECT_TRUE(StripeIsFree("0"));
}

TEST_F(HoldTest, ReleaseGivesEverythingBackAndAllowsAnother) {
  Hold hold(kSlot);
  ASSERT_TRUE(hold.TryKey(db(), KeyHash::Of("k")));
  hold.Release();
  EXPECT_TRUE(StripeIsFree("k"));
  Database* all[] = {&db(0), &db(1)};
  ASSERT_TRUE(hold.TryClose(all, false));
  EXPECT_TRUE(hold.closed());
  EXPECT_FALSE(GateIsOpen(db(1)));
  EXPECT_TRUE(GateIsOpen(db(2)));
  hold.Release();
  EXPECT_TRUE(GateIsOpen(db(0)));
}

TEST_F(HoldTest, AClosedGateRefusesAndIsNamed) {
  Hold closer(kSlot);
  Database* one[] = {&db(1)};
  ASSERT_TRUE(closer.TryClose(one, false));
  std::thread([&] {
    Hold hold(1);
    EXPECT_FALSE(hold.TryKey(db(1), KeyHash::Of("k")));
    EXPECT_EQ(hold.refused(), &db(1).gate());
    EXPECT_TRUE(hold.TryKey(db(0), KeyHash::Of("k")));
  }).join();
}

TEST_F(HoldTest, ClosingSeveralIsAllOrNothing) {
  Hold closer(kSlot);
  Database* second[] = {&db(1)};
  ASSERT_TRUE(closer.TryClose(second, false));
  std::thread([&] {
    Hold hold(1);
    Database* both[] = {&db(0), &db(1)};
    EXPECT_FALSE(hold.TryClose(both, false));
    EXPECT_EQ(hold.refused(), &db(1).gate());
    EXPECT_FALSE(hold.closed());
  }).join();
  EXPECT_TRUE(GateIsOpen(db(0)));
}

TEST_F(HoldTest, WhoWaitsForSeveralGatesHoldsNoneOfThem) {
  Hold closer(kSlot);
  Database* last[] = {&db(2)};
  ASSERT_TRUE(closer.TryClose(last, false));
  Hold waiting(keyspace_.background_slot());
  int looks = 0;
  EXPECT_FALSE(waiting.WaitAndClose(keyspace_.databases(), [&] {
    EXPECT_FALSE(waiting.closed());
    for (int i : {0, 1}) {
      Hold pass(1);
      EXPECT_TRUE(pass.TryPassNow(db(i)));
    }
    return ++looks == 3;
  }));
  closer.Release();
  EXPECT_TRUE(waiting.WaitAndClose(keyspace_.databases()));
  for (int i : {0, 1, 2}) EXPECT_TRUE(waiting.Closes(db(i)));
}

TEST_F(HoldTest, AnOccupiedStripeRefusesWithoutAGate) {
  const std::string a = KeyApartFrom({"b"});
  const std::string c = KeyApartFrom({a, "b"});
  KeyHash hashes[] = {KeyHash::Of(a), KeyHash::Of("b"), KeyHash::Of(c)};
  Mutex& occupied = db().StripeOf(hashes[1]).mutex;
  occupied.Lock();
  std::thread([&] {
    Hold hold(1);
    EXPECT_FALSE(hold.TryKey(db(), hashes[1]));
    EXPECT_EQ(hold.refused(), nullptr);
    EXPECT_FALSE(hold.TryKeys(db(), hashes));
    EXPECT_EQ(hold.refused(), nullptr);
  }).join();
  EXPECT_TRUE(StripeIsFree(a));
  EXPECT_TRUE(StripeIsFree(c));
  // No pass is left behind either.
  Database* one[] = {&db()};
  Hold closer(kSlot);
  EXPECT_TRUE(closer.TryClose(one, false));
  occupied.Unlock();
}

TEST_F(HoldTest, SomebodyInsideRefusesACloserWithoutAGate) {
  Hold pass(1);
  ASSERT_TRUE(pass.TryPass(db(1)));
  Hold closer(kSlot);
  EXPECT_FALSE(closer.TryClose(keyspace_.databases(), false));
  EXPECT_EQ(closer.refused(), nullptr);
  EXPECT_TRUE(GateIsOpen(db(0)));
  EXPECT_TRUE(GateIsOpen(db(1)));
}

TEST_F(HoldTest, BackgroundThreadsWaitForTheirTurn) {
  Hold closer(kSlot);
  Database* one[] = {&db()};
  ASSERT_TRUE(closer.TryClose(one, false));
  std::atomic<bool> passed = false;
  std::thread background([&] {
    Hold hold(keyspace_.background_slot());
    hold.WaitForKey(db(), KeyHash::Of("k"));
    passed = true;
  });
  EXPECT_FALSE(passed);
  closer.Release();
  background.join();
  EXPECT_TRUE(passed);
}

TEST_F(HoldTest, ThreadsThatTakeManyKeysNeitherDeadlockNorLoseAnUpdate) {
  // Every thread increments two counters together, with the keys in different orders.
  TakeNoEvents();
  std::vector<std::thread> threads;
  std::atomic<int> done = 0;
  auto add = [&](Hold& hold, std::string_view key) {
    WriteScope scope(hold, db(), key, KeyHash::Of(key), now_ms());
    MutableString value(scope);
    value.AssignInteger(value.view().integer().value_or(0) + 1);
    scope.Changed("incr");
  };
  for (int slot = 0; slot < 2; ++slot) {
    threads.emplace_back([&, slot] {
      KeyHash hashes[] = {KeyHash::Of(slot == 0 ? "a" : "b"), KeyHash::Of(slot == 0 ? "b" : "a")};
      for (int i = 0; i < 2'000;) {
        Hold hold(slot);
        if (!hold.TryKeys(db(), hashes)) continue;
        add(hold, "a");
        add(hold, "b");
        ++done;
        ++i;
      }
    });
  }
  threads.emplace_back([&] {
    for (int i = 0; i < 200; ++i) {
      Hold hold(keyspace_.background_slot());
      hold.WaitAndClose(db());
      add(hold, "b");
      add(hold, "a");
      ++done;
    }
  });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, 4'200);
  EXPECT_EQ(Get(db(), "a"), "4200");
  EXPECT_EQ(Get(db(), "b"), "4200");
}

}  // namespace
}  // namespace cloakroom
