#include "server/commands/families.h"

#include <vector>

namespace cloakroom {

std::span<const CommandFamily> CommandFamilies() {
  static const std::vector<CommandFamily> families = {
      // clang-format off: one file a line.
      BitFieldCommands(),
      BitmapCommands(),
      ConnectionCommands(),
      CounterCommands(),
      DatabaseCommands(),
      HashCommands(),
      HashExpiryCommands(),
      KeyCommands(),
      KeyExpiryCommands(),
      KeyTransferCommands(),
      LcsCommands(),
      ObjectCommands(),
      PubSubCommands(),
      ScanCommands(),
      ScriptingCommands(),
      SetCommands(),
      SetAlgebraCommands(),
      StringCommands(),
      StringRangeCommands(),
      HashExpiryCommands(),
      SetAlgebraCommands(),
      SetCommands(),
      TransactionCommands(),
      // clang-format on
  };
  return families;
}

}  // namespace cloakroom
