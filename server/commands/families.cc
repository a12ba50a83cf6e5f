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
      DebugCommands(),
      HashCommands(),
      IntrospectionCommands(),
      HashExpiryCommands(),
      KeyCommands(),
      KeyExpiryCommands(),
      KeyTransferCommands(),
      LcsCommands(),
      ObjectCommands(),
      PubSubCommands(),
      ScanCommands(),
      ScriptingCommands(),
      SetAlgebraCommands(),
      SetCommands(),
      StringCommands(),
      StringRangeCommands(),
      TransactionCommands(),
      // clang-format on
      ClientCommands(),
      ConfigCommands(),
      ConnectionCommands(),
      HashCommands(),
      LatencyCommands(),
      MemoryCommands(),
      ServerCommands(),
      SlowLogCommands(),
      TransactionCommands(),
  };
  return families;
}

}  // namespace cloakroom
