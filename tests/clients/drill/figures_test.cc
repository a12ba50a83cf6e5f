#include "clients/drill/figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cloakroom::drill {
namespace {

using ::testing::ElementsAre;

TEST(FiguresTest, OutageIsTheLongestTimeBetweenSuccessesThatEndsAfterTheAct) {
  const std::vector<int64_t> successes = {0, 900, 1000, 1200, 1900, 2000};
  const Outage outage = OutageOf(successes, 1000, 1900, 2100);
  EXPECT_TRUE(outage.back);
  EXPECT_EQ(outage.from_ms, 1200);
  EXPECT_EQ(outage.to_ms, 1900);
  EXPECT_EQ(outage.ms(), 700);
}

TEST(FiguresTest, OutageMayHaveBegunBeforeTheAct) {
  EXPECT_EQ(OutageOf(std::vector<int64_t>{100, 900}, 500, 800, 1000).from_ms, 100);
}

TEST(FiguresTest, WhoIsNotBackIsOutUntilTheEnd) {
  const Outage outage = OutageOf(std::vector<int64_t>{100, 1100}, 1000, 4000, 5000);
  EXPECT_FALSE(outage.back);
  EXPECT_EQ(outage.from_ms, 1100);
  EXPECT_EQ(outage.to_ms, 5000);
  EXPECT_EQ(OutageOf({}, 1000, 4000, 5000).ms(), 5000);
  EXPECT_FALSE(OutageOf({}, 1000, 0, 5000).back);
}

TEST(FiguresTest, PercentileIsTheNearestRank) {
  EXPECT_EQ(Percentile({}, 0.5), 0);
  EXPECT_EQ(Percentile({7}, 0.5), 7);
  EXPECT_EQ(Percentile({3, 1, 2}, 0.5), 2);
  EXPECT_EQ(Percentile({4, 3, 2, 1}, 0.5), 2);
  EXPECT_EQ(Percentile({1, 2, 3, 4}, 1), 4);
  EXPECT_EQ(Percentile({1, 2, 3, 4}, 0), 1);
  EXPECT_EQ(Percentile({1, 2, 3, 4}, 0.95), 4);
}

TEST(FiguresTest, TimesAreCountedByInterval) {
  EXPECT_THAT(CountByInterval(std::vector<int64_t>{0, 999, 1000, 2500, 9999}, 1000, 2500),
              ElementsAre(2, 1, 2));
  EXPECT_THAT(CountByInterval({}, 1000, 0), ElementsAre(0));
}

}  // namespace
}  // namespace cloakroom::drill
