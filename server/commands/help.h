#ifndef CLOAKROOM_SERVER_COMMANDS_HELP_H_
#define CLOAKROOM_SERVER_COMMANDS_HELP_H_

#include <initializer_list>
#include <string_view>

#include "server/call.h"

namespace cloakroom {

/// Replies to "OBJECT HELP" and the like: a first line that names the command, what the caller has
/// to say of each subcommand, and HELP itself.
void ReplyHelp(Call& call, std::initializer_list<std::string_view> lines);

/// The error of a subcommand that Redis declares with fewer arguments than it then looks at.
void SubcommandSyntaxError(Call& call);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_HELP_H_
