#include "server/execution/command_table.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "protocol/numbers.h"
#include "protocol/text.h"

namespace cloakroom {
namespace {

/// No name of a command with its subcommand is longer.
constexpr size_t kMaxName = 64;

struct LowerName {
  char text[kMaxName];
  size_t size = 0;

  bool Append(std::string_view part) {
    if (size + part.size() > kMaxName) return false;
    for (char c : part) text[size++] = absl::ascii_tolower(static_cast<unsigned char>(c));
    return true;
  }
  std::string_view view() const { return {text, size}; }
};

/// nullopt: the word before the keys is missing.
std::optional<size_t> FirstKey(const KeySpec& spec, CommandArguments args) {
  if (spec.after.empty()) return static_cast<size_t>(spec.first);
  const auto argc = static_cast<int64_t>(args.size());
  const bool backwards = spec.first < 0;
  int64_t i = backwards ? argc + spec.first : spec.first;
  for (; i > 0 && i < argc; i += backwards ? -1 : 1) {
    // At the very end it does not count: no key follows.
    if (i + 1 < argc && EqualsIgnoreCase(args[static_cast<size_t>(i)], spec.after)) {
      return static_cast<size_t>(i + 1);
    }
  }
  return std::nullopt;
}

/// The argument behind the last key; nullopt when that lies beyond the arguments.
std::optional<size_t> EndOfKeys(const KeySpec& spec, CommandArguments args, size_t first) {
  const auto argc = static_cast<int64_t>(args.size());
  const auto begin = static_cast<int64_t>(first);
  int64_t end = begin + spec.last + 1;
  if (spec.count_at != 0) {
    if (spec.count_at >= argc) return std::nullopt;
    const auto count = ParseInteger(args[static_cast<size_t>(spec.count_at)]);
    if (!count || *count < 0 || *count > argc - begin) return std::nullopt;
    end = begin + *count;
  } else if (spec.last < 0) {
    end += (argc - begin) / std::max<int64_t>(spec.limit, 1);
  }
  if (end > argc) return std::nullopt;
  return static_cast<size_t>(std::max<int64_t>(end, 0));
}

}  // namespace

CommandTable::CommandTable(std::span<const CommandFamily> families) {
  for (const CommandFamily& family : families) {
    for (const CommandRow& row : family.rows) {
      Command& command = all_.emplace_back();
      command.row = &row;
      command.group = family.group;
      // A container that has no function belongs to no category, as in Redis.
      command.categories = (row.run == nullptr ? 0 : family.categories) | row.categories;
      command.index = static_cast<int>(all_.size()) - 1;
      bool keyless = row.keys.empty() && row.access == Access::kKeys;
      command.access = keyless ? Access::kNone : row.access;
      by_name_[row.name] = &command;
    }
  }
  for (Command& command : all_) {
    size_t bar = command.row->name.find('|');
    if (bar == std::string_view::npos) {
      sorted_.push_back(&command);
      continue;
    }
    Command* parent = by_name_.at(command.row->name.substr(0, bar));
    command.parent = parent;
    parent->subcommands.push_back(&command);
  }
  std::sort(sorted_.begin(), sorted_.end(),
            [](const Command* a, const Command* b) { return a->row->name < b->row->name; });
}

const Command* CommandTable::Find(CommandArguments args) const {
  LowerName name;
  if (args.empty() || !name.Append(args[0])) return nullptr;
  auto found = by_name_.find(name.view());
  if (found == by_name_.end() || found->second->parent != nullptr) return nullptr;
  if (found->second->subcommands.empty() || args.size() < 2) return found->second;
  if (!name.Append("|") || !name.Append(args[1])) return nullptr;
  return FindName(name.view());
}

const Command* CommandTable::FindName(std::string_view name) const {
  auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

bool FindKeys(const CommandRow& row, CommandArguments args, KeyPositions* positions) {
  if (row.find_keys != nullptr) return row.find_keys(args, positions);
  for (const KeySpec& spec : row.keys) {
    if (spec.unknown) continue;
    const std::optional<size_t> first = FirstKey(spec, args);
    if (!first) continue;
    const std::optional<size_t> end = EndOfKeys(spec, args, *first);
    if (!end) return false;
    if (spec.count_at != 0 && *end == *first && !row.has(kNoMandatoryKeys)) return false;
    for (size_t i = *first; i < *end; i += static_cast<size_t>(spec.step)) {
      positions->push_back({i, spec.flags});
    }
  }
  return true;
}

}  // namespace cloakroom
