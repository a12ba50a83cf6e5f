// Session locks with all their users, in random orders, beside a simple model: session_world.h.
// What fails is shrunk to few steps.
//
// CLOAKROOM_SESSION_STEPS: how many events each seed gets instead of the usual few.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/storage/support/session_world.h"

namespace cloakroom {
namespace {

using Steps = SessionWorld::Steps;

// Ten million in all. ThreadSanitizer, which learns nothing from one thread, does fewer.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CLOAKROOM_UNDER_TSAN
#endif
#endif
#ifdef CLOAKROOM_UNDER_TSAN
constexpr int64_t kUsualSteps = 20'000;
#else
constexpr int64_t kUsualSteps = 500'000;
#endif

int64_t StepCount(int64_t usual) {
  const char* const asked = std::getenv("CLOAKROOM_SESSION_STEPS");
  return asked == nullptr ? usual : std::atoll(asked);
}

/// A run, whose failures are kept from the test.
struct Attempt {
  Attempt(unsigned seed, const Steps& steps) {
    testing::TestPartResultArray results;
    {
      const testing::ScopedFakeTestPartResultReporter keeps(
          testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
      SessionWorld world(seed);
      done = world.Run(steps, [&] { return results.size() > 0; });
      trace = world.Traced();
    }
    if (results.size() > 0) failure = results.GetTestPartResult(0).message();
  }

  size_t done;          ///< steps
  std::string failure;  ///< empty: there was none
  std::string trace;
};

/// Leaves out what the failure does not need.
Steps Shrunk(unsigned seed, Steps steps) {
  constexpr int kMostRuns = 5000;
  int runs = 0;
  for (size_t part = steps.size() / 2; part > 0; part /= 2) {
    for (size_t at = 0; at < steps.size() && runs < kMostRuns; ++runs) {
      Steps fewer(steps.begin(), steps.begin() + static_cast<ptrdiff_t>(at));
      if (at + part < steps.size())
        fewer.insert(fewer.end(), steps.begin() + static_cast<ptrdiff_t>(at + part), steps.end());
      const Attempt attempt(seed, fewer);
      if (attempt.failure.empty()) {
        at += part;
        continue;
      }
      fewer.resize(attempt.done);
      steps = std::move(fewer);
    }
  }
  return steps;
}

void ExpectNoFailure(unsigned seed, int64_t count) {
  Steps steps = SessionWorld::FirstSteps(count);
  const Attempt first(seed, steps);
  if (first.failure.empty()) return;
  steps.resize(first.done);
  const Attempt last(seed, Shrunk(seed, steps));
  ADD_FAILURE() << "seed " << seed << ", step " << first.done << ": " << first.failure
                << "\nshrunk to " << last.done << " steps: " << last.failure << last.trace;
}

class SessionLocksModelTest : public testing::TestWithParam<unsigned> {};

TEST_P(SessionLocksModelTest, DoWhatTheModelDoes) {
  ExpectNoFailure(GetParam(), StepCount(kUsualSteps));
}

INSTANTIATE_TEST_SUITE_P(Seeds, SessionLocksModelTest, testing::Range(0u, 20u));

/// Or the model would say little.
TEST(SessionLocksCoverageTest, TheModelMeetsEveryEventInEveryState) {
  SessionWorld world(1000);
  world.Run(SessionWorld::FirstSteps(StepCount(300'000)),
            [] { return testing::Test::HasFailure(); });
  for (size_t row = 0; row < SessionWorld::kRows; ++row) {
    for (size_t state = 0; state < SessionWorld::kStates; ++state) {
      const bool nobody_waits = state == static_cast<size_t>(SessionLock::State::kFree) &&
                                (row == SessionWorld::kLeaves || row == SessionWorld::kTimer);
      const int64_t met = world.met().cells[row][state];
      EXPECT_EQ(met > 0, !nobody_waits) << "row " << row << ", state " << state << ": " << met;
    }
  }
  for (const int64_t met : world.met().commits) EXPECT_GT(met, 100);
}

}  // namespace
}  // namespace cloakroom
