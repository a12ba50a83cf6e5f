#ifndef CLOAKROOM_SERVER_COMMANDS_HELP_H_
#define CLOAKROOM_SERVER_COMMANDS_HELP_H_

#include <initializer_list>
#include <span>
#include <string_view>

#include "server/call.h"

namespace cloakroom {

/// The command function of every container's HELP: its subcommands with their syntax and summary,
/// from their rows.
void Help(Call& call);

/// The same with the caller's own lines: a first line that names the command, what there is to say
/// of each subcommand, and HELP itself.
void ReplyHelp(Call& call, std::span<const std::string_view> lines);
inline void ReplyHelp(Call& call, std::initializer_list<std::string_view> lines) {
  ReplyHelp(call, std::span(lines.begin(), lines.size()));
}

/// The error of a subcommand that Redis declares with fewer arguments than it then looks at.
void SubcommandSyntaxError(Call& call);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_HELP_H_
