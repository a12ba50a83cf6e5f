#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_DATABASE_INDEX_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_DATABASE_INDEX_H_

#include <cstddef>
#include <optional>
#include <string_view>

#include "server/execution/call.h"

namespace cloakroom {

/// Argument `i` as an int. On nullopt the error has been replied: `error`, or Redis' own two.
std::optional<int> ParseInt(Call& call, size_t i, std::string_view error = {});

/// Argument `i` as the number of a database that exists. On nullopt the error has been replied.
std::optional<int> ParseDatabaseIndex(Call& call, size_t i);

/// The number that an argument is; -1: none.
int DatabaseNumberOf(std::string_view argument);

/// Whether there is such a database.
bool IsDatabaseIndex(Call& call, int index);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_DATABASE_INDEX_H_
