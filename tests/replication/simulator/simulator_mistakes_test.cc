// The simulation proves itself: servers that make a mistake on purpose must be found out.

#include <gtest/gtest.h>

#include <string>

#include "tests/replication/simulator/sim_run.h"

namespace cloakroom {
namespace {

constexpr int kSteps = 1500;

/// The first seed whose run shows that the servers make the mistake; 0: none does.
uint64_t SeedThatFinds(SimMistake mistake, uint64_t most_seeds) {
  for (uint64_t seed = 1; seed <= most_seeds; ++seed) {
    if (!Simulate(seed, SimWorld::StepsOf(seed, kSteps), mistake).failure.empty()) return seed;
  }
  return 0;
}

class SimulatorMistakesTest : public testing::TestWithParam<SimMistake> {};

TEST_P(SimulatorMistakesTest, IsFound) {
  const uint64_t seed = SeedThatFinds(GetParam(), 1000);
  ASSERT_NE(seed, 0u);
  const SimWorld::Steps steps = SimWorld::StepsOf(seed, kSteps);
  EXPECT_EQ(Simulate(seed, steps).failure, "") << "the mistake was the only one";
  RecordProperty("seed", std::to_string(seed));
  RecordProperty("failure", Simulate(seed, steps, GetParam()).failure);
}

INSTANTIATE_TEST_SUITE_P(
    All, SimulatorMistakesTest,
    testing::Values(SimMistake::kGrantsBehindTail, SimMistake::kGrantsBeforeBacklog,
                    SimMistake::kSecondIdTooLong, SimMistake::kSecondIdTooShort,
                    SimMistake::kAcknowledgesReceived, SimMistake::kKeepsTornRecord,
                    SimMistake::kPromotesUnderOldId, SimMistake::kRestartsUnderOldId,
                    SimMistake::kSnapshotTooLate, SimMistake::kKeepsReplicas,
                    SimMistake::kWaitCountsConnected, SimMistake::kSyncedIsWritten,
                    SimMistake::kSyncedWithoutBase, SimMistake::kForgetsDatabase,
                    SimMistake::kPromotesLaggard, SimMistake::kFailsOverEarly,
                    SimMistake::kNeverTimesOut),
    [](const testing::TestParamInfo<SimMistake>& mistake) {
      return "Mistake" + std::to_string(static_cast<int>(mistake.param));
    });

TEST(SimulatorShrinkingTest, AFailureIsShownWithFewSteps) {
  const SimMistake mistake = SimMistake::kPromotesUnderOldId;
  const uint64_t seed = SeedThatFinds(mistake, 100);
  ASSERT_NE(seed, 0u);
  const SimWorld::Steps steps = SimWorld::StepsOf(seed, kSteps);
  const SimWorld::Steps fewer = Shrunk(seed, steps, 400, mistake);
  EXPECT_LT(fewer.size(), steps.size() / 10);
  EXPECT_NE(Simulate(seed, fewer, mistake).failure, "");
}

}  // namespace
}  // namespace cloakroom
