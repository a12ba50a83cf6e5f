#include "server/commands/families.h"

#include <vector>

namespace cloakroom {

std::span<const CommandFamily> CommandFamilies() {
  static const std::vector<CommandFamily> families = {
      ConnectionCommands(),
      DatabaseCommands(),
      HashCommands(),
      KeyExpiryCommands(),
      KeyCommands(),
      KeyTransferCommands(),
      ObjectCommands(),
      PubSubCommands(),
      ScanCommands(),
      ScriptingCommands(),
      TransactionCommands(),
  };
  return families;
}

}  // namespace cloakroom
