#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_ZSET_REMOVAL_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_ZSET_REMOVAL_H_

#include <cstddef>

#include "server/commands/support/zset_range.h"
#include "server/execution/call.h"
#include "storage/values/zset.h"

namespace cloakroom {

/// Removing more members than this takes about a millisecond, for which no stripe should be held.
inline constexpr size_t kLongRemoval = 2'000;

/// Removes `range`, which is not empty, from the sorted set of argument 1, and with the last member
/// the key. A long removal (kLongRemoval) may be prepared on a worker: false, and the command runs
/// again when that is done, so it must not have replied. Otherwise the caller reports its event.
bool RemoveFromZset(Call& call, WriteScope& scope, const RankRange& range);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_ZSET_REMOVAL_H_
