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
      GeoCommands(),
      GeoSearchCommands(),
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
      StringCommands(),
      StringRangeCommands(),
      TransactionCommands(),
      ZsetAlgebraCommands(),
      ZsetCommands(),
      ZsetPopCommands(),
      ZsetRangeCommands(),
      // clang-format on
  };
  return families;
}

}  // namespace cloakroom
