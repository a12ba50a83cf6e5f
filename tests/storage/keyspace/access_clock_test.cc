#include "storage/keyspace/access_clock.h"

#include "absl/random/random.h"
#include "gtest/gtest.h"

namespace cloakroom::access_clock {
namespace {

constexpr int64_t kNow = 1'800'000'000'000;
constexpr int64_t kMinute = 60'000;

TEST(AccessClockTest, IdleTimeIsInSeconds) {
  uint32_t access = LruAt(kNow);
  EXPECT_EQ(IdleSeconds(access, kNow), 0);
  EXPECT_EQ(IdleSeconds(access, kNow + 90'000), 90);
  EXPECT_LE(access, kMask);
}

TEST(AccessClockTest, IdleTimeSurvivesTheClocksWrap) {
  int64_t last_second = (int64_t{kMask} + 1) * 1'000 - 1'000;
  EXPECT_EQ(IdleSeconds(LruAt(last_second), last_second + 5'000), 5);
}

TEST(AccessClockTest, ANewKeyHasAChance) {
  EXPECT_EQ(LfuDecayed(LfuNew(kNow), kNow, 1), kLfuInitial);
  EXPECT_LE(LfuNew(kNow), kMask);
}

TEST(AccessClockTest, TheCounterFallsByOneEachPeriod) {
  uint32_t access = LfuNew(kNow);
  EXPECT_EQ(LfuDecayed(access, kNow + 3 * kMinute, 1), 2);
  EXPECT_EQ(LfuDecayed(access, kNow + 3 * kMinute, 2), 4);
  EXPECT_EQ(LfuDecayed(access, kNow + 100 * kMinute, 1), 0);
  EXPECT_EQ(LfuDecayed(access, kNow + 100 * kMinute, 0), kLfuInitial);
}

TEST(AccessClockTest, TheFirstHitsAlwaysCount) {
  absl::InsecureBitGen random;
  uint32_t access = LfuNew(kNow);
  access = LfuTouched(access, kNow, 1, 10, random);
  EXPECT_EQ(LfuDecayed(access, kNow, 1), kLfuInitial + 1);
}

TEST(AccessClockTest, TheCounterGrowsWithTheLogarithmOfHits) {
  // Redis documents, for a factor of 10: about 10 after 100 hits, 18 after 1,000, 142 after
  // 100,000. A single counter varies widely; the mean of many does not.
  constexpr int kCounters = 100;
  absl::InsecureBitGen random;
  auto mean_after = [&](int hits) {
    int sum = 0;
    for (int i = 0; i < kCounters; ++i) {
      uint32_t access = LfuNew(kNow);
      for (int hit = 0; hit < hits; ++hit) access = LfuTouched(access, kNow, 1, 10, random);
      sum += LfuDecayed(access, kNow, 1);
    }
    return static_cast<double>(sum) / kCounters;
  };
  EXPECT_NEAR(mean_after(100), 10, 2.5);
  EXPECT_NEAR(mean_after(1'000), 18, 3.5);
  EXPECT_NEAR(mean_after(100'000), 142, 10);
}

TEST(AccessClockTest, TheCounterEndsAt255) {
  absl::InsecureBitGen random;
  uint32_t access = LfuNew(kNow);
  for (int i = 0; i < 400; ++i) access = LfuTouched(access, kNow, 1, 0, random);
  EXPECT_EQ(LfuDecayed(access, kNow, 1), 255);
}

TEST(AccessClockTest, ATouchAppliesTheDecayFirst) {
  absl::InsecureBitGen random;
  uint32_t access = LfuNew(kNow);
  access = LfuTouched(access, kNow + 4 * kMinute, 1, 10, random);
  EXPECT_EQ(LfuDecayed(access, kNow + 4 * kMinute, 1), 2);
}

TEST(AccessClockTest, TheMinuteWrapsToo) {
  int64_t last_minute = int64_t{0xffff} * kMinute;
  EXPECT_EQ(LfuDecayed(LfuNew(last_minute), last_minute + 2 * kMinute, 1), kLfuInitial - 2);
}

TEST(AccessClockTest, WhatWasRecordedIsRestoredUnderThePolicyThatKeepsIt) {
  EXPECT_EQ(IdleSeconds(Restored({.idle_seconds = 70}, /*uses_lfu=*/false, kNow), kNow), 70);
  EXPECT_EQ(IdleSeconds(Restored({.lfu_counter = 70}, /*uses_lfu=*/false, kNow), kNow), 0);
  EXPECT_EQ(IdleSeconds(Restored({.idle_seconds = INT64_MAX}, false, kNow), kNow), kMask);
  EXPECT_EQ(LfuDecayed(Restored({.lfu_counter = 70}, /*uses_lfu=*/true, kNow), kNow, 1), 70);
  EXPECT_EQ(Restored({.idle_seconds = 70}, /*uses_lfu=*/true, kNow), LfuNew(kNow));
}

}  // namespace
}  // namespace cloakroom::access_clock
