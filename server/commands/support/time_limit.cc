#include "server/commands/support/time_limit.h"

#include <cmath>

#include "protocol/numbers.h"

namespace cloakroom {

std::optional<int64_t> ParseTimeLimit(Call& call, size_t i) {
  const std::optional<long double> seconds = ParseLongDouble(call.arg(i));
  if (!seconds) {
    call.Error("ERR timeout is not a float or out of range");
    return std::nullopt;
  }
  const long double limit_ms = std::ceil(*seconds * 1000);
  // What does not fit an integer wraps to a negative one in Redis 7.0.
  constexpr long double kTooMuch = 9223372036854775808.0L;
  if (limit_ms < 0 || limit_ms >= kTooMuch) {
    call.Error("ERR timeout is negative");
    return std::nullopt;
  }
  const int64_t limit = static_cast<int64_t>(limit_ms);
  if (limit > INT64_MAX - call.now_ms()) {
    call.Error("ERR timeout is out of range");
    return std::nullopt;
  }
  return limit;
}

}  // namespace cloakroom
