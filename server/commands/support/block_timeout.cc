#include "server/commands/support/block_timeout.h"

#include <cmath>
#include <optional>

#include "protocol/numbers.h"

namespace cloakroom {

int64_t TakeBlockTimeoutMs(Arguments& args) {
  const std::optional<long double> seconds = ParseLongDouble(args.String());
  if (!args.ok()) return 0;
  if (!seconds) {
    args.Fail("ERR timeout is not a float or out of range");
    return 0;
  }
  const long double ms = std::ceil(*seconds * 1000);
  if (ms < 0) {
    args.Fail("ERR timeout is negative");
    return 0;
  }
  // As in Redis, the end of the wait must be a time that a 64-bit number can hold.
  if (ms > static_cast<long double>(INT64_MAX - args.call().now_ms())) {
    args.Fail("ERR timeout is out of range");
    return 0;
  }
  return static_cast<int64_t>(ms);
}

}  // namespace cloakroom
