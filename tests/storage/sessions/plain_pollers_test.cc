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

TEST_F(PlainPollersTest, TheOldestIsTheOneThatCameFirst) {
  PollUntil(1, 1500);
  pollers_.Note(2, 1600);
  pollers_.Note(1, 1900);
  EXPECT_TRUE(Due(2000));
  pollers_.Remove(1);
  EXPECT_FALSE(Due(2000));
  pollers_.Note(2, 2600);
  pollers_.Note(2, 3500);
  EXPECT_FALSE(Due(3599));
  EXPECT_TRUE(Due(3600));
}

TEST_F(PlainPollersTest, WhoStoppedPollingDoesNotCount) {
  PollUntil(1, 1500);
  EXPECT_TRUE(Due(1500 + PlainPollers::kStillPollsMs - 1));
  EXPECT_FALSE(Due(1500 + PlainPollers::kStillPollsMs));
}

TEST_F(PlainPollersTest, WhoPollsAgainAfterAPauseBeginsAnew) {
  PollUntil(1, 1500);
  pollers_.Note(1, 3000);
  EXPECT_FALSE(Due(3000));
  pollers_.Note(1, 4000);
  EXPECT_TRUE(Due(5000));
}

TEST_F(PlainPollersTest, BetweenTurnsLiesThePatience) {
  PollUntil(1, 2000);
  EXPECT_TRUE(Due(2000));
  pollers_.TurnBegan(2000);
  PollUntil(1, 3500);
  EXPECT_FALSE(Due(3999));
  EXPECT_TRUE(Due(4000));
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
