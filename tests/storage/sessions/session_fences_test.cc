#include "storage/sessions/session_fences.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <thread>
#include <vector>

namespace cloakroom {
namespace {

constexpr int64_t kMs = 1'796'000'000'000;  // in the year 2026
constexpr int64_t kPerMs = SessionFences::kPerMs;
constexpr int64_t kDay = SessionFences::kDayMs * kPerMs;

TEST(SessionFencesTest, FollowTheClock) {
  SessionFences fences(7);
  EXPECT_EQ(fences.last(), 0);
  EXPECT_EQ(fences.Next(kMs, 0), kMs * kPerMs + 7);
  EXPECT_EQ(fences.Next(kMs + 1, 0), (kMs + 1) * kPerMs + 7);
}

TEST(SessionFencesTest, CountOnWithinAMillisecondAndWhenTheClockGoesBack) {
  SessionFences fences(7);
  const int64_t first = fences.Next(kMs, 0);
  EXPECT_EQ(fences.Next(kMs, 0), first + 1);
  EXPECT_EQ(fences.Next(kMs - 60'000, 0), first + 2);
  EXPECT_EQ(fences.last(), first + 2);
}

TEST(SessionFencesTest, TheFirstIsOneAtLeast) {
  EXPECT_EQ(SessionFences(0).Next(0, 0), 1);
  EXPECT_EQ(SessionFences(0).Next(-5, -5), 1);
  EXPECT_EQ(SessionFences(0).Next(std::numeric_limits<int64_t>::min(), 0), 1);
}

TEST(SessionFencesTest, ExceedTheFenceInTheHash) {
  SessionFences fences(0);
  const int64_t clock = kMs * kPerMs;
  EXPECT_EQ(fences.Next(kMs, clock + 500), clock + 501);
  EXPECT_EQ(fences.Next(kMs, clock + kDay - 1), clock + kDay);
}

TEST(SessionFencesTest, AFenceADayAheadDoesNotCount) {
  SessionFences fences(0);
  EXPECT_EQ(fences.Next(kMs, kMs * kPerMs + kDay), kMs * kPerMs);
  EXPECT_EQ(fences.Next(kMs, kMaxFence), kMs * kPerMs + 1);
  EXPECT_EQ(fences.Next(kMs, std::numeric_limits<int64_t>::max()), kMs * kPerMs + 2);
}

TEST(SessionFencesTest, AHashCannotUseUpTheNumbers) {
  SessionFences fences(0);
  for (int i = 0; i < 1000; ++i) fences.Next(kMs, fences.last() + kDay - 1);
  EXPECT_LE(fences.last(), kMs * kPerMs + kDay + 1000);
}

TEST(SessionFencesTest, PastTheLastYearTheyCountOn) {
  SessionFences fences(SessionFences::kStarts - 1);
  const int64_t end = std::numeric_limits<int64_t>::max();
  const int64_t last = fences.Next(end, 0);
  EXPECT_LT(last, kMaxFence - kDay);
  EXPECT_EQ(fences.Next(end, 0), last + 1);
  EXPECT_LT(fences.Next(end, last + kDay - 10), kMaxFence);
}

TEST(SessionFencesTest, ANewProcessIsAboveAnEarlierOne) {
  SessionFences before(SessionFences::kStarts - 1);
  int64_t last = 0;
  for (int i = 0; i < 1000; ++i) last = before.Next(kMs, 0);
  EXPECT_GT(SessionFences(0).Next(kMs + 1, 0), last);
}

TEST(SessionFencesTest, ThreadsGetDifferentOnes) {
  constexpr size_t kEach = 2'000;
  SessionFences fences(0);
  std::vector<int64_t> given[2];
  const auto draw = [&fences](std::vector<int64_t>& into) {
    for (size_t i = 0; i < kEach; ++i) into.push_back(fences.Next(kMs, 0));
  };
  std::thread other(draw, std::ref(given[1]));
  draw(given[0]);
  other.join();
  for (const auto& fences_of_one : given)
    EXPECT_TRUE(std::is_sorted(fences_of_one.begin(), fences_of_one.end()));
  given[0].insert(given[0].end(), given[1].begin(), given[1].end());
  std::sort(given[0].begin(), given[0].end());
  EXPECT_EQ(std::unique(given[0].begin(), given[0].end()), given[0].end());
}

}  // namespace
}  // namespace cloakroom
