#include "server/commands/support/store_result.h"

#include <algorithm>
#include <string_view>

#include "storage/keyspace/entry.h"

namespace cloakroom {

void StoreResult(MemorySlot& result, WriteScope& to, int db, CommandArguments command) {
  to.LogAs(db, command);
  const std::string_view payload = result.bytes();
  char* const place = to.Overwrite(result.type(), result.encoding(), payload.size(), kNoExpiry);
  std::copy(payload.begin(), payload.end(), place);
  to.set_outgrown(result.outgrown());
  result.GiveAway();
}

}  // namespace cloakroom
