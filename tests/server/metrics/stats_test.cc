#include "server/metrics/stats.h"

#include "gtest/gtest.h"

namespace cloakroom {
namespace {

TEST(LatencyHistogramTest, ADurationFallsIntoABucketThatHoldsIt) {
  for (int64_t us : {1, 2, 3, 4, 5, 7, 8, 100, 1000, 12345, 999'999, 1'000'000'000}) {
    int bucket = LatencyHistogram::BucketOf(us);
    EXPECT_GE(LatencyHistogram::UpperUs(bucket), us) << us;
    EXPECT_LE(LatencyHistogram::UpperUs(bucket), us + us / 4 + 1) << us;
  }
}

TEST(LatencyHistogramTest, BucketsAscend) {
  int last = 0;
  for (int64_t us = 0; us < 100'000; us += 7) {
    int bucket = LatencyHistogram::BucketOf(us);
    EXPECT_GE(bucket, last);
    last = bucket;
  }
}

TEST(LatencyHistogramTest, TheLongestDurationsShareTheLastBucket) {
  EXPECT_EQ(LatencyHistogram::BucketOf(INT64_MAX), LatencyHistogram::kBuckets - 1);
}

TEST(LatencyHistogramTest, ResetForgets) {
  LatencyHistogram histogram;
  histogram.Add(5);
  EXPECT_EQ(histogram.count(LatencyHistogram::BucketOf(5)), 1);
  histogram.Reset();
  EXPECT_EQ(histogram.count(LatencyHistogram::BucketOf(5)), 0);
}

TEST(ThreadStatsTest, ResetSetsEveryCounterBack) {
  ThreadStats stats(2);
  stats.commands += 3;
  stats.keyspace_hits += 1;
  stats.per_command[1].calls += 1;
  stats.per_command[1].usec += 9;
  stats.Reset();
  EXPECT_EQ(stats.commands, 0);
  EXPECT_EQ(stats.keyspace_hits, 0);
  EXPECT_EQ(stats.per_command[1].calls, 0);
  EXPECT_EQ(stats.per_command[1].usec, 0);
}

TEST(ErrorStatsTest, CountsByCodeAndSorts) {
  ErrorStats errors;
  errors.Count("WRONGTYPE");
  errors.Count("ERR");
  errors.Count("ERR");
  std::vector<std::pair<std::string, int64_t>> expected = {{"ERR", 2}, {"WRONGTYPE", 1}};
  EXPECT_EQ(errors.Sorted(), expected);
  errors.Reset();
  EXPECT_TRUE(errors.Sorted().empty());
}

TEST(ErrorStatsTest, ClientsCannotFillItWithCodesOfTheirOwn) {
  ErrorStats errors;
  for (size_t i = 0; i < 2 * ErrorStats::kMaxCodes; ++i) errors.Count("E" + std::to_string(i));
  EXPECT_EQ(errors.Sorted().size(), ErrorStats::kMaxCodes);
  errors.Count("E0");
  EXPECT_EQ(errors.Sorted().front().second, 2);
}

}  // namespace
}  // namespace cloakroom
