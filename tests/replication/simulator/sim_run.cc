#include "tests/replication/simulator/sim_run.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

namespace cloakroom {

uint64_t AskedNumber(const char* name, uint64_t usual) {
  const char* const asked = std::getenv(name);
  return asked == nullptr ? usual : std::strtoull(asked, nullptr, 10);
}

SimOutcome Simulate(uint64_t seed, const SimWorld::Steps& steps, SimMistake mistake) {
  SimWorld world(seed, {.mistake = mistake, .settings = {}});
  world.Run(steps);
  return {.failure = world.failure(), .trace = world.TraceText()};
}

SimWorld::Steps Shrunk(uint64_t seed, SimWorld::Steps steps, int most_runs, SimMistake mistake) {
  for (size_t part = steps.size() / 2; part > 0; part /= 2) {
    for (size_t at = 0; at < steps.size() && most_runs > 0; --most_runs) {
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

}  // namespace cloakroom
