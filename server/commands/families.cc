#include "server/commands/families.h"

#include <vector>

namespace cloakroom {

std::span<const std::span<const CommandRow>> CommandFamilies() {
  static const std::vector<std::span<const CommandRow>> families = {
      ConnectionCommands(),
      HashCommands(),
      TransactionCommands(),
  };
  return families;
}

}  // namespace cloakroom
