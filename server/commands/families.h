#ifndef CLOAKROOM_SERVER_COMMANDS_FAMILIES_H_
#define CLOAKROOM_SERVER_COMMANDS_FAMILIES_H_

#include <span>

#include "server/execution/command.h"

namespace cloakroom {

// The rows of each file in this folder. A new file adds its line here and in families.cc.
CommandFamily BitFieldCommands();
CommandFamily BitmapCommands();
CommandFamily ClientCommands();
CommandFamily ClientTrackingCommands();
CommandFamily ConfigCommands();
CommandFamily ConnectionCommands();
CommandFamily CounterCommands();
CommandFamily DatabaseCommands();
CommandFamily DebugCommands();
CommandFamily DumpCommands();
CommandFamily FunctionCommands();
CommandFamily GeoCommands();
CommandFamily GeoSearchCommands();
CommandFamily HashCommands();
CommandFamily HyperLogLogCommands();
CommandFamily IntrospectionCommands();
CommandFamily HashExpiryCommands();
CommandFamily KeyCommands();
CommandFamily KeyExpiryCommands();
CommandFamily KeyTransferCommands();
CommandFamily LatencyCommands();
CommandFamily LcsCommands();
CommandFamily ListCommands();
CommandFamily ListBlockingCommands();
CommandFamily ListMoveCommands();
CommandFamily ListSearchCommands();
CommandFamily MemoryCommands();
CommandFamily MigrateCommands();
CommandFamily ObjectCommands();
CommandFamily PersistenceCommands();
CommandFamily PubSubCommands();
CommandFamily ReplicationCommands();
CommandFamily ScanCommands();
CommandFamily ScriptingCommands();
CommandFamily ServerCommands();
CommandFamily SetCommands();
CommandFamily SetAlgebraCommands();
CommandFamily SessionCommands();
CommandFamily SessionAdminCommands();
CommandFamily SetExpiryCommands();
CommandFamily SlowLogCommands();
CommandFamily StreamCommands();
CommandFamily StreamClaimCommands();
CommandFamily StreamGroupCommands();
CommandFamily StreamInfoCommands();
CommandFamily StreamReadingCommands();
CommandFamily SortCommands();
CommandFamily StringCommands();
CommandFamily StringRangeCommands();
CommandFamily TransactionCommands();
CommandFamily WaitingCommands();
CommandFamily ZsetAlgebraCommands();
CommandFamily ZsetCommands();
CommandFamily ZsetPopCommands();
CommandFamily ZsetRangeCommands();

/// All families, for CommandTable.
std::span<const CommandFamily> CommandFamilies();

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_FAMILIES_H_
