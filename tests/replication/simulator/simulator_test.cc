// Servers that replicate each other, in random schedules: sim_world.h. What fails is shrunk to few
// steps.
//
// CLOAKROOM_SIMULATOR_SEEDS: how many schedules instead of the usual few.
// CLOAKROOM_SIMULATOR_FIRST: the first one's seed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/replication/simulator/sim_world.h"

namespace cloakroom {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CLOAKROOM_SIMULATOR_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CLOAKROOM_SIMULATOR_SANITIZED
#endif
#endif
#ifdef CLOAKROOM_SIMULATOR_SANITIZED
constexpr uint64_t kUsualSeeds = 20;
#else
constexpr uint64_t kUsualSeeds = 100;
#endif

constexpr int kSteps = 1500;

uint64_t Asked(const char* name, uint64_t usual) {
  const char* const asked = std::getenv(name);
  return asked == nullptr ? usual : std::strtoull(asked, nullptr, 10);
}

struct Outcome {
  std::string failure;  ///< empty: there was none
  std::string trace;
};

Outcome Simulate(uint64_t seed, const SimWorld::Steps& steps, SimMistake mistake) {
  SimWorld world(seed, {.mistake = mistake, .settings = {}});
  world.Run(steps);
  Outcome outcome{.failure = world.failure(), .trace = {}};
  const std::vector<std::string>& trace = world.environment().trace;
  for (size_t i = trace.size() - std::min<size_t>(trace.size(), 60); i < trace.size(); ++i)
    outcome.trace += trace[i] + "\n";
  return outcome;
}

/// Leaves out steps that the failure does not need.
SimWorld::Steps Shrunk(uint64_t seed, SimWorld::Steps steps, SimMistake mistake) {
  int runs = 0;
  for (size_t part = steps.size() / 2; part > 0; part /= 2) {
    for (size_t at = 0; at < steps.size() && runs < 600; ++runs) {
      SimWorld::Steps fewer = steps;
      const auto begin = fewer.begin() + static_cast<ptrdiff_t>(at);
      fewer.erase(begin, begin + static_cast<ptrdiff_t>(std::min(part, steps.size() - at)));
      if (Simulate(seed, fewer, mistake).failure.empty()) {
        at += part;
      } else {
        steps = std::move(fewer);
      }
    }
  }
  return steps;
}

TEST(SimulatorTest, WhateverHappensHistoriesAreTrueAndComeToRest) {
  const uint64_t first = Asked("CLOAKROOM_SIMULATOR_FIRST", 1);
  const uint64_t seeds = Asked("CLOAKROOM_SIMULATOR_SEEDS", kUsualSeeds);
  int64_t granted = 0;
  int64_t full = 0;
  int64_t acknowledged = 0;
  int64_t promotions = 0;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    const SimWorld::Steps steps = SimWorld::StepsOf(seed, kSteps);
    SimWorld world(seed, {});
    world.Run(steps);
    granted += world.environment().granted;
    full += world.environment().full_syncs;
    acknowledged += world.acknowledged();
    promotions += world.promotions();
    if (world.failure().empty()) continue;
    const SimWorld::Steps fewer = Shrunk(seed, steps, SimMistake::kNone);
    const Outcome outcome = Simulate(seed, fewer, SimMistake::kNone);
    FAIL() << "CLOAKROOM_SIMULATOR_FIRST=" << seed
           << " CLOAKROOM_SIMULATOR_SEEDS=1: " << world.failure() << "\nafter " << fewer.size()
           << " steps: " << outcome.failure << "\n"
           << outcome.trace;
  }
  RecordProperty("granted", std::to_string(granted));
  RecordProperty("full", std::to_string(full));
  std::printf("%ld granted, %ld full, %ld acknowledged, %ld promotions\n", granted, full,
              acknowledged, promotions);
  EXPECT_GT(granted, static_cast<int64_t>(seeds)) << "else the test shows nothing";
  EXPECT_GT(full, static_cast<int64_t>(seeds));
  EXPECT_GT(acknowledged, static_cast<int64_t>(seeds));
}

}  // namespace
}  // namespace cloakroom
