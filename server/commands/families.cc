#include "server/commands/families.h"

#include <vector>

namespace cloakroom {

std::span<const CommandFamily> CommandFamilies() {
  static const std::vector<CommandFamily> families = {
      // clang-format off: one file a line.
      BitFieldCommands(),
      BitmapCommands(),
      ClientCommands(),
      ConfigCommands(),
      ConnectionCommands(),
      CounterCommands(),
      DatabaseCommands(),
      DebugCommands(),
      HashCommands(),
      HashExpiryCommands(),
      IntrospectionCommands(),
      KeyCommands(),
      KeyExpiryCommands(),
      KeyTransferCommands(),
      LatencyCommands(),
      LcsCommands(),
      MemoryCommands(),
      ObjectCommands(),
      PersistenceCommands(),
      PubSubCommands(),
      ScanCommands(),
      ScriptingCommands(),
      ServerCommands(),
      SetCommands(),
      SetAlgebraCommands(),
      SlowLogCommands(),
      StreamCommands(),
      StreamClaimCommands(),
      StreamGroupCommands(),
      StreamInfoCommands(),
      StreamReadingCommands(),
      StringCommands(),
      StringRangeCommands(),
      TransactionCommands(),
      // clang-format on
  };
  return families;
}

}  // namespace cloakroom
