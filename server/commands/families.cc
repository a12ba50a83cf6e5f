#include "server/commands/families.h"

#include <vector>

namespace cloakroom {

std::span<const CommandFamily> CommandFamilies() {
  static const std::vector<CommandFamily> families = {
      ClientCommands(), ConfigCommands(),  ConnectionCommands(),
      HashCommands(),   LatencyCommands(), MemoryCommands(),
      ServerCommands(), SlowLogCommands(), TransactionCommands(),
  };
  return families;
}

}  // namespace cloakroom
