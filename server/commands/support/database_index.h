#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_DATABASE_INDEX_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_DATABASE_INDEX_H_

#include <string_view>

#include "server/execution/arguments.h"

namespace cloakroom {

/// Takes the number of a database that exists.
int TakeDatabaseIndex(Arguments& args);

/// An argument as a number; -1: it is not one.
int DatabaseNumberOf(std::string_view argument);

/// Whether there is such a database.
bool IsDatabaseIndex(Call& call, int index);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_DATABASE_INDEX_H_
