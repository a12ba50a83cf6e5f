#include "server/commands/support/store_result.h"

#include <algorithm>
#include <string_view>

namespace cloakroom {

void StoreResult(MemorySlot& result, WriteScope& to, int64_t expire_at_ms) {
  const std::string_view payload = result.bytes();
  char* const place = to.Overwrite(result.type(), result.encoding(), payload.size(), expire_at_ms);
  std::copy(payload.begin(), payload.end(), place);
  to.set_outgrown(result.outgrown());
  result.GiveAway();
}

}  // namespace cloakroom
