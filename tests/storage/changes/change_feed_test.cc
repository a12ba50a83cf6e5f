#include "storage/changes/change_feed.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "storage/access/flush.h"
#include "tests/storage/support/test_keyspace.h"

namespace cloakroom {
namespace {

/// Records what it is told, and whether the stripe of "k" was free at that moment.
class Consumer final : public ChangeConsumer {
 public:
  Consumer(std::string name, Keyspace& keyspace, std::string* story)
      : name_(std::move(name)), keyspace_(keyspace), story_(story) {}

  void Take(const ChangeBatch& batch, const ChangeOrigin&) override {
    *story_ += name_ + (IsFree() ? " takes freely:" : " takes:");
    batch.ForEach([&](const Change& change) { Say("change", change.words); });
    batch.ForEachEvent([&](const ChangeBatch::Event& event) {
      *story_ += " " + std::string(event.name) + " " + std::string(event.key);
    });
    *story_ += "; ";
  }
  void AfterHold() override { *story_ += name_ + (IsFree() ? " goes on; " : " is held up; "); }

 private:
  bool IsFree() {
    Stripe& stripe = keyspace_.db(0).StripeOf(KeyHash::Of("k"));
    if (!stripe.mutex.TryLock()) return false;
    stripe.mutex.Unlock();
    return true;
  }
  void Say(std::string_view what, std::span<const std::string_view> words) {
    story_->append(" ").append(what);
    for (std::string_view word : words) story_->append(" ").append(word);
  }

  const std::string name_;
  Keyspace& keyspace_;
  std::string* const story_;
};

class ChangeFeedTest : public KeyspaceTest {
 protected:
  ChangeFeedTest() {
    TakeNoEvents();
    feed().Add(one_);
    feed().Add(other_);
  }
  ~ChangeFeedTest() override {
    feed().Remove(one_);
    feed().Remove(other_);
  }
  ChangeFeed& feed() { return keyspace_.feed(); }
  std::string Story() { return std::exchange(story_, ""); }

  std::string story_;
  Consumer one_{"one", keyspace_, &story_};
  Consumer other_{"other", keyspace_, &story_};
};

TEST_F(ChangeFeedTest, WhoWantsNothingIsToldNothing) {
  EXPECT_EQ(feed().wants(), ChangeConsumer::kNothing);
  Set(db(), "k", "v");
  EXPECT_EQ(Story(), "");
}

TEST_F(ChangeFeedTest, WhileItIsSilentNobodyIsTold) {
  feed().SetWants(one_, ChangeConsumer::kEvents);
  feed().set_silent(true);
  Set(db(), "k", "v");
  EXPECT_EQ(Story(), "");
  feed().set_silent(false);
  Set(db(), "k", "w");
  EXPECT_EQ(Story(), "one takes: set k; one goes on; ");
}

TEST_F(ChangeFeedTest, ABatchIsTakenUnderTheStripesAndFollowedUpAfterTheHold) {
  feed().SetWants(one_, ChangeConsumer::kResults);
  feed().SetWants(other_, ChangeConsumer::kEvents);
  Set(db(), "k", "v");
  EXPECT_EQ(Story(),
            "one takes: change k v set k; other takes: change k v set k; "
            "one goes on; other goes on; ");
}

TEST_F(ChangeFeedTest, ABatchCarriesOnlyWhatSomebodyWants) {
  feed().SetWants(other_, ChangeConsumer::kEvents);
  Set(db(), "k", "v");
  EXPECT_EQ(Story(), "other takes: set k; other goes on; ");
  feed().SetWants(other_, ChangeConsumer::kNothing);
  feed().SetWants(one_, ChangeConsumer::kResults);
  Delete(db(), "k");
  EXPECT_EQ(Story(), "one takes: change k; one goes on; ");
}

TEST_F(ChangeFeedTest, WhatOneHoldChangesIsOneBatch) {
  feed().SetWants(one_, ChangeConsumer::kEvents);
  Hold hold(kSlot);
  Database* const closed[] = {&db()};
  ASSERT_TRUE(hold.TryClose(closed, false));
  for (const char* key : {"a", "b"}) {
    WriteScope scope(hold, db(), key, KeyHash::Of(key), now_ms());
    MutableString(scope).Assign("v");
    scope.Changed("set");
  }
  EXPECT_EQ(Story(), "");
  hold.Release();
  EXPECT_EQ(Story(), "one takes freely: set a set b; one goes on; ");
}

TEST_F(ChangeFeedTest, UnderAPassAloneEveryScopeIsABatch) {
  feed().SetWants(one_, ChangeConsumer::kEvents);
  Set(db(), "k", "v", now_ms() + 1);
  Story();
  Advance(2);
  Hold hold(kSlot);
  ASSERT_TRUE(hold.TryPass(db()));
  Stripe& stripe = db().StripeOf(KeyHash::Of("k"));
  stripe.mutex.Lock();
  PeekKey(hold, db(), "k", KeyHash::Of("k"), now_ms());
  stripe.mutex.Unlock();
  EXPECT_EQ(Story(), "one takes: expired k; ");
  hold.Release();
  EXPECT_EQ(Story(), "one goes on; ");
}

TEST_F(ChangeFeedTest, ChangesOfWholeDatabasesReachThoseWhoWantEvents) {
  feed().SetWants(one_, ChangeConsumer::kEvents);
  Hold hold(kSlot);
  Database* const closed[] = {&db()};
  ASSERT_TRUE(hold.TryClose(closed, false));
  FlushDatabase(hold, db());
  hold.Release();
  EXPECT_EQ(Story(), "one takes freely: change; one goes on; ");
}

TEST_F(ChangeFeedTest, TheLogComesFirst) {
  class Log final : public ChangeLog {
   public:
    explicit Log(std::string* story) : story_(story) {}
    ChangePlace Reserve(const ChangeBatch&, SeenOffset*, GateSlot) override {
      *story_ += "log reserves; ";
      return {.end = 1};
    }
    void Complete(const ChangeBatch& batch, const ChangePlace& place) override {
      *story_ += "log writes " + std::to_string(batch.change_count()) + " up to " +
                 std::to_string(place.end) + "; ";
    }
    std::string* const story_;
  } log(&story_);
  feed().set_log(&log);
  feed().SetWants(one_, ChangeConsumer::kResults);
  Set(db(), "k", "v");
  EXPECT_EQ(Story(), "log reserves; one takes: change k v; log writes 1 up to 1; one goes on; ");
  feed().set_log(nullptr);
}

}  // namespace
}  // namespace cloakroom
