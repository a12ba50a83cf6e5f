#include "server/commands/help.h"

#include <string>

#include "absl/strings/ascii.h"
#include "protocol/text.h"

namespace cloakroom {
namespace {

/// "OBJECT" of "object|help".
std::string ContainerName(Call& call) {
  return absl::AsciiStrToUpper(std::string(call.command().parent->row->name));
}

}  // namespace

void ReplyHelp(Call& call, std::initializer_list<std::string_view> lines) {
  ReplyWriter& reply = call.reply();
  reply.Array(lines.size() + 3);
  reply.Simple(
      Concat({ContainerName(call), " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"}));
  for (std::string_view line : lines) reply.Simple(line);
  reply.Simple("HELP");
  reply.Simple("    Prints this help.");
}

void SubcommandSyntaxError(Call& call) {
  call.Error(Concat({"ERR unknown subcommand or wrong number of arguments for '",
                     call.arg(1).substr(0, 128), "'. Try ", ContainerName(call), " HELP."}));
}

}  // namespace cloakroom
