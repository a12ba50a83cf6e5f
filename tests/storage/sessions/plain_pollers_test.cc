#include "storage/sessions/plain_pollers.h"

#include <gtest/gtest.h>

#include "storage/base/clock.h"

namespace cloakroom {
namespace {

constexpr int64_t kPatience = 2000;

class PlainPollersTest : public testing::Test {
 protected:
  void PollUntil(uint64_t connection, int64_t until_ms) {
    for (; now_ms_ < until_ms; now_ms_ += 500) pollers_.Note(connection, now_ms_);
    now_ms_ = until_ms;
    pollers_.Note(connection, now_ms_);
  }
  bool Due(int64_t now_ms) const { return pollers_.Due(now_ms, kPatience); }

  int64_t now_ms_ = 0;
  PlainPollers pollers_;
};

TEST_F(PlainPollersTest, NobodyIsDue) {
  EXPECT_FALSE(pollers_.Due(1'000'000, 0));
  EXPECT_EQ(pollers_.ForgottenAt(), kNever);
}

TEST_F(PlainPollersTest, ATurnIsDueWhenTheOldestHasBeenPatient) {
  PollUntil(1, 1500);
  EXPECT_FALSE(Due(1999));
  EXPECT_TRUE(Due(2000));
}

TEST_F(PlainPollersTest, ATurnIsDueWhenWhoPollsNextHasBeenPatient) {
  PollUntil(1, 1500);
  pollers_.Note(2, 1600);
  pollers_.Note(1, 1950);
  EXPECT_FALSE(Due(2050)) << "the other one would take it";
  pollers_.Note(2, 2100);
  EXPECT_TRUE(Due(2150));
  pollers_.Remove(1);
  EXPECT_FALSE(Due(2150));
}

TEST_F(PlainPollersTest, AfterHalfAsLongAgainAnyoneMayTakeIt) {
  PollUntil(1, 2500);
  pollers_.Note(2, 2400);
  pollers_.Note(1, 2950);
  EXPECT_FALSE(Due(2999));
  EXPECT_TRUE(Due(3000));
}

TEST_F(PlainPollersTest, WhoIsLateIsNotExpected) {
  PollUntil(1, 1500);
  EXPECT_TRUE(Due(1500 + PlainPollers::kTickMs));
  EXPECT_FALSE(Due(1500 + PlainPollers::kTickMs + 1));
}

TEST_F(PlainPollersTest, WhoStoppedPollingDoesNotCount) {
  PollUntil(1, 3500);
  EXPECT_TRUE(Due(3500 + PlainPollers::kStillPollsMs - 1));
  EXPECT_FALSE(Due(3500 + PlainPollers::kStillPollsMs));
}

TEST_F(PlainPollersTest, WhoPollsAgainAfterAPauseBeginsAnew) {
  PollUntil(1, 1500);
  pollers_.Note(1, 3000);
  EXPECT_FALSE(Due(3000));
  pollers_.Note(1, 4000);
  pollers_.Note(1, 4900);
  EXPECT_FALSE(Due(4999));
  EXPECT_TRUE(Due(5000));
}

TEST_F(PlainPollersTest, AfterATurnThatNobodyTookLiesThePatience) {
  PollUntil(1, 2000);
  pollers_.TurnBegan(2000);
  PollUntil(1, 3900);
  EXPECT_FALSE(Due(3999));
  EXPECT_TRUE(Due(4000));
  pollers_.TurnBegan(4000);
  pollers_.TurnTaken();
  EXPECT_TRUE(Due(4000)) << "for the next one";
}

TEST_F(PlainPollersTest, AreForgottenWhenTheLastOneHasStopped) {
  pollers_.Note(1, 100);
  pollers_.Note(2, 300);
  EXPECT_EQ(pollers_.ForgottenAt(), 300 + PlainPollers::kStillPollsMs);
  pollers_.Forget(299 + PlainPollers::kStillPollsMs);
  EXPECT_FALSE(pollers_.empty());
  pollers_.Forget(300 + PlainPollers::kStillPollsMs);
  EXPECT_TRUE(pollers_.empty());
}

TEST_F(PlainPollersTest, TakeBoundedMemory) {
  for (uint64_t connection = 1; connection <= 10'000; ++connection) pollers_.Note(connection, 0);
  EXPECT_LE(pollers_.bytes(), PlainPollers::kMost * 32);
  pollers_.Remove(1);
  pollers_.Note(10'001, 10);
  pollers_.Forget(PlainPollers::kStillPollsMs);
  EXPECT_FALSE(pollers_.empty()) << "when one has left, another one is noted";
}

}  // namespace
}  // namespace cloakroom
