#ifndef CLOAKROOM_CLIENTS_DRILL_FIGURES_H_
#define CLOAKROOM_CLIENTS_DRILL_FIGURES_H_

#include <cstdint>
#include <span>
#include <vector>

namespace cloakroom::drill {

/// The time in which a client's visits did not succeed.
struct Outage {
  int64_t from_ms = 0;  ///< its last success before
  int64_t to_ms = 0;    ///< its first success after; the run's end when there was none
  bool back = false;    ///< there was one

  int64_t ms() const { return to_ms - from_ms; }
};

/// A client's outage, from the times of its successes, ascending: the longest time between two of
/// them that ends after the act. A client is back if it had a success at `back_from_ms` or later;
/// if not, its outage lasts from its last success (0: there was none) to the end.
Outage OutageOf(std::span<const int64_t> successes_ms, int64_t act_ms, int64_t back_from_ms,
                int64_t end_ms);

/// The value below or at which `share` of the values lie, 0 to 1: the nearest rank. 0 if there are
/// none.
int64_t Percentile(std::vector<int64_t> values, double share);

/// How many of the times fall into each of the intervals of `width_ms` from 0 to `end_ms`.
std::vector<int64_t> CountByInterval(std::span<const int64_t> times_ms, int64_t width_ms,
                                     int64_t end_ms);

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_FIGURES_H_
