#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_HELP_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_HELP_H_

#include <span>
#include <string>
#include <string_view>

#include "server/execution/call.h"

namespace cloakroom {

/// The command function of every container's HELP: its subcommands with their syntax and summary,
/// from their rows.
void Help(Call& call);

/// A title and lines as a HELP reply, for a command whose subcommands are no rows.
void ReplyHelp(Call& call, std::span<const std::string> lines);

/// The error of a subcommand that got arguments it cannot read, as Redis words it.
void SubcommandError(Call& call);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_HELP_H_
