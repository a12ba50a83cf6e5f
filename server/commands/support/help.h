#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_HELP_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_HELP_H_

#include <span>
#include <string>
#include <string_view>

#include "server/execution/call.h"

namespace cloakroom {

/// The command function of every container's HELP: replies with the subcommands, their syntax and
/// summary, from their rows.
void Help(Call& call);

/// Replies with a title and lines like HELP, for a command whose subcommands are not rows.
void ReplyHelp(Call& call, std::span<const std::string> lines);

/// Replies with Redis' error for a subcommand that cannot read its arguments.
void SubcommandError(Call& call);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_HELP_H_
