#include "server/execution/command_table.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "protocol/numbers.h"

namespace cloakroom {
namespace {

/// No command with its subcommand is longer.
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

}  // namespace

CommandTable::CommandTable(std::span<const CommandFamily> families) {
  for (const CommandFamily& family : families) {
    for (const CommandRow& row : family.rows) {
      Command& command = all_.emplace_back();
      command.row = &row;
      command.group = family.group;
      // A container that does nothing by itself belongs to no category, as in Redis.
      command.categories = (row.run == nullptr ? 0 : family.categories) | row.categories;
      command.index = static_cast<int>(all_.size()) - 1;
      bool keyless = row.keys[0].empty() && row.access == Access::kKeys;
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
  size_t argc = args.size();
  for (const KeySpec& spec : row.keys) {
    if (spec.empty()) break;
    size_t first = static_cast<size_t>(spec.first);
    size_t step = static_cast<size_t>(spec.step);
    size_t end;  // behind the last key
    if (spec.count_at != 0) {
      if (static_cast<size_t>(spec.count_at) >= argc) return false;
      auto count = ParseInteger(args[static_cast<size_t>(spec.count_at)]);
      if (!count || *count < 0 || static_cast<uint64_t>(*count) > argc - first) return false;
      end = first + static_cast<size_t>(*count);
    } else {
      int64_t last = spec.last < 0 ? static_cast<int64_t>(argc) + spec.last : spec.last;
      end = static_cast<size_t>(std::max<int64_t>(last + 1, 0));
      if (end > argc) return false;
    }
    for (size_t i = first; i < end; i += step) positions->push_back({i, spec.flags});
  }
  return true;
}

}  // namespace cloakroom
