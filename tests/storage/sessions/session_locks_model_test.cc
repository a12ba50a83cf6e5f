// Session locks with all their users, in random orders, beside a simple model: session_world.h.
//
// CLOAKROOM_SESSION_STEPS: how many events each seed gets instead of the usual few.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/storage/support/session_world.h"

namespace cloakroom {
namespace {

int64_t Steps(int64_t usual) {
  const char* const asked = std::getenv("CLOAKROOM_SESSION_STEPS");
  return asked == nullptr ? usual : std::atoll(asked);
}

class SessionLocksModelTest : public testing::TestWithParam<unsigned> {};

TEST_P(SessionLocksModelTest, DoWhatTheModelDoes) { SessionWorld(GetParam()).Run(Steps(20'000)); }

INSTANTIATE_TEST_SUITE_P(Seeds, SessionLocksModelTest, testing::Range(0u, 20u));

/// Or the model would say little.
TEST(SessionLocksCoverageTest, TheModelMeetsEveryEventInEveryState) {
  SessionWorld world(1000);
  world.Run(Steps(300'000));
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
