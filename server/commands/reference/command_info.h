#ifndef CLOAKROOM_SERVER_COMMANDS_REFERENCE_COMMAND_INFO_H_
#define CLOAKROOM_SERVER_COMMANDS_REFERENCE_COMMAND_INFO_H_

#include <string_view>
#include <vector>

#include "protocol/reply_writer.h"
#include "server/execution/command_table.h"

namespace cloakroom {

// What COMMAND says about a command, derived from its row.

/// One element of COMMAND INFO, in Redis 7's ten fields.
void ReplyCommandInfo(ReplyWriter& reply, const Command& command);
/// One value of COMMAND DOCS.
void ReplyCommandDocs(ReplyWriter& reply, const Command& command);

/// "@read", "@hash" …, without the at sign.
std::vector<std::string_view> CategoriesOf(const Command& command);
/// "RW", "access" …
std::vector<std::string_view> KeyFlagNames(uint16_t flags);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_REFERENCE_COMMAND_INFO_H_
