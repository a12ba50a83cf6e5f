#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_KEY_LOOKUP_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_KEY_LOOKUP_H_

#include <string_view>

#include "server/execution/call.h"

namespace cloakroom {

/// The live entry of a key, for commands that ask about the key and not for its value (EXISTS, TTL,
/// TYPE): counts a hit or a miss, but not an access.
const Entry* Inspect(Call& call, std::string_view key);
/// The same for OBJECT, whose misses make no event.
const Entry* InspectSilently(Call& call, std::string_view key);

/// Whether the command's hold reaches database `index`. It does not in a script whose text hides
/// that it leaves its database; then it replies with the error.
bool MayReach(Call& call, int index);
/// The same for all databases.
bool MayReachAll(Call& call);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_KEY_LOOKUP_H_
