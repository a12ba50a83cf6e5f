#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_TIME_LIMIT_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_TIME_LIMIT_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "server/execution/call.h"

namespace cloakroom {

/// Argument `i`, the seconds for which a command may block, as milliseconds, rounded up; 0: no
/// limit. Replies with the error if it returns nullopt.
std::optional<int64_t> ParseTimeLimit(Call& call, size_t i);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_TIME_LIMIT_H_
