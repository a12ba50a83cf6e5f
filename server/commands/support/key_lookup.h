#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_KEY_LOOKUP_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_KEY_LOOKUP_H_

#include <string_view>

#include "server/execution/call.h"

namespace cloakroom {

/// The live entry of a key for a command that asks about the key and not for its value (EXISTS,
/// TTL, TYPE, OBJECT): counts a hit or a miss, but does not keep the key young.
const Entry* Inspect(Call& call, std::string_view key);

/// Whether what the command holds reaches database `index`. A script that did not show that it
/// would leave its database does not; the error has been replied then.
bool MayReach(Call& call, int index);
/// The same for all databases.
bool MayReachAll(Call& call);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_KEY_LOOKUP_H_
