#include "storage/changes/interest.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/access/flush.h"
#include "tests/storage/support/test_keyspace.h"

namespace cloakroom {
namespace {

/// Waits for strings: takes one that is there, and deletes the key.
class Taker final : public Waiter {
 public:
  explicit Taker(std::string* story, std::string name, bool wants_sets = false)
      : story_(story), name_(std::move(name)), wants_sets_(wants_sets) {}

  Verdict Serve(Hold& hold, Database& db, std::string_view key, KeyHash hash) override {
    WriteScope scope(hold, db, key, hash, 0);
    if (!scope.exists()) return Verdict::kNotReady;
    if (wants_sets_) return Verdict::kNotForMe;
    if (!Settle()) return Verdict::kNotForMe;
    *story_ += name_ + " takes " +
               std::string(StringView(scope.encoding(), scope.entry()->payload()).bytes()) + "; ";
    scope.Delete();
    scope.Changed("del");
    return Verdict::kServed;
  }
  void Wake(int64_t durable_from) override {
    *story_ += name_ + " wakes at " + std::to_string(durable_from) + "; ";
  }

  InterestTable::Place place{.waiter = this};

 private:
  std::string* const story_;
  const std::string name_;
  const bool wants_sets_;
};

class InterestTest : public KeyspaceTest {
 protected:
  std::shared_ptr<Taker> Wait(Database& database, std::string_view key, std::string name,
                              bool wants_sets = false) {
    auto taker = std::make_shared<Taker>(&story_, std::move(name), wants_sets);
    Hold hold(kSlot);
    EXPECT_TRUE(hold.TryKey(database, KeyHash::Of(key)));
    Stripe& stripe = database.StripeOf(KeyHash::Of(key));
    AssertHeld(stripe);
    stripe.interests.Enqueue(key, &taker->place);
    takers_.push_back(taker);
    return taker;
  }
  void Leave(Database& database, std::string_view key, Taker& taker) {
    Hold hold(kSlot);
    ASSERT_TRUE(hold.TryKey(database, KeyHash::Of(key)));
    Stripe& stripe = database.StripeOf(KeyHash::Of(key));
    AssertHeld(stripe);
    stripe.interests.Leave(key, &taker.place);
  }
  std::string Story() { return std::exchange(story_, ""); }

  std::string story_;
  std::vector<std::shared_ptr<Taker>> takers_;
};

TEST_F(InterestTest, TheFirstWhoWaitsIsServedInTheWritersHold) {
  Wait(db(), "k", "first");
  Wait(db(), "k", "second");
  TakeEvents();
  Set(db(), "k", "v");
  EXPECT_EQ(Story(), "first takes v; first wakes at 0; ");
  EXPECT_EQ(TakeEvents(), "set 0:k; del 0:k; ") << "one batch";
  EXPECT_FALSE(Exists(db(), "k"));
  Set(db(), "k", "w");
  EXPECT_EQ(Story(), "second takes w; second wakes at 0; ");
  Set(db(), "k", "x");
  EXPECT_EQ(Story(), "");
  EXPECT_TRUE(Exists(db(), "k"));
}

TEST_F(InterestTest, WhoWaitsElsewhereIsNotAsked) {
  Wait(db(1), "k", "of another database");
  Wait(db(), "l", "of another key");
  Set(db(), "k", "v");
  EXPECT_EQ(Story(), "");
}

TEST_F(InterestTest, WhoCannotUseTheKeyIsPassedOverAndStays) {
  Wait(db(), "k", "other type", /*wants_sets=*/true);
  Wait(db(), "k", "taker");
  Set(db(), "k", "v");
  EXPECT_EQ(Story(), "taker takes v; taker wakes at 0; ");
  Leave(db(), "k", *takers_[0]);
}

TEST_F(InterestTest, WhoIsSettledOrHasLeftIsPassedOver) {
  Wait(db(), "k", "timed out");
  Wait(db(), "k", "gone");
  Wait(db(), "k", "taker");
  EXPECT_TRUE(takers_[0]->Settle());
  EXPECT_FALSE(takers_[0]->Settle());
  Leave(db(), "k", *takers_[1]);
  Leave(db(), "k", *takers_[1]);
  Set(db(), "k", "v");
  EXPECT_EQ(Story(), "taker takes v; taker wakes at 0; ");
  Leave(db(), "k", *takers_[0]);
}

TEST_F(InterestTest, OneWhoLeavesTheMiddleOfAQueueLeavesTheOthersInOrder) {
  for (const char* name : {"a", "b", "c", "d"}) Wait(db(), "k", name);
  Leave(db(), "k", *takers_[1]);
  Leave(db(), "k", *takers_[3]);
  Wait(db(), "k", "e");
  for (int i = 0; i < 3; ++i) Set(db(), "k", std::to_string(i));
  EXPECT_EQ(Story(), "a takes 0; a wakes at 0; c takes 1; c wakes at 0; e takes 2; e wakes at 0; ");
}

TEST_F(InterestTest, ChangesOfOneHoldServeAtItsEnd) {
  Wait(db(), "k", "taker");
  {
    Hold hold(kSlot);
    Database* const closed[] = {&db()};
    ASSERT_TRUE(hold.TryClose(closed, false));
    for (const char* value : {"first", "last"}) {
      WriteScope scope(hold, db(), "k", KeyHash::Of("k"), now_ms());
      MutableString(scope).Assign(value);
      scope.Changed("set");
    }
    EXPECT_EQ(Story(), "");
  }
  EXPECT_EQ(Story(), "taker takes last; taker wakes at 0; ");
}

TEST_F(InterestTest, ASwapMayBringWhatSomebodyWaitsFor) {
  Wait(db(0), "k", "taker");
  Set(db(1), "k", "v");
  EXPECT_EQ(Story(), "");
  Hold hold(kSlot);
  Database* const closed[] = {&db(0), &db(1)};
  ASSERT_TRUE(hold.TryClose(closed, false));
  SwapDatabases(hold, db(0), db(1));
  hold.Release();
  EXPECT_EQ(Story(), "taker takes v; taker wakes at 0; ");
}

TEST_F(InterestTest, UnderAPassAloneTheyAreServedBeforeTheStripeIsGivenBack) {
  Wait(db(), "k", "taker");
  Hold hold(kSlot);
  ASSERT_TRUE(hold.TryPass(db()));
  Stripe& stripe = db().StripeOf(KeyHash::Of("k"));
  stripe.mutex.Lock();
  {
    WriteScope scope(hold, db(), "k", KeyHash::Of("k"), now_ms());
    MutableString(scope).Assign("v");
    scope.Changed("set");
  }
  EXPECT_EQ(Story(), "taker takes v; ");
  stripe.mutex.Unlock();
  hold.Release();
  EXPECT_EQ(Story(), "taker wakes at 0; ");
}

TEST_F(InterestTest, WhereReadersWaitForTheDiskTheOneWhoIsServedDoesToo) {
  class Log final : public ChangeLog {
   public:
    Log() { set_readers_wait(true); }
    ChangePlace Reserve(const ChangeBatch&, SeenOffset*, GateSlot) override { return {.end = 77}; }
    void Complete(const ChangeBatch&, const ChangePlace&) override {}
  } log;
  keyspace_.feed().set_log(&log);
  Wait(db(), "k", "taker");
  Set(db(), "k", "v");
  EXPECT_EQ(Story(), "taker takes v; taker wakes at 77; ");
  keyspace_.feed().set_log(nullptr);
}

TEST(InterestTableTest, AKeyIsMarkedOnceUntilItIsServed) {
  InterestTable table;
  EXPECT_FALSE(table.MarkReady("k")) << "nobody waits";
  InterestTable::Place place;
  table.Enqueue("k", &place);
  EXPECT_TRUE(table.MarkReady("k"));
  EXPECT_FALSE(table.MarkReady("k"));
  table.UnmarkReady("k");
  EXPECT_TRUE(table.MarkReady("k"));
  table.Leave("k", &place);
  EXPECT_TRUE(table.empty());
}

TEST(InterestTableTest, OtherStripesAreNeededWhileSomebodyWaits) {
  InterestTable table;
  InterestTable::Place one{.also_held = 7};
  InterestTable::Place other{.also_held = 7};
  InterestTable::Place third;
  table.Enqueue("k", &third);
  EXPECT_FALSE(table.needs_others());
  table.Enqueue("k", &one);
  table.Enqueue("l", &other);
  std::vector<uint32_t> needed;
  table.ForEachOther([&](uint32_t stripe) { needed.push_back(stripe); });
  EXPECT_EQ(needed, std::vector<uint32_t>{7});
  table.Leave("k", &one);
  EXPECT_TRUE(table.needs_others());
  table.Leave("l", &other);
  table.Leave("l", &other);
  EXPECT_FALSE(table.needs_others());
  table.Leave("k", &third);
}

TEST(InterestTableTest, WatchersAndWaitersOfAKeyDoNotDisturbEachOther) {
  InterestTable table;
  Watcher watcher;
  InterestTable::Place place;
  table.Watch("k", &watcher, /*expired=*/false);
  table.Enqueue("k", &place);
  table.Unwatch("k", &watcher);
  EXPECT_TRUE(table.MarkReady("k"));
  table.Watch("k", &watcher, /*expired=*/true);
  table.Leave("k", &place);
  EXPECT_FALSE(table.MarkReady("k"));
  table.SignalWatchers("k", /*gone=*/true);
  EXPECT_FALSE(watcher.dirty);
  table.SignalWatchers("k", /*gone=*/false);
  EXPECT_TRUE(watcher.dirty);
  table.Unwatch("k", &watcher);
  EXPECT_TRUE(table.empty());
}

}  // namespace
}  // namespace cloakroom
