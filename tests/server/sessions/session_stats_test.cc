#include "server/sessions/session_stats.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace cloakroom {
namespace {

TEST(SharedHistogramTest, KnowsTheShareOfEachDuration) {
  SharedHistogram histogram;
  for (int64_t us = 1; us <= 1000; ++us) histogram.Add(us * 100);
  const Durations durations = histogram.Read();
  EXPECT_EQ(durations.total, 1000);
  EXPECT_EQ(histogram.total_us(), 50'050'000);
  EXPECT_NEAR(durations.PercentileUs(50), 50'000, 50'000 * 0.2);
  EXPECT_NEAR(durations.PercentileUs(99), 99'000, 99'000 * 0.2);
}

TEST(SharedHistogramTest, SeveralThreadsCount) {
  SharedHistogram histogram;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 10'000; ++n) histogram.Add(n);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(histogram.Read().total, 40'000);
  EXPECT_EQ(histogram.total_us(), 4 * 9'999 * 5'000);
}

TEST(SessionStatsTest, ResetForgetsEverything) {
  SessionStats stats;
  ++stats.opens;
  ++stats.plain_turns;
  stats.waits.Add(7);
  stats.Reset();
  EXPECT_EQ(stats.opens.Get(), 0);
  EXPECT_EQ(stats.plain_turns.Get(), 0);
  EXPECT_EQ(stats.waits.Read().total, 0);
  EXPECT_EQ(stats.waits.total_us(), 0);
}

}  // namespace
}  // namespace cloakroom
