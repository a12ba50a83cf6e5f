#include "server/command_info.h"

#include <algorithm>
#include <string>
#include <utility>

#include "protocol/text.h"
#include "server/command_syntax.h"

namespace cloakroom {
namespace {

template <typename Flag>
struct Name {
  Flag flag;
  std::string_view name;
};

constexpr Name<uint32_t> kFlagNames[] = {{kWrite, "write"},
                                         {kReadonly, "readonly"},
                                         {kDenyOom, "denyoom"},
                                         {kAdmin, "admin"},
                                         {kPubSub, "pubsub"},
                                         {kNoScript, "noscript"},
                                         {kBlocking, "blocking"},
                                         {kLoading, "loading"},
                                         {kStale, "stale"},
                                         {kSkipMonitor, "skip_monitor"},
                                         {kSkipSlowlog, "skip_slowlog"},
                                         {kFast, "fast"},
                                         {kNoAuth, "no_auth"},
                                         {kMayReplicate, "may_replicate"},
                                         {kNoMandatoryKeys, "no_mandatory_keys"},
                                         {kNoMulti, "no_multi"},
                                         {kMovableKeys, "movablekeys"},
                                         {kAllowBusy, "allow_busy"}};

constexpr Name<uint32_t> kCategoryNames[] = {{kCatKeyspace, "keyspace"},
                                             {kCatString, "string"},
                                             {kCatHash, "hash"},
                                             {kCatSet, "set"},
                                             {kCatBitmap, "bitmap"},
                                             {kCatConnection, "connection"},
                                             {kCatTransaction, "transaction"},
                                             {kCatScripting, "scripting"},
                                             {kCatDangerous, "dangerous"}};

constexpr Name<uint16_t> kKeyFlagNames[] = {{kRO, "RO"},
                                            {kRW, "RW"},
                                            {kOW, "OW"},
                                            {kRM, "RM"},
                                            {kAccess, "access"},
                                            {kUpdate, "update"},
                                            {kInsert, "insert"},
                                            {kDelete, "delete"},
                                            {kNotKey, "not_key"},
                                            {kIncomplete, "incomplete"},
                                            {kVariableFlags, "variable_flags"}};

void ReplyNames(ReplyWriter& reply, const std::vector<std::string_view>& names,
                std::string_view prefix) {
  reply.Set(names.size());
  for (std::string_view name : names) reply.Simple(Concat({prefix, name}));
}

/// The first, last and step of clients older than key specs: zeros where a count decides.
struct LegacyRange {
  int first = 0;
  int last = 0;
  int step = 0;
};

LegacyRange LegacyRangeOf(const CommandRow& row) {
  LegacyRange range;
  for (const KeySpec& spec : row.keys) {
    if (spec.empty() || spec.count_at != 0) break;
    if (range.first == 0) range.first = spec.first;
    range.last = spec.last;
    range.step = std::max<int>(range.step, spec.step);
  }
  return range;
}

void ReplyKeySpec(ReplyWriter& reply, const KeySpec& spec) {
  reply.Map(3);
  reply.Bulk("flags");
  ReplyNames(reply, KeyFlagNames(spec.flags), "");
  bool counted = spec.count_at != 0;
  reply.Bulk("begin_search");
  reply.Map(2);
  reply.Bulk("type");
  reply.Bulk("index");
  reply.Bulk("spec");
  reply.Map(1);
  reply.Bulk("index");
  reply.Integer(counted ? spec.count_at : spec.first);
  reply.Bulk("find_keys");
  reply.Map(2);
  reply.Bulk("type");
  reply.Bulk(counted ? "keynum" : "range");
  reply.Bulk("spec");
  reply.Map(3);
  reply.Bulk(counted ? "keynumidx" : "lastkey");
  reply.Integer(counted ? 0 : spec.last < 0 ? spec.last : spec.last - spec.first);
  reply.Bulk(counted ? "firstkey" : "keystep");
  reply.Integer(counted ? spec.first - spec.count_at : spec.step);
  reply.Bulk(counted ? "keystep" : "limit");
  reply.Integer(counted ? spec.step : 0);
}

void ReplyTips(ReplyWriter& reply, const CommandRow& row) {
  std::vector<std::string_view> tips;
  if (row.has(kRandomOutput)) tips.push_back("nondeterministic_output");
  if (row.has(kUnordered)) tips.push_back("nondeterministic_output_order");
  reply.Set(tips.size());
  for (std::string_view tip : tips) reply.Bulk(tip);
}

std::string_view GroupName(CommandGroup group) {
  switch (group) {
    case CommandGroup::kConnection:
      return "connection";
    case CommandGroup::kGeneric:
      return "generic";
    case CommandGroup::kString:
      return "string";
    case CommandGroup::kBitmap:
      return "bitmap";
    case CommandGroup::kHash:
      return "hash";
    case CommandGroup::kSet:
      return "set";
    case CommandGroup::kTransactions:
      return "transactions";
    case CommandGroup::kPubSub:
      return "pubsub";
    case CommandGroup::kScripting:
      return "scripting";
    case CommandGroup::kServer:
      return "server";
  }
  return "generic";
}

void ReplyArguments(ReplyWriter& reply, const std::vector<SyntaxArgument>& arguments) {
  reply.Array(arguments.size());
  for (const SyntaxArgument& argument : arguments) {
    bool flagged = argument.optional || argument.multiple;
    bool token = !argument.token.empty();
    bool nested = !argument.arguments.empty();
    bool key = argument.type == SyntaxArgument::Type::kKey;
    reply.Map(2 + (key ? 1 : 0) + (token ? 1 : 0) + (flagged ? 1 : 0) + (nested ? 1 : 0));
    reply.Bulk("name");
    reply.Bulk(argument.name);
    reply.Bulk("type");
    reply.Bulk(TypeName(argument.type));
    if (key) {
      reply.Bulk("key_spec_index");
      reply.Integer(0);
    }
    if (token) {
      reply.Bulk("token");
      reply.Bulk(argument.token);
    }
    if (flagged) {
      reply.Bulk("flags");
      reply.Set((argument.optional ? 1 : 0) + (argument.multiple ? 1 : 0));
      if (argument.optional) reply.Simple("optional");
      if (argument.multiple) reply.Simple("multiple");
    }
    if (nested) {
      reply.Bulk("arguments");
      ReplyArguments(reply, argument.arguments);
    }
  }
}

}  // namespace

std::vector<std::string_view> KeyFlagNames(uint16_t flags) {
  std::vector<std::string_view> names;
  for (const auto& [flag, name] : kKeyFlagNames) {
    if ((flags & flag) != 0) names.push_back(name);
  }
  return names;
}

std::vector<std::string_view> CategoriesOf(const Command& command) {
  const CommandRow& row = *command.row;
  std::vector<std::string_view> names;
  for (const auto& [category, name] : kCategoryNames) {
    bool implied = category == kCatDangerous && row.has(kAdmin);
    if ((command.categories & category) != 0 || implied) names.push_back(name);
  }
  if (row.has(kWrite)) names.push_back("write");
  // Scripts write or read as their commands do.
  if (row.has(kReadonly) && (command.categories & kCatScripting) == 0) names.push_back("read");
  if (row.has(kAdmin)) names.push_back("admin");
  if (row.has(kPubSub)) names.push_back("pubsub");
  if (row.has(kBlocking)) names.push_back("blocking");
  names.push_back(row.has(kFast) ? "fast" : "slow");
  return names;
}

void ReplyCommandInfo(ReplyWriter& reply, const Command& command) {
  const CommandRow& row = *command.row;
  std::vector<std::string_view> flags;
  for (const auto& [flag, name] : kFlagNames) {
    if (row.has(flag)) flags.push_back(name);
  }
  LegacyRange range = LegacyRangeOf(row);
  reply.Array(10);
  reply.Bulk(row.name);
  reply.Integer(row.arity);
  ReplyNames(reply, flags, "");
  reply.Integer(range.first);
  reply.Integer(range.last);
  reply.Integer(range.step);
  ReplyNames(reply, CategoriesOf(command), "@");
  ReplyTips(reply, row);
  auto end = std::find_if(row.keys.begin(), row.keys.end(),
                          [](const KeySpec& spec) { return spec.empty(); });
  reply.Set(static_cast<size_t>(end - row.keys.begin()));
  for (auto spec = row.keys.begin(); spec != end; ++spec) ReplyKeySpec(reply, *spec);
  reply.Array(command.subcommands.size());
  for (const Command* subcommand : command.subcommands) ReplyCommandInfo(reply, *subcommand);
}

void ReplyCommandDocs(ReplyWriter& reply, const Command& command) {
  const CommandRow& row = *command.row;
  std::vector<SyntaxArgument> arguments = ParseSyntax(row.syntax);
  bool nested = !command.subcommands.empty();
  reply.Map(4 + (arguments.empty() ? 0 : 1) + (nested ? 1 : 0));
  for (auto [name, value] : {std::pair<std::string_view, std::string_view>{"summary", row.summary},
                             {"since", row.since},
                             {"group", GroupName(command.group)},
                             {"complexity", row.complexity}}) {
    reply.Bulk(name);
    reply.Bulk(value);
  }
  if (!arguments.empty()) {
    reply.Bulk("arguments");
    ReplyArguments(reply, arguments);
  }
  if (!nested) return;
  reply.Bulk("subcommands");
  reply.Map(command.subcommands.size());
  for (const Command* subcommand : command.subcommands) {
    reply.Bulk(subcommand->row->name);
    ReplyCommandDocs(reply, *subcommand);
  }
}

}  // namespace cloakroom
