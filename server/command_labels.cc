#include "server/command_labels.h"

#include <algorithm>
#include <span>

#include "protocol/text.h"

namespace cloakroom {
namespace {

struct Label {
  uint32_t bit;
  std::string_view name;
};

std::vector<std::string_view> Names(uint32_t bits, std::span<const Label> labels) {
  std::vector<std::string_view> names;
  for (const Label& label : labels) {
    if ((bits & label.bit) != 0) names.push_back(label.name);
  }
  return names;
}

constexpr Label kFlags[] = {
    {kWrite, "write"},
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
    {kAllowBusy, "allow_busy"},
};

constexpr Label kKeyFlags[] = {
    {kRO, "RO"},
    {kRW, "RW"},
    {kOW, "OW"},
    {kRM, "RM"},
    {kAccess, "access"},
    {kUpdate, "update"},
    {kInsert, "insert"},
    {kDelete, "delete"},
    {kNotKey, "not_key"},
    {kIncomplete, "incomplete"},
    {kVariableFlags, "variable_flags"},
};

constexpr std::string_view kCategories[] = {
    "keyspace", "read",   "write",       "set",       "sortedset",  "list",        "hash",
    "string",   "bitmap", "hyperloglog", "geo",       "stream",     "pubsub",      "admin",
    "fast",     "slow",   "blocking",    "dangerous", "connection", "transaction", "scripting"};

bool InCategory(const Command& command, std::string_view name) {
  const CommandRow& row = *command.row;
  auto also = [&](uint32_t category) { return (command.categories & category) != 0; };
  if (name == "keyspace") return also(kCatKeyspace);
  if (name == "read") return row.has(kReadonly) && !also(kCatScripting);
  if (name == "write") return row.has(kWrite);
  if (name == "set") return also(kCatSet);
  if (name == "hash") return also(kCatHash);
  if (name == "string") return also(kCatString);
  if (name == "bitmap") return also(kCatBitmap);
  if (name == "pubsub") return row.has(kPubSub);
  if (name == "admin") return row.has(kAdmin);
  if (name == "fast") return row.has(kFast);
  if (name == "slow") return !row.has(kFast);
  if (name == "blocking") return row.has(kBlocking);
  if (name == "dangerous") return row.has(kAdmin) || also(kCatDangerous);
  if (name == "connection") return also(kCatConnection);
  if (name == "transaction") return also(kCatTransaction);
  if (name == "scripting") return also(kCatScripting);
  return false;
}

}  // namespace

std::vector<std::string_view> FlagNames(const Command& command) {
  uint32_t flags = command.row->flags;
  if (command.row->keys[0].count_at != 0) flags |= kMovableKeys;
  return Names(flags, kFlags);
}

std::vector<std::string_view> CategoryNames(const Command& command) {
  std::vector<std::string_view> names;
  for (std::string_view name : kCategories) {
    if (InCategory(command, name)) names.push_back(name);
  }
  return names;
}

std::vector<std::string_view> Tips(const Command& command) {
  static constexpr Label kTips[] = {{kRandomOutput, "nondeterministic_output"},
                                    {kUnordered, "nondeterministic_output_order"}};
  return Names(command.row->flags, kTips);
}

std::vector<std::string_view> KeyFlagNames(uint16_t flags) { return Names(flags, kKeyFlags); }

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

bool IsCategory(std::string_view name) {
  return std::any_of(std::begin(kCategories), std::end(kCategories),
                     [&](std::string_view known) { return EqualsIgnoreCase(known, name); });
}

}  // namespace cloakroom
