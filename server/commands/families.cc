#include "server/commands/families.h"

#include <vector>

namespace cloakroom {

std::span<const CommandFamily> CommandFamilies() {
  static const std::vector<CommandFamily> families = {
      ClientCommands(),
      ConnectionCommands(),
      HashCommands(),
      TransactionCommands(),
  };
  return families;
}

}  // namespace cloakroom
