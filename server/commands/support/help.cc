#include "server/commands/support/help.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "protocol/text.h"
#include "server/commands/reference/command_syntax.h"

namespace cloakroom {
namespace {

/// The name of a command in HELP and errors: its container's, in upper case.
std::string Title(const Command& command) {
  const Command& top = command.parent == nullptr ? command : *command.parent;
  return absl::AsciiStrToUpper(std::string(top.row->name));
}

}  // namespace

void ReplyHelp(Call& call, std::span<const std::string> lines) {
  call.reply().Array(lines.size() + 3);
  call.reply().Simple(
      Concat({Title(call.command()), " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"}));
  for (const std::string& line : lines) call.reply().Simple(line);
  call.reply().Simple("HELP");
  call.reply().Simple("    Prints this help.");
}

void Help(Call& call) {
  std::vector<std::string> lines;
  for (const Command* command : call.command().parent->subcommands) {
    if (command == &call.command()) continue;
    std::string_view name = command->row->name;
    std::string line = absl::AsciiStrToUpper(std::string(name.substr(name.find('|') + 1)));
    if (!command->row->syntax.empty()) line += " " + ReadableSyntax(command->row->syntax);
    lines.push_back(std::move(line));
    lines.push_back(Concat({"    ", command->row->summary}));
  }
  ReplyHelp(call, lines);
}

void SubcommandError(Call& call) {
  call.Error(Concat({"ERR unknown subcommand or wrong number of arguments for '",
                     call.arg(1).substr(0, 128), "'. Try ", Title(call.command()), " HELP."}));
}

}  // namespace cloakroom
