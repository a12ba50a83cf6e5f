// COMMAND: what the server knows about its commands.
#include <algorithm>

#include "protocol/glob.h"
#include "protocol/text.h"
#include "server/commands/families.h"
#include "server/commands/reference/command_info.h"
#include "server/commands/support/help.h"
#include "server/execution/call.h"

namespace cloakroom {
namespace {

void CommandAll(Call& call) {
  auto commands = call.server().commands().commands();
  call.reply().Array(commands.size());
  for (const Command* command : commands) ReplyCommandInfo(call.reply(), *command);
}

void CommandCount(Call& call) {
  call.reply().Integer(static_cast<int64_t>(call.server().commands().commands().size()));
}

void CommandInfo(Call& call) {
  if (call.argc() == 2) return CommandAll(call);
  call.reply().Array(call.argc() - 2);
  for (size_t i = 2; i < call.argc(); ++i) {
    const Command* command =
        call.server().commands().FindName(absl::AsciiStrToLower(std::string(call.arg(i))));
    if (command == nullptr) {
      call.reply().Null();
    } else {
      ReplyCommandInfo(call.reply(), *command);
    }
  }
}

void CommandDocs(Call& call) {
  std::vector<const Command*> wanted;
  const CommandTable& table = call.server().commands();
  if (call.argc() == 2) wanted.assign(table.commands().begin(), table.commands().end());
  for (size_t i = 2; i < call.argc(); ++i) {
    const Command* command = table.FindName(absl::AsciiStrToLower(std::string(call.arg(i))));
    if (command != nullptr) wanted.push_back(command);
  }
  call.reply().Map(wanted.size());
  for (const Command* command : wanted) {
    call.reply().Bulk(command->row->name);
    ReplyCommandDocs(call.reply(), *command);
  }
}

/// Whether a command passes COMMAND LIST's FILTERBY.
bool Passes(Call& call, const Command& command) {
  if (call.argc() == 2) return true;
  std::string_view wanted = call.arg(4);
  if (call.Is(3, "PATTERN")) {
    return GlobMatch(wanted, command.row->name, /*ignore_case=*/true);
  }
  if (call.Is(3, "MODULE")) return false;  // there are none
  auto categories = CategoriesOf(command);
  return std::any_of(categories.begin(), categories.end(),
                     [&](std::string_view name) { return EqualsIgnoreCase(name, wanted); });
}

void CommandList(Call& call) {
  bool filtered = call.argc() == 5 && call.Is(2, "FILTERBY") &&
                  (call.Is(3, "PATTERN") || call.Is(3, "MODULE") || call.Is(3, "ACLCAT"));
  if (call.argc() != 2 && !filtered) return call.SyntaxError();
  const CommandTable& table = call.server().commands();
  size_t mark = call.reply().BeginArray();
  size_t count = 0;
  for (int i = 0; i < table.size(); ++i) {
    if (!Passes(call, table.at(i))) continue;
    call.reply().Bulk(table.at(i).row->name);
    ++count;
  }
  call.reply().EndArray(mark, count);
}

/// Finds the keys of the command line behind COMMAND GETKEYS. If false, has replied with the error.
bool KeysOf(Call& call, KeyPositions* positions) {
  CommandArguments args = call.args().subspan(2);
  const Command* command = call.server().commands().Find(args);
  if (command == nullptr || command->container()) {
    call.Error("ERR Invalid command specified");
    return false;
  }
  const CommandRow& row = *command->row;
  if (row.keys.empty() || (row.keys[0].flags & kNotKey) != 0) {
    call.Error("ERR The command has no key arguments");
    return false;
  }
  int argc = static_cast<int>(args.size());
  if (row.arity >= 0 ? argc != row.arity : argc < -row.arity) {
    call.Error("ERR Invalid number of arguments specified for command");
    return false;
  }
  if (FindKeys(row, args, positions) && !positions->empty()) return true;
  if (row.has(kNoMandatoryKeys)) {
    positions->clear();
    return true;
  }
  call.Error("ERR Invalid arguments specified for command");
  return false;
}

void CommandGetKeys(Call& call) {
  KeyPositions positions;
  if (!KeysOf(call, &positions)) return;
  call.reply().Array(positions.size());
  for (KeyPosition key : positions) call.reply().Bulk(call.arg(key.index + 2));
}

/// What a command line does to its key if the row leaves that open: SET reads with GET, BITFIELD
/// writes with SET or INCRBY.
uint16_t FlagsOf(Call& call, KeyPosition key) {
  if ((key.flags & kVariableFlags) == 0) return key.flags;
  auto says = [&](std::string_view word) {
    for (size_t i = key.index + 3; i < call.argc(); ++i) {
      if (call.Is(i, word)) return true;
    }
    return false;
  };
  if (call.Is(2, "SET")) return says("GET") ? kRW | kAccess | kUpdate : kOW | kUpdate;
  return says("SET") || says("INCRBY") ? kRW | kAccess | kUpdate : kRO | kAccess;
}

void CommandGetKeysAndFlags(Call& call) {
  KeyPositions positions;
  if (!KeysOf(call, &positions)) return;
  call.reply().Array(positions.size());
  for (KeyPosition key : positions) {
    call.reply().Array(2);
    call.reply().Bulk(call.arg(key.index + 2));
    auto names = KeyFlagNames(FlagsOf(call, key));
    call.reply().Set(names.size());
    for (std::string_view name : names) call.reply().Simple(name);
  }
}

constexpr uint32_t kIntrospection = kLoading | kStale;

// Read as a table.
// clang-format off
constexpr CommandRow kIntrospectionCommands[] = {
    {.name = "command", .run = CommandAll, .arity = -1, .flags = kIntrospection | kUnordered,
     .since = "2.8.13", .complexity = "O(N) for N commands.", .summary = "Describes all commands."},
    {.name = "command|count", .run = CommandCount, .arity = 2, .flags = kIntrospection,
     .since = "2.8.13", .complexity = "O(1)", .summary = "Counts the commands."},
    {.name = "command|docs", .run = CommandDocs, .arity = -2, .flags = kIntrospection | kUnordered,
     .since = "7.0.0", .complexity = "O(N) for N commands asked for.",
     .syntax = "[command-name [command-name ...]]", .summary = "Documents commands."},
    {.name = "command|getkeys", .run = CommandGetKeys, .arity = -4, .flags = kIntrospection,
     .since = "2.8.13", .complexity = "O(N) for N arguments.",
     .syntax = "command [arg [arg ...]]", .summary = "Finds the keys in a command line."},
    {.name = "command|getkeysandflags", .run = CommandGetKeysAndFlags, .arity = -4,
     .flags = kIntrospection, .since = "7.0.0", .complexity = "O(N) for N arguments.",
     .syntax = "command [arg [arg ...]]",
     .summary = "Finds the keys in a command line, and what happens to them."},
    {.name = "command|help", .run = Help, .arity = 2, .flags = kIntrospection, .since = "5.0.0",
     .complexity = "O(1)", .summary = "Lists the subcommands."},
    {.name = "command|info", .run = CommandInfo, .arity = -2, .flags = kIntrospection | kUnordered,
     .since = "2.8.13", .complexity = "O(N) for N commands asked for.",
     .syntax = "[command-name [command-name ...]]", .summary = "Describes commands."},
    {.name = "command|list", .run = CommandList, .arity = -2, .flags = kIntrospection | kUnordered,
     .since = "7.0.0", .complexity = "O(N) for N commands.",
     .syntax = "[filterby: FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]",
     .summary = "Lists the names of commands."},
};
// clang-format on

}  // namespace

CommandFamily IntrospectionCommands() {
  return {CommandGroup::kServer, kCatConnection, kIntrospectionCommands};
}

}  // namespace cloakroom
