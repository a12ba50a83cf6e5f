#include "clients/drill/figures.h"

#include <algorithm>
#include <cmath>

namespace cloakroom::drill {

Outage OutageOf(std::span<const int64_t> successes_ms, int64_t act_ms, int64_t back_from_ms,
                int64_t end_ms) {
  const int64_t last_ms = successes_ms.empty() ? 0 : successes_ms.back();
  if (successes_ms.empty() || last_ms < back_from_ms) return {last_ms, end_ms, false};
  Outage longest = {last_ms, last_ms, true};
  int64_t before_ms = 0;
  for (const int64_t at_ms : successes_ms) {
    if (at_ms > act_ms && at_ms - before_ms > longest.ms()) longest = {before_ms, at_ms, true};
    before_ms = at_ms;
  }
  return longest;
}

int64_t Percentile(std::vector<int64_t> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double rank = std::ceil(share * static_cast<double>(values.size()));
  const auto index = static_cast<size_t>(std::max(rank, 1.0)) - 1;
  return values[std::min(index, values.size() - 1)];
}

std::vector<int64_t> CountByInterval(std::span<const int64_t> times_ms, int64_t width_ms,
                                     int64_t end_ms) {
  std::vector<int64_t> counts(static_cast<size_t>(end_ms / width_ms) + 1);
  for (const int64_t at_ms : times_ms) {
    const auto interval = static_cast<size_t>(std::max<int64_t>(at_ms, 0) / width_ms);
    ++counts[std::min(interval, counts.size() - 1)];
  }
  return counts;
}

}  // namespace cloakroom::drill
