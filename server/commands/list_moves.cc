// LMOVE RPOPLPUSH LMPOP.
#include <algorithm>
#include <optional>

#include "server/commands/families.h"
#include "server/commands/support/list_ends.h"
#include "server/commands/support/list_pops.h"
#include "server/commands/support/long_reply.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"

namespace cloakroom {
namespace {

void Move(Call& call, ListEnd from_end, ListEnd to_end) {
  if (TryMove(call, from_end, to_end) == Tried::kNothingThere) call.reply().Null();
}

void LMove(Call& call) {
  Arguments args(call, 3);
  const ListEnd from_end = TakeListEnd(args);
  const ListEnd to_end = TakeListEnd(args);
  if (!args.Finish()) return;
  Move(call, from_end, to_end);
}

void RPopLPush(Call& call) { Move(call, ListEnd::kBack, ListEnd::kFront); }

void LMPop(Call& call) {
  Arguments args(call, 1);
  const MultiPop pop = TakeMultiPop(args);
  if (!args.Finish()) return;
  if (TryMultiPop(call, pop) == Tried::kNothingThere) call.reply().NullArray();
}

// Read as a table.
// clang-format off
constexpr CommandRow kListMoveCommands[] = {
    {.name = "lmove", .run = LMove, .arity = 5, .flags = kWrite | kDenyOom,
     .keys = {Key(1, kRW | kAccess | kDelete), Key(2, kRW | kInsert)}, .since = "6.2.0",
     .complexity = "O(1)",
     .syntax = "source destination <wherefrom: LEFT | RIGHT> <whereto: LEFT | RIGHT>",
     .summary = "Moves an element from an end of one list to an end of another."},
    {.name = "lmpop", .run = LMPop, .arity = -4, .flags = kWrite | kMovableKeys,
     .keys = {CountedKeys(1, kRW | kAccess | kDelete)}, .since = "7.0.0",
     .complexity = "O(N + M) for N keys and M elements returned.",
     .syntax = "numkeys key [key ...] <where: LEFT | RIGHT> [COUNT count]",
     .summary = "Removes elements from an end of the first list that has any, and returns them."},
    {.name = "rpoplpush", .run = RPopLPush, .arity = 3, .flags = kWrite | kDenyOom,
     .keys = {Key(1, kRW | kAccess | kDelete), Key(2, kRW | kInsert)}, .since = "1.2.0",
     .deprecated_since = "6.2.0",
     .replaced_by = "`LMOVE` with the `RIGHT` and `LEFT` arguments",
     .complexity = "O(1)",
     .syntax = "source destination",
     .summary = "Moves the last element of a list to the head of another."},
};
// clang-format on

}  // namespace

CommandFamily ListMoveCommands() { return {CommandGroup::kList, kCatList, kListMoveCommands}; }

}  // namespace cloakroom
