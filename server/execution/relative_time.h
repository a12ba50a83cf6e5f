#ifndef CLOAKROOM_SERVER_EXECUTION_RELATIVE_TIME_H_
#define CLOAKROOM_SERVER_EXECUTION_RELATIVE_TIME_H_

#include <cstdint>
#include <optional>

#include "server/execution/command.h"

namespace cloakroom {

/// A logged or replicated command that says an expiry by how long it is from now, as old servers
/// and hand-made logs do: the command that says when that is, in milliseconds since the epoch. It
/// does the same at any time. nullopt: the command does not count from now, or its arguments are
/// wrong, which it then says itself.
inline std::optional<OwnedArguments> ToAbsolute(const CommandRow& row, CommandArguments args,
                                                int64_t now_ms) {
  return row.to_absolute == nullptr ? std::nullopt : row.to_absolute(args, now_ms);
}

// For CommandRow::to_absolute. Pure; any number of arguments.

/// EXPIRE, HEXPIRE and SEXPIRE, with the time behind the key: into PEXPIREAT and the like.
std::optional<OwnedArguments> ExpireToAbsolute(CommandArguments args, int64_t now_ms);
/// SETEX and PSETEX: into SET with PXAT.
std::optional<OwnedArguments> SetExToAbsolute(CommandArguments args, int64_t now_ms);
/// SET, GETEX, HGETEX and HSETEX with EX or PX: into PXAT.
std::optional<OwnedArguments> OptionToAbsolute(CommandArguments args, int64_t now_ms);
/// RESTORE without ABSTTL: with it.
std::optional<OwnedArguments> RestoreToAbsolute(CommandArguments args, int64_t now_ms);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_RELATIVE_TIME_H_
