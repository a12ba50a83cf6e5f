#ifndef CLOAKROOM_SERVER_EXECUTION_RELATIVE_TIME_H_
#define CLOAKROOM_SERVER_EXECUTION_RELATIVE_TIME_H_

#include "server/execution/command.h"

namespace cloakroom {

/// Whether a logged or replicated command says an expiry that counts from now. Only old servers and
/// hand-made logs do.
inline bool CountsFromNow(const CommandRow& row, CommandArguments args) {
  return row.counts_from_now != nullptr && row.counts_from_now(args);
}

// For CommandRow::counts_from_now. Pure; any number of arguments.

/// EXPIRE, SETEX and others: always.
bool AlwaysCountsFromNow(CommandArguments args);
/// SET: with EX or PX.
bool SetCountsFromNow(CommandArguments args);
/// RESTORE: without ABSTTL.
bool RestoreCountsFromNow(CommandArguments args);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_RELATIVE_TIME_H_
