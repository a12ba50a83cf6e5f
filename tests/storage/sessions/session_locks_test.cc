#include "storage/sessions/session_locks.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/sessions/session_lock.h"

namespace cloakroom {
namespace {

class SessionLocksTest : public testing::Test {
 protected:
  ~SessionLocksTest() override {
    locks_.ForEach([this](std::string_view, SessionLocks::Use& use) { use->Demote(context_); });
  }
  SessionWaiter& Client(uint64_t connection, int64_t lease_ms = 1000) {
    clients_.push_back(std::make_unique<SessionWaiter>(
        SessionClient{connection, "web1|5042", "GET /checkout/cart/"}, lease_ms));
    return *clients_.back();
  }
  SessionOpened Open(std::string_view key, SessionWaiter& client) {
    return locks_.Get(key)->Open(client, {}, context_, {});
  }

  SessionFences fences_{0};
  SessionContext context_{.fences = &fences_};
  SessionLocks locks_;
  std::vector<std::unique_ptr<SessionWaiter>> clients_;
};

TEST_F(SessionLocksTest, IsAPointerUntilItIsUsed) {
  EXPECT_EQ(sizeof(SessionLocks), sizeof(void*));
  EXPECT_TRUE(locks_.empty());
  EXPECT_FALSE(locks_.Find("k"));
  EXPECT_EQ(locks_.bytes(), 0u);
}

TEST_F(SessionLocksTest, AKeyHasARecordWhileItIsHeld) {
  EXPECT_EQ(Open("k", Client(1)).fence, 1);
  EXPECT_EQ(locks_.size(), 1u);
  ASSERT_TRUE(locks_.Find("k"));
  EXPECT_EQ(locks_.Find("k")->holder()->fence, 1);
  EXPECT_FALSE(locks_.Find("l"));
  locks_.Find("k")->Release(1, {}, context_);
  EXPECT_TRUE(locks_.empty());
}

TEST_F(SessionLocksTest, ALookThatChangesNothingLeavesNoRecord) {
  EXPECT_EQ(locks_.Get("k")->Decide({7}, {}), CommitCase::kFenced);
  EXPECT_TRUE(locks_.empty());
}

TEST_F(SessionLocksTest, ARecordThatIsUsedTwiceStays) {
  auto outer = locks_.Get("k");
  {
    auto inner = locks_.Get("k");
  }
  EXPECT_EQ(outer->state(), SessionLock::State::kFree);
  auto moved = std::move(outer);
  EXPECT_EQ(locks_.size(), 1u);
  EXPECT_EQ(moved->Open(Client(1), {}, context_, {}).fence, 1);
}

TEST_F(SessionLocksTest, FencesOfAllKeysAndStripesAreOneSequence) {
  Open("k", Client(1));
  locks_.Find("k")->Release(1, {}, context_);
  EXPECT_EQ(Open("k", Client(2)).fence, 2);
  EXPECT_EQ(Open("l", Client(3)).fence, 3);
  SessionLocks other;
  EXPECT_EQ(other.Get("k")->Open(Client(4), {}, context_, {}).fence, 4);
  other.Get("k")->Demote(context_);
}

TEST_F(SessionLocksTest, WhyAFenceIsNotGoodOutlivesItsRecord) {
  Open("k", Client(1));
  locks_.Find("k")->Replaced({}, context_);
  EXPECT_TRUE(locks_.empty());
  EXPECT_EQ(locks_.Get("k")->WhyFenced({1}, {}, context_).reason, FencedReason::kDeleted);
  locks_.Sweep(context_.now_ms + FencedNotes::kKeepMs);
  EXPECT_EQ(locks_.Get("k")->WhyFenced({1}, {}, context_).reason, FencedReason::kUnknown);
}

TEST_F(SessionLocksTest, AHeldLockTakesLittleMemory) {
  constexpr size_t kLocks = 448;  // seven eighths of 512 slots
  for (size_t i = 0; i < kLocks; ++i) {
    Open("sess_0123456789abcdef0123456" + std::to_string(100 + i), Client(i + 1));
  }
  EXPECT_LE(locks_.bytes() / kLocks, 320u);
  EXPECT_GE(locks_.bytes() / kLocks, sizeof(SessionLock));
}

TEST_F(SessionLocksTest, MemoryIsGivenBack) {
  for (uint64_t i = 1; i <= 1000; ++i) Open("k" + std::to_string(i), Client(i));
  const size_t full = locks_.bytes();
  locks_.ForEach([this](std::string_view, SessionLocks::Use& use) {
    use->Drop(use->holder()->client.connection, {}, context_);
  });
  EXPECT_TRUE(locks_.empty());
  EXPECT_LT(locks_.bytes(), full / 100);
}

TEST_F(SessionLocksTest, VisitsEveryRecord) {
  for (uint64_t i = 1; i <= 100; ++i) Open("k" + std::to_string(i), Client(i));
  size_t visited = 0;
  locks_.ForEach([&](std::string_view key, SessionLocks::Use& use) {
    ++visited;
    EXPECT_EQ(key, "k" + std::to_string(use->holder()->client.connection));
    if (use->holder()->client.connection % 2 == 0) use->Replaced({}, context_);
  });
  EXPECT_EQ(visited, 100u);
  EXPECT_EQ(locks_.size(), 50u);
  EXPECT_TRUE(locks_.Find("k1"));
  EXPECT_FALSE(locks_.Find("k2"));
}

TEST_F(SessionLocksTest, AFlushGrantsEveryHead) {
  SessionWaiter& head = Client(2);
  Open("k", Client(1));
  Open("k", head);
  Open("l", Client(3));
  std::vector<SessionWaiter*> granted;
  locks_.ForEach([&](std::string_view, SessionLocks::Use& use) {
    if (SessionWaiter* waiter = use->Replaced({}, context_).granted) granted.push_back(waiter);
  });
  EXPECT_EQ(granted, std::vector<SessionWaiter*>{&head});
  EXPECT_EQ(locks_.size(), 1u);
}

TEST_F(SessionLocksTest, ASweepForgetsPollersAndTurns) {
  Open("k", Client(1));
  {
    auto use = locks_.Find("k");
    use->BeforeForeignWrite({});
    use->AfterForeignWrite({.exists = true, .lock = kPublishedLock + 1, .pid = "web1|5042|0"}, 9,
                           context_);
    use->Release(1, {.exists = true}, context_);
  }
  EXPECT_EQ(locks_.size(), 1u) << "kept for the poller";
  locks_.Sweep(context_.now_ms + PlainPollers::kStillPollsMs - 1);
  EXPECT_EQ(locks_.size(), 1u);
  locks_.Sweep(context_.now_ms + PlainPollers::kStillPollsMs);
  EXPECT_TRUE(locks_.empty());
}

// ---- whose timer

TEST_F(SessionLocksTest, ANewHeadNeedsATimer) {
  Open("k", Client(1));
  SessionWaiter& second = Client(2);
  SessionWaiter& third = Client(3);
  {
    auto use = locks_.Get("k");
    EXPECT_EQ(use.NeedsTimer(), nullptr);
    use->Open(second, {}, context_, {});
    EXPECT_EQ(use.NeedsTimer(), &second);
  }
  {
    auto use = locks_.Get("k");
    use->Open(third, {}, context_, {});
    EXPECT_EQ(use.NeedsTimer(), nullptr);
  }
  auto use = locks_.Get("k");
  use->Leave(second, {}, context_);
  EXPECT_EQ(use.NeedsTimer(), &third);
}

TEST_F(SessionLocksTest, ANearerDeadlineNeedsATimer) {
  Open("k", Client(1));
  SessionWaiter& second = Client(2);
  Open("k", second);
  {
    auto use = locks_.Get("k");
    use->Renew(1, std::nullopt, context_.now_ms + 10);
    EXPECT_EQ(use.NeedsTimer(), nullptr) << "a later one is seen when the timer rings";
  }
  auto use = locks_.Get("k");
  use->Renew(1, 5, context_.now_ms + 10);
  EXPECT_EQ(use.NeedsTimer(), &second);
}

TEST_F(SessionLocksTest, ADeliveryStartsTheTimerOfTheNextHead) {
  SessionWaiter& second = Client(2);
  SessionWaiter& third = Client(3);
  Open("k", Client(1));
  Open("k", second);
  Open("k", third);
  {
    auto use = locks_.Get("k");
    EXPECT_EQ(use->Release(1, {}, context_)->granted, &second);
    EXPECT_EQ(use.NeedsTimer(), nullptr);
  }
  auto use = locks_.Get("k");
  use->Open(second, {}, context_, {});
  EXPECT_EQ(use.NeedsTimer(), &third);
}

}  // namespace
}  // namespace cloakroom
