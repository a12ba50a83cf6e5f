#include "storage/base/stepped_sum.h"

#include <array>
#include <cstdlib>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace cloakroom {
namespace {

constexpr int64_t kStep = SteppedSum::kStep;

TEST(SteppedSumTest, ItIsTheSumOfWhatWasPublished) {
  SteppedSum sum;
  SteppedSum::Part one;
  SteppedSum::Part other;
  EXPECT_EQ(sum.sum(), 0);
  sum.Publish(one, 100);
  sum.Publish(other, -30);
  EXPECT_EQ(sum.sum(), 70);
  sum.Publish(one, 40);
  sum.Publish(one, 40);
  EXPECT_EQ(sum.sum(), 10);
}

TEST(SteppedSumTest, LessThanAStepIsNotPublished) {
  SteppedSum sum;
  SteppedSum::Part part;
  sum.PublishStep(part, kStep - 1);
  EXPECT_EQ(sum.sum(), 0);
  sum.PublishStep(part, kStep);
  EXPECT_EQ(sum.sum(), kStep);
  sum.PublishStep(part, 1);
  EXPECT_EQ(sum.sum(), kStep);
  sum.PublishStep(part, 0);
  EXPECT_EQ(sum.sum(), 0);
}

TEST(SteppedSumTest, WhoAsksKnowsItsOwnFigureExactly) {
  SteppedSum sum;
  SteppedSum::Part own;
  SteppedSum::Part other;
  sum.Publish(other, 7);
  sum.PublishStep(own, 5);
  EXPECT_EQ(sum.sum(), 7);
  EXPECT_EQ(sum.SumWith(own, 5), 12);
}

TEST(SteppedSumTest, ItIsNeverWrongByMoreThanAStepForEachThread) {
  SteppedSum sum;
  std::array<SteppedSum::Part, 4> parts;
  std::array<int64_t, 4> figures{};
  int64_t exact = 0;
  uint64_t random = 1;
  for (int i = 0; i < 100'000; ++i) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    const size_t which = random >> 62;
    const auto change = static_cast<int64_t>((random >> 40) % 9000) - 4000;
    figures[which] += change;
    exact += change;
    sum.PublishStep(parts[which], figures[which]);
    ASSERT_LT(std::abs(sum.sum() - exact), 4 * kStep);
  }
}

TEST(SteppedSumTest, WhatOthersPublishMeanwhileCountsOnce) {
  constexpr int kTimes = 20'000;
  SteppedSum sum;
  SteppedSum::Part part;
  std::atomic<int64_t> figure = 0;
  std::thread other([&] {
    for (int i = 0; i < kTimes; ++i) sum.Publish(part, figure);
  });
  for (int i = 0; i < kTimes; ++i) sum.Publish(part, figure += 3);
  other.join();
  sum.Publish(part, figure);
  EXPECT_EQ(sum.sum(), 3 * kTimes);
}

}  // namespace
}  // namespace cloakroom
