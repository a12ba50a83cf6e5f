#include "server/persistence/background_work.h"

#include <optional>
#include <thread>

#include "gtest/gtest.h"
#include "tests/server/support/hand_runner.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_clock.h"

namespace cloakroom {
namespace {

using Kind = BackgroundWork::Kind;
using TakeOver = BackgroundWork::TakeOver;

class BackgroundWorkTest : public testing::Test {
 protected:
  Kind Begin(Kind kind) {
    return work_.Begin(
        kind,
        [this] {
          ++ran_;
          return work_.given_up() ? absl::CancelledError("given up") : absl::OkStatus();
        },
        [this](const absl::Status& status) {
          ended_ = status;
          under_way_at_end_ = work_.under_way();
        });
  }

  TestClock clock_;
  HandRunner runner_;
  BackgroundWork work_{clock_, runner_};
  int ran_ = 0;
  std::optional<absl::Status> ended_;
  Kind under_way_at_end_ = Kind::kRewrite;
};

TEST_F(BackgroundWorkTest, OneThingAtATime) {
  EXPECT_EQ(work_.under_way(), Kind::kNone);
  EXPECT_EQ(Begin(Kind::kRewrite), Kind::kNone);
  EXPECT_EQ(work_.under_way(), Kind::kRewrite);
  EXPECT_EQ(Begin(Kind::kSnapshot), Kind::kRewrite) << "it says what is under way";
  EXPECT_EQ(runner_.waiting(), 1U);
  runner_.RunNext();
  EXPECT_EQ(ran_, 1);
  EXPECT_EQ(Begin(Kind::kSnapshot), Kind::kNone);
}

TEST_F(BackgroundWorkTest, WhoeverBeganItIsToldWhenTheSlotIsFree) {
  Begin(Kind::kSnapshot);
  EXPECT_EQ(ended_, std::nullopt);
  runner_.RunNext();
  ASSERT_TRUE(ended_);
  EXPECT_OK(*ended_);
  EXPECT_EQ(under_way_at_end_, Kind::kNone);
}

TEST_F(BackgroundWorkTest, WhatIsUnderWayIsGivenUpForWhoeverTakesOver) {
  Begin(Kind::kRewrite);
  EXPECT_FALSE(work_.given_up());
  TakeOver turn(work_);
  EXPECT_TRUE(work_.given_up());
  EXPECT_FALSE(turn.Try()) << "it has not ended yet";
  runner_.RunNext();
  EXPECT_TRUE(absl::IsCancelled(*ended_));
  EXPECT_TRUE(turn.Try());
  EXPECT_TRUE(turn.Try()) << "and keeps it";
  EXPECT_FALSE(work_.given_up()) << "its own work is not";
}

TEST_F(BackgroundWorkTest, WhoeverHasTakenOverHasTheSlotUntilItGoes) {
  {
    TakeOver turn(work_);
    ASSERT_TRUE(turn.Try());
    EXPECT_EQ(work_.under_way(), Kind::kSnapshot);
    EXPECT_EQ(Begin(Kind::kSnapshot), Kind::kSnapshot);
    TakeOver second(work_);
    EXPECT_FALSE(second.Try());
    EXPECT_TRUE(work_.given_up()) << "the first is to end soon";
  }
  EXPECT_EQ(work_.under_way(), Kind::kNone);
  EXPECT_FALSE(work_.given_up()) << "nobody wants it any more";
  EXPECT_EQ(Begin(Kind::kSnapshot), Kind::kNone);
}

TEST_F(BackgroundWorkTest, WhoeverWaitsForTheSlotGetsItAtTheEndOfWhatIsUnderWay) {
  Begin(Kind::kSnapshot);
  std::thread taker([this] {
    TakeOver turn(work_);
    turn.Wait();
    EXPECT_EQ(ran_, 1);
    EXPECT_EQ(work_.under_way(), Kind::kSnapshot);
  });
  while (!work_.given_up()) std::this_thread::yield();
  runner_.RunNext();
  taker.join();
  work_.AwaitIdle();
  EXPECT_EQ(work_.under_way(), Kind::kNone);
}

TEST_F(BackgroundWorkTest, WhenSavingIsForgoneAllIsGivenUpForGood) {
  work_.ForgoSaving();
  EXPECT_TRUE(work_.saving_forgone());
  EXPECT_EQ(Begin(Kind::kSnapshot), Kind::kNone);
  runner_.RunNext();
  EXPECT_TRUE(absl::IsCancelled(*ended_));
  TakeOver turn(work_);
  EXPECT_TRUE(turn.Try());
  EXPECT_TRUE(work_.given_up());
}

TEST_F(BackgroundWorkTest, NothingBeginsWhileSomebodyActsInTheIdleSlot) {
  EXPECT_TRUE(work_.WhileIdle([] {}));
  Begin(Kind::kSnapshot);
  EXPECT_FALSE(work_.WhileIdle([] { FAIL(); }));
}

TEST_F(BackgroundWorkTest, ProgressSaysSinceWhenAndLeavesNoGapBeforeATakeOver) {
  EXPECT_EQ(work_.progress().kind, Kind::kNone);
  Begin(Kind::kRewrite);
  clock_.AdvanceMs(3'500);
  EXPECT_EQ(work_.progress().kind, Kind::kRewrite);
  EXPECT_EQ(work_.progress().seconds, 3);
  TakeOver turn(work_);
  runner_.RunNext();
  EXPECT_EQ(work_.progress().kind, Kind::kSnapshot) << "it follows at once";
}

}  // namespace
}  // namespace cloakroom
