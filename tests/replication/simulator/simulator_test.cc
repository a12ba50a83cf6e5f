// Servers that replicate each other, in random schedules: sim_world.h. What fails is shrunk to few
// steps.
//
// CLOAKROOM_SIMULATOR_SEEDS: how many schedules instead of the usual few.
// CLOAKROOM_SIMULATOR_FIRST: the first one's seed.
// CLOAKROOM_SIMULATOR_STEPS: how long each is.
#include <gtest/gtest.h>

#include <string>

#include "tests/replication/simulator/sim_run.h"

namespace cloakroom {
namespace {

TEST(SimulatorTest, WhateverHappensHistoriesAreTrueAndComeToRest) {
  const uint64_t first = AskedNumber("CLOAKROOM_SIMULATOR_FIRST", 1);
  const uint64_t seeds = AskedNumber("CLOAKROOM_SIMULATOR_SEEDS", kSimSanitized ? 50 : 250);
  const auto count = static_cast<int>(AskedNumber("CLOAKROOM_SIMULATOR_STEPS", 2000));
  int64_t granted = 0;
  int64_t full = 0;
  int64_t acknowledged = 0;
  int64_t promotions = 0;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    const SimWorld::Steps steps = SimWorld::StepsOf(seed, count);
    SimWorld world(seed, {});
    world.Run(steps);
    granted += world.environment().granted;
    full += world.environment().full_syncs;
    acknowledged += world.acknowledged();
    promotions += world.promotions();
    if (world.failure().empty()) continue;
    const SimWorld::Steps fewer = Shrunk(seed, steps, 1000);
    const SimOutcome outcome = Simulate(seed, fewer);
    FAIL() << "CLOAKROOM_SIMULATOR_SEEDS=1 CLOAKROOM_SIMULATOR_STEPS=" << count
           << " CLOAKROOM_SIMULATOR_FIRST=" << seed << ": " << world.failure() << "\nafter "
           << fewer.size() << " of its steps: " << outcome.failure << "\n"
           << outcome.trace;
  }
  RecordProperty("partial_syncs", std::to_string(granted));
  RecordProperty("full_syncs", std::to_string(full));
  RecordProperty("acknowledged_writes", std::to_string(acknowledged));
  RecordProperty("primaries_lost", std::to_string(promotions));
  EXPECT_GT(granted, static_cast<int64_t>(seeds)) << "else the test shows nothing";
  EXPECT_GT(full, static_cast<int64_t>(seeds));
  EXPECT_GT(acknowledged, static_cast<int64_t>(seeds));
}

TEST(SimulatorTest, ASeedAlwaysGivesTheSameRun) {
  const SimWorld::Steps steps = SimWorld::StepsOf(77, 800);
  EXPECT_EQ(Simulate(77, steps).trace, Simulate(77, steps).trace);
  EXPECT_NE(Simulate(77, steps).trace, Simulate(78, steps).trace);
}

}  // namespace
}  // namespace cloakroom
