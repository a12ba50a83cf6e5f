#ifndef CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_DICE_H_
#define CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_DICE_H_

#include <cstdint>

namespace cloakroom {

/// Random numbers from a seed that are the same everywhere, and cost nothing to begin. A value.
class SimDice {
 public:
  explicit SimDice(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ += 0x9E3779B97F4A7C15ULL;
    uint64_t number = state_;
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9ULL;
    number = (number ^ (number >> 27)) * 0x94D049BB133111EBULL;
    return number ^ (number >> 31);
  }
  /// From 0 to n - 1. REQUIRES: n > 0.
  int Below(int n) { return static_cast<int>(Next() % static_cast<uint64_t>(n)); }
  bool OneIn(int n) { return Below(n) == 0; }

 private:
  uint64_t state_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_DICE_H_
