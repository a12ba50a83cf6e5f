// COMMAND: what the server's commands are, all of it from their rows.
#include <algorithm>
#include <limits>
#include <vector>

#include "protocol/glob.h"
#include "protocol/text.h"
#include "server/call.h"
#include "server/command_labels.h"
#include "server/commands/command_docs.h"
#include "server/commands/families.h"
#include "server/commands/help.h"

namespace cloakroom {
namespace {

void ReplyStatuses(ReplyWriter& reply, const std::vector<std::string_view>& names,
                   std::string_view prefix = "") {
  reply.Set(names.size());
  for (std::string_view name : names) reply.Simple(Concat({prefix, name}));
}

int RelativeLast(const KeySpec& spec) {
  return spec.last >= 0 ? spec.last - spec.first : spec.last;
}

/// Where the keys stand, as clients asked before there were key specs: zeros when it takes more
/// than three numbers.
struct FirstLastStep {
  int first = 0;
  int last = 0;
  int step = 0;
};

FirstLastStep RangeOf(const CommandRow& row) {
  FirstLastStep range;
  for (const KeySpec& spec : row.keys) {
    if (spec.empty() || spec.count_at != 0) continue;
    if (range.first == 0) {
      range = {spec.first, spec.last, spec.step};
    } else {
      range.first = std::min<int>(range.first, spec.first);
      // A negative place counts from the end, and so is behind all others.
      range.last = spec.last < 0 || range.last < 0 ? -1 : std::max<int>(range.last, spec.last);
    }
  }
  return range;
}

void ReplyKeySpec(ReplyWriter& reply, const KeySpec& spec) {
  reply.Map(3);
  reply.Bulk("flags");
  ReplyStatuses(reply, KeyFlagNames(spec.flags));
  reply.Bulk("begin_search");
  reply.Map(2);
  reply.Bulk("type");
  reply.Bulk("index");
  reply.Bulk("spec");
  reply.Map(1);
  reply.Bulk("index");
  reply.Integer(spec.count_at != 0 ? spec.count_at : spec.first);
  reply.Bulk("find_keys");
  reply.Map(2);
  reply.Bulk("type");
  auto number = [&](std::string_view name, int value) {
    reply.Bulk(name);
    reply.Integer(value);
  };
  if (spec.count_at != 0) {
    reply.Bulk("keynum");
    reply.Bulk("spec");
    reply.Map(3);
    number("keynumidx", 0);
    number("firstkey", spec.first - spec.count_at);
    number("keystep", spec.step);
  } else {
    reply.Bulk("range");
    reply.Bulk("spec");
    reply.Map(3);
    number("lastkey", RelativeLast(spec));
    number("keystep", spec.step);
    number("limit", 0);
  }
}

void ReplyInfo(ReplyWriter& reply, const Command& command) {
  const CommandRow& row = *command.row;
  FirstLastStep range = RangeOf(row);
  reply.Array(10);
  reply.Bulk(row.name);
  reply.Integer(row.arity);
  ReplyStatuses(reply, FlagNames(command));
  reply.Integer(range.first);
  reply.Integer(range.last);
  reply.Integer(range.step);
  ReplyStatuses(reply, CategoryNames(command), "@");
  std::vector<std::string_view> tips = Tips(command);
  reply.Set(tips.size());
  for (std::string_view tip : tips) reply.Bulk(tip);
  size_t specs = 0;
  while (specs < row.keys.size() && !row.keys[specs].empty()) ++specs;
  reply.Set(specs);
  for (size_t i = 0; i < specs; ++i) ReplyKeySpec(reply, row.keys[i]);
  reply.Array(command.subcommands.size());
  for (const Command* subcommand : command.subcommands) ReplyInfo(reply, *subcommand);
}

/// With its subcommand, "config|get", as COMMAND INFO and DOCS take it.
const Command* Named(Call& call, std::string_view name) {
  return call.server().commands().FindName(LowerCase(name));
}

void ReplyAllInfo(Call& call) {
  auto commands = call.server().commands().commands();
  call.reply().Array(commands.size());
  for (const Command* command : commands) ReplyInfo(call.reply(), *command);
}

void CommandInfo(Call& call) {
  if (call.argc() == 2) return ReplyAllInfo(call);
  call.reply().Array(call.argc() - 2);
  for (size_t i = 2; i < call.argc(); ++i) {
    const Command* command = Named(call, call.arg(i));
    command == nullptr ? call.reply().Null() : ReplyInfo(call.reply(), *command);
  }
}

void CommandCount(Call& call) {
  call.reply().Integer(static_cast<int64_t>(call.server().commands().commands().size()));
}

void CommandDocs(Call& call) {
  std::vector<const Command*> commands;
  if (call.argc() == 2) {
    auto all = call.server().commands().commands();
    commands.assign(all.begin(), all.end());
  }
  for (size_t i = 2; i < call.argc(); ++i) {
    if (const Command* command = Named(call, call.arg(i))) commands.push_back(command);
  }
  call.reply().Map(commands.size());
  for (const Command* command : commands) ReplyDocs(call.reply(), *command);
}

bool Listed(Call& call, const Command& command) {
  if (call.argc() == 2) return true;
  if (call.Is(3, "PATTERN")) return GlobMatch(call.arg(4), command.row->name, /*nocase=*/true);
  if (!call.Is(3, "ACLCAT")) return false;  // there are no modules
  auto categories = CategoryNames(command);
  return std::any_of(categories.begin(), categories.end(),
                     [&](std::string_view name) { return EqualsIgnoreCase(name, call.arg(4)); });
}

void CommandList(Call& call) {
  bool filtered = call.argc() == 5 && call.Is(2, "FILTERBY") &&
                  (call.Is(3, "PATTERN") || call.Is(3, "ACLCAT") || call.Is(3, "MODULE"));
  if (call.argc() != 2 && !filtered) return call.SyntaxError();
  size_t mark = call.reply().BeginArray();
  size_t listed = 0;
  // All, subcommands too.
  for (int i = 0; i < call.server().commands().size(); ++i) {
    const Command& command = call.server().commands().at(i);
    if (!filtered && command.parent != nullptr) continue;
    if (!Listed(call, command)) continue;
    ++listed;
    call.reply().Bulk(command.row->name);
  }
  call.reply().EndArray(mark, listed);
}

/// The keys of the command that the arguments from 2 on name; nothing when an error was replied.
std::optional<KeyPositions> KeysOfArgument(Call& call) {
  CommandArguments args = call.args().subspan(2);
  const Command* command = call.server().commands().Find(args);
  int argc = static_cast<int>(args.size());
  KeyPositions positions;
  if (command == nullptr) {
    call.Error("ERR Invalid command specified");
  } else if (command->row->keys[0].empty()) {
    call.Error("ERR The command has no key arguments");
  } else if (command->row->arity >= 0 ? argc != command->row->arity : argc < -command->row->arity) {
    call.Error("ERR Invalid number of arguments specified for command");
  } else if (bool readable = FindKeys(*command->row, args, &positions);
             (!readable || positions.empty()) && !command->row->has(kNoMandatoryKeys)) {
    call.Error("ERR Invalid arguments specified for command");
  } else {
    if (!readable) positions.clear();
    return positions;
  }
  return std::nullopt;
}

void CommandGetKeys(Call& call) {
  auto keys = KeysOfArgument(call);
  if (!keys) return;
  call.reply().Array(keys->size());
  for (KeyPosition key : *keys) call.reply().Bulk(call.arg(key.index + 2));
}

void CommandGetKeysAndFlags(Call& call) {
  auto keys = KeysOfArgument(call);
  if (!keys) return;
  call.reply().Array(keys->size());
  for (KeyPosition key : *keys) {
    call.reply().Array(2);
    call.reply().Bulk(call.arg(key.index + 2));
    ReplyStatuses(call.reply(), KeyFlagNames(key.flags));
  }
}

constexpr uint32_t kCommand = kLoading | kStale;

// clang-format off: read as a table.
constexpr CommandRow kCommandCommands[] = {
    { "command", ReplyAllInfo, -1, kCommand | kUnordered, {}, "2.8.13",
     "O(N) where N is the total number of Redis commands", "", "Describes all commands."},
    { "command|count", CommandCount, 2, kCommand, {}, "2.8.13", "O(1)", "", "Counts the commands."},
    { "command|docs", CommandDocs, -2, kCommand | kUnordered, {}, "7.0.0",
     "O(N) where N is the number of commands to look up", "[command-name [command-name ...]]",
     "Returns what commands do and which arguments they take."},
    { "command|getkeys", CommandGetKeys, -4, kCommand, {}, "2.8.13",
     "O(N) where N is the number of arguments to the command", "command [arg [arg ...]]",
     "Returns the keys of a request."},
    { "command|getkeysandflags", CommandGetKeysAndFlags, -4, kCommand, {}, "7.0.0",
     "O(N) where N is the number of arguments to the command", "command [arg [arg ...]]",
     "Returns the keys of a request, and what it does to them."},
    { "command|info", CommandInfo, -2, kCommand | kUnordered, {}, "2.8.13",
     "O(N) where N is the number of commands to look up", "[command-name [command-name ...]]",
     "Describes commands by flags, keys and categories."},
    { "command|list", CommandList, -2, kCommand | kUnordered, {}, "7.0.0",
     "O(N) where N is the total number of Redis commands",
     "[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]",
     "Returns the names of commands."},
    { "command|help", Help, 2, kCommand, {}, "5.0.0", "O(1)", "", "Lists the subcommands."},
};
// clang-format on

}  // namespace

CommandFamily CommandCommands() {
  return {CommandGroup::kServer, kCatConnection, kCommandCommands};
}

}  // namespace cloakroom
