#ifndef CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_RUN_H_
#define CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_RUN_H_

#include <cstdint>
#include <string>

#include "tests/replication/simulator/sim_world.h"

namespace cloakroom {

/// Sanitizers take several times as long, so there the tests do less.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSimSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSimSanitized = true;
#else
inline constexpr bool kSimSanitized = false;
#endif
#else
inline constexpr bool kSimSanitized = false;
#endif

/// A number from the environment, for long runs by hand; `usual` if it says nothing.
uint64_t AskedNumber(const char* name, uint64_t usual);

/// What came of a run.
struct SimOutcome {
  std::string failure;  ///< empty: there was none
  std::string trace;    ///< what happened last, a line each
};
SimOutcome Simulate(uint64_t seed, const SimWorld::Steps& steps,
                    SimMistake mistake = SimMistake::kNone);

/// Leaves out steps, in `most_runs` runs at most, as long as something is wrong without them.
SimWorld::Steps Shrunk(uint64_t seed, SimWorld::Steps steps, int most_runs,
                       SimMistake mistake = SimMistake::kNone);

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_RUN_H_
