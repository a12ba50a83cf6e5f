#ifndef CLOAKROOM_SERVER_COMMANDS_FAMILIES_H_
#define CLOAKROOM_SERVER_COMMANDS_FAMILIES_H_

#include <span>

#include "server/command.h"

namespace cloakroom {

// The rows of each file in this folder. A new file adds its line here and in families.cc.
CommandFamily ClientCommands();
CommandFamily ConfigCommands();
CommandFamily ConnectionCommands();
CommandFamily HashCommands();
CommandFamily LatencyCommands();
CommandFamily MemoryCommands();
CommandFamily ServerCommands();
CommandFamily SlowLogCommands();
CommandFamily TransactionCommands();

/// All of them, for CommandTable.
std::span<const CommandFamily> CommandFamilies();

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_FAMILIES_H_
