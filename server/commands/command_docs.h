#ifndef CLOAKROOM_SERVER_COMMANDS_COMMAND_DOCS_H_
#define CLOAKROOM_SERVER_COMMANDS_COMMAND_DOCS_H_

#include "protocol/reply_writer.h"
#include "server/command_table.h"

namespace cloakroom {

/// The name and what COMMAND DOCS tells of a command, its subcommands included: two replies.
void ReplyDocs(ReplyWriter& reply, const Command& command);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_COMMAND_DOCS_H_
