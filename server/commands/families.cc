#include "server/commands/families.h"

#include <vector>

namespace cloakroom {

std::span<const CommandFamily> CommandFamilies() {
  static const std::vector<CommandFamily> families = {
      // clang-format off: one file a line.
      BitFieldCommands(),
      BitmapCommands(),
      ClientCommands(),
      ClientTrackingCommands(),
      ConfigCommands(),
      ConnectionCommands(),
      CounterCommands(),
      DatabaseCommands(),
      DebugCommands(),
      DumpCommands(),
      FunctionCommands(),
      GeoCommands(),
      GeoSearchCommands(),
      HashCommands(),
      HashExpiryCommands(),
      HyperLogLogCommands(),
      IntrospectionCommands(),
      KeyCommands(),
      KeyExpiryCommands(),
      KeyTransferCommands(),
      LatencyCommands(),
      LcsCommands(),
      ListCommands(),
      ListBlockingCommands(),
      ListMoveCommands(),
      ListSearchCommands(),
      MemoryCommands(),
      MigrateCommands(),
      ObjectCommands(),
      PersistenceCommands(),
      PubSubCommands(),
      ReplicationCommands(),
      ScanCommands(),
      ScriptingCommands(),
      ServerCommands(),
      SetCommands(),
      SetAlgebraCommands(),
      SessionCommands(),
      SessionAdminCommands(),
      SetExpiryCommands(),
      SlowLogCommands(),
      StreamCommands(),
      StreamClaimCommands(),
      StreamGroupCommands(),
      StreamInfoCommands(),
      StreamReadingCommands(),
      SortCommands(),
      StringCommands(),
      StringRangeCommands(),
      TransactionCommands(),
      WaitingCommands(),
      ZsetAlgebraCommands(),
      ZsetCommands(),
      ZsetPopCommands(),
      ZsetRangeCommands(),
      // clang-format on
  };
  return families;
}

}  // namespace cloakroom
