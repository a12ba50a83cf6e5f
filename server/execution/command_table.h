#ifndef CLOAKROOM_SERVER_EXECUTION_COMMAND_TABLE_H_
#define CLOAKROOM_SERVER_EXECUTION_COMMAND_TABLE_H_

#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "server/execution/command.h"
#include "storage/base/string_map.h"

namespace cloakroom {

/// A row in the table, with its place and its family.
struct Command {
  const CommandRow* row = nullptr;
  CommandGroup group = CommandGroup::kGeneric;
  uint32_t categories = 0;  ///< the row's and its family's
  /// Dense number, for arrays of statistics.
  int index = 0;
  Access access = Access::kNone;
  /// A container's subcommands, in the table's order.
  std::vector<const Command*> subcommands;
  const Command* parent = nullptr;

  /// Whether it has subcommands. A container like COMMAND also runs without a subcommand.
  bool container() const { return !subcommands.empty(); }
  Access AccessOf(Server& server, CommandArguments args) const {
    return row->access_of == nullptr ? access : row->access_of(server, args);
  }
};

/// All commands by name. Built once, then read by all threads.
class CommandTable {
 public:
  explicit CommandTable(std::span<const CommandFamily> families);
  CommandTable(const CommandTable&) = delete;
  CommandTable& operator=(const CommandTable&) = delete;

  /// The command, or the subcommand, that a request names, in any case. Null if there is none; then
  /// Find(args.first(1)) tells whether the container exists.
  const Command* Find(CommandArguments args) const;
  /// By full name: "get", "client|list".
  const Command* FindName(std::string_view name) const;

  /// Top-level commands, sorted by name.
  std::span<const Command* const> commands() const { return sorted_; }
  /// The number of all commands, subcommands included.
  int size() const { return static_cast<int>(all_.size()); }
  const Command& at(int index) const { return all_[static_cast<size_t>(index)]; }

 private:
  std::deque<Command> all_;
  std::vector<const Command*> sorted_;
  absl::flat_hash_map<std::string_view, Command*, StringViewHash, std::equal_to<>> by_name_;
};

/// Finds the keys among the arguments. False when a count of keys is not a number, is larger than
/// the arguments allow, or is 0 though the command needs keys.
bool FindKeys(const CommandRow& row, CommandArguments args, KeyPositions* positions);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_COMMAND_TABLE_H_
