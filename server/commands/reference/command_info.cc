#include "server/commands/reference/command_info.h"

#include <algorithm>
#include <optional>
#include <string>

#include "protocol/text.h"
#include "server/commands/reference/command_syntax.h"

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
                                         {kAsking, "asking"},
                                         {kFast, "fast"},
                                         {kNoAuth, "no_auth"},
                                         {kNoMandatoryKeys, "no_mandatory_keys"},
                                         {kNoAsyncLoading, "no_async_loading"},
                                         {kNoMulti, "no_multi"},
                                         {kMovableKeys, "movablekeys"},
                                         {kAllowBusy, "allow_busy"}};

/// A category follows from flags of the row, or is one of its own.
struct CategoryName {
  uint32_t flag;
  uint32_t category;
  std::string_view name;
};

/// In Redis' order. Fast and slow are in between, see CategoriesOf.
constexpr CategoryName kCategoryNames[] = {{0, kCatKeyspace, "keyspace"},
                                           {kReadonly, 0, "read"},
                                           {kWrite, 0, "write"},
                                           {0, kCatSet, "set"},
                                           {0, kCatSortedSet, "sortedset"},
                                           {0, kCatList, "list"},
                                           {0, kCatHash, "hash"},
                                           {0, kCatString, "string"},
                                           {0, kCatBitmap, "bitmap"},
                                           {0, kCatHyperLogLog, "hyperloglog"},
                                           {0, kCatGeo, "geo"},
                                           {0, kCatStream, "stream"},
                                           {kPubSub, 0, "pubsub"},
                                           {kAdmin, kCatAdmin, "admin"},
                                           {kFast, 0, "fast"},
                                           {0, 0, "slow"},
                                           {kBlocking, 0, "blocking"},
                                           {kAdmin, kCatDangerous, "dangerous"},
                                           {0, kCatConnection, "connection"},
                                           {0, kCatTransaction, "transaction"},
                                           {0, kCatScripting, "scripting"},
                                           {0, kCatSession, "session"}};

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

/// First key, last key and step, for clients older than key specs; zeros where other arguments
/// decide.
struct LegacyRange {
  int first = 0;
  int last = 0;
  int step = 0;
};

LegacyRange LegacyRangeOf(const CommandRow& row) {
  LegacyRange range;
  for (const KeySpec& spec : row.keys) {
    if (spec.movable()) break;
    if (range.first == 0) range.first = spec.first;
    range.last = spec.last < 0 ? spec.last : spec.first + spec.last;
    range.step = std::max<int>(range.step, spec.step);
  }
  return range;
}

/// The beginning of a part of a key spec; `fields` pairs must follow.
void BeginPart(ReplyWriter& reply, std::string_view name, std::string_view type, size_t fields) {
  reply.Bulk(name);
  reply.Map(2);
  reply.Bulk("type");
  reply.Bulk(type);
  reply.Bulk("spec");
  reply.Map(fields);
}

void ReplyField(ReplyWriter& reply, std::string_view name, int value) {
  reply.Bulk(name);
  reply.Integer(value);
}

void ReplyText(ReplyWriter& reply, std::string_view name, std::string_view value) {
  reply.Bulk(name);
  reply.Bulk(value);
}

/// Where keys begin and end, for a spec that says it.
void ReplyKeyPlaces(ReplyWriter& reply, const KeySpec& spec) {
  const bool counted = spec.count_at != 0;
  if (spec.after.empty()) {
    BeginPart(reply, "begin_search", "index", 1);
    ReplyField(reply, "index", counted ? spec.count_at : spec.first);
  } else {
    BeginPart(reply, "begin_search", "keyword", 2);
    reply.Bulk("keyword");
    reply.Bulk(spec.after);
    ReplyField(reply, "startfrom", spec.first);
  }
  BeginPart(reply, "find_keys", counted ? "keynum" : "range", 3);
  if (counted) {
    ReplyField(reply, "keynumidx", 0);
    ReplyField(reply, "firstkey", spec.first - spec.count_at);
    ReplyField(reply, "keystep", spec.step);
  } else {
    ReplyField(reply, "lastkey", spec.last);
    ReplyField(reply, "keystep", spec.step);
    ReplyField(reply, "limit", spec.limit);
  }
}

void ReplyKeySpec(ReplyWriter& reply, const KeySpec& spec) {
  reply.Map(spec.notes.empty() ? 3 : 4);
  if (!spec.notes.empty()) {
    reply.Bulk("notes");
    reply.Bulk(spec.notes);
  }
  reply.Bulk("flags");
  ReplyNames(reply, KeyFlagNames(spec.flags), "");
  if (!spec.unknown) return ReplyKeyPlaces(reply, spec);
  BeginPart(reply, "begin_search", "unknown", 0);
  BeginPart(reply, "find_keys", "unknown", 0);
}

void ReplyTips(ReplyWriter& reply, const CommandRow& row) {
  std::vector<std::string> tips;
  if (row.has(kRandomOutput)) tips.emplace_back("nondeterministic_output");
  if (row.has(kUnordered)) tips.emplace_back("nondeterministic_output_order");
  if (!row.request_policy.empty()) tips.push_back(Concat({"request_policy:", row.request_policy}));
  if (!row.response_policy.empty()) {
    tips.push_back(Concat({"response_policy:", row.response_policy}));
  }
  reply.Set(tips.size());
  for (const std::string& tip : tips) reply.Bulk(std::string_view(tip));
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
    case CommandGroup::kHyperLogLog:
      return "hyperloglog";
    case CommandGroup::kHash:
      return "hash";
    case CommandGroup::kSet:
      return "set";
    case CommandGroup::kList:
      return "list";
    case CommandGroup::kSortedSet:
      return "sorted-set";
    case CommandGroup::kGeo:
      return "geo";
    case CommandGroup::kTransactions:
      return "transactions";
    case CommandGroup::kPubSub:
      return "pubsub";
    case CommandGroup::kScripting:
      return "scripting";
    case CommandGroup::kServer:
      return "server";
    case CommandGroup::kStream:
      return "stream";
    case CommandGroup::kSession:
      return "session";
  }
  return "generic";
}

/// Writes the arguments of one command, and counts the keys among them: unless the syntax says
/// otherwise, each belongs to the row's next key spec, or to the last one.
class ArgumentWriter {
 public:
  ArgumentWriter(ReplyWriter& reply, const CommandRow& row) : reply_(reply), row_(row) {}

  void Write(const std::vector<SyntaxArgument>& arguments) {
    reply_.Array(arguments.size());
    for (const SyntaxArgument& argument : arguments) Write(argument);
  }

 private:
  void Write(const SyntaxArgument& argument) {
    const std::vector<std::string_view> flags = FlagsOf(argument);
    const bool nested = !argument.arguments.empty();
    const std::optional<int> key_spec = KeySpecOf(argument);
    size_t pairs = 3;
    for (bool more : {key_spec.has_value(), !argument.token.empty(), !flags.empty()}) {
      pairs += more ? 1 : 0;
    }
    reply_.Map(pairs);
    ReplyText(reply_, "name", argument.name);
    ReplyText(reply_, "type", TypeName(argument.type));
    if (!nested) ReplyText(reply_, "display_text", argument.name);
    if (key_spec) ReplyField(reply_, "key_spec_index", *key_spec);
    // Written as "", it is an empty argument.
    if (!argument.token.empty()) {
      ReplyText(reply_, "token", argument.token == "\"\"" ? "" : argument.token);
    }
    if (!flags.empty()) {
      reply_.Bulk("flags");
      reply_.Set(flags.size());
      for (std::string_view flag : flags) reply_.Simple(flag);
    }
    if (nested) {
      reply_.Bulk("arguments");
      Write(argument.arguments);
    }
  }

  static std::vector<std::string_view> FlagsOf(const SyntaxArgument& argument) {
    std::vector<std::string_view> flags;
    if (argument.optional) flags.emplace_back("optional");
    if (argument.multiple) flags.emplace_back("multiple");
    if (argument.multiple_token) flags.emplace_back("multiple_token");
    return flags;
  }

  /// nullopt: the argument is no key, nor the pattern of one.
  std::optional<int> KeySpecOf(const SyntaxArgument& argument) {
    if (argument.key_spec) return argument.key_spec;
    const bool key = argument.type == SyntaxArgument::Type::kKey && !row_.keys.empty();
    return key ? std::optional<int>(NextKeySpec()) : std::nullopt;
  }

  int NextKeySpec() {
    size_t next = static_cast<size_t>(key_spec_) + 1;
    return next >= row_.keys.size() ? key_spec_ : key_spec_++;
  }

  ReplyWriter& reply_;
  const CommandRow& row_;
  int key_spec_ = 0;
};

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
  bool script = (command.categories & kCatScripting) != 0;
  std::vector<std::string_view> names;
  for (const CategoryName& known : kCategoryNames) {
    bool in = row.has(known.flag) || (command.categories & known.category) != 0;
    if (known.name == "slow") in = !row.has(kFast);
    // Whether scripts write or read depends on their commands.
    if (known.name == "read" && script) in = false;
    if (in) names.push_back(known.name);
  }
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
  reply.Set(row.keys.size());
  for (const KeySpec& spec : row.keys) ReplyKeySpec(reply, spec);
  // As in Redis: an empty collection is a set, any other an array.
  command.subcommands.empty() ? reply.Set(0) : reply.Array(command.subcommands.size());
  for (const Command* subcommand : command.subcommands) ReplyCommandInfo(reply, *subcommand);
}

void ReplyCommandDocs(ReplyWriter& reply, const Command& command) {
  const CommandRow& row = *command.row;
  const std::vector<SyntaxArgument> arguments = ParseSyntax(row.syntax);
  const bool nested = !command.subcommands.empty();
  const bool deprecated = !row.deprecated_since.empty();
  const bool flagged = deprecated || row.has(kSystem);
  // Redis' group of the only command that no application sends.
  const CommandGroup group = row.has(kAsking) ? CommandGroup::kServer : command.group;
  reply.Map(4 + (flagged ? 1 : 0) + (deprecated ? 2 : 0) + (arguments.empty() ? 0 : 1) +
            (nested ? 1 : 0));
  ReplyText(reply, "summary", row.summary);
  ReplyText(reply, "since", row.since);
  ReplyText(reply, "group", GroupName(group));
  ReplyText(reply, "complexity", row.complexity);
  if (flagged) {
    reply.Bulk("doc_flags");
    reply.Set((deprecated ? 1 : 0) + (row.has(kSystem) ? 1 : 0));
    if (deprecated) reply.Simple("deprecated");
    if (row.has(kSystem)) reply.Simple("syscmd");
  }
  if (deprecated) {
    ReplyText(reply, "deprecated_since", row.deprecated_since);
    ReplyText(reply, "replaced_by", row.replaced_by);
  }
  if (!arguments.empty()) {
    reply.Bulk("arguments");
    ArgumentWriter(reply, row).Write(arguments);
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
