// BLPOP BRPOP BLMOVE BRPOPLPUSH BLMPOP: as LPOP and others, but they wait until there is something.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "server/commands/families.h"
#include "server/commands/support/block_timeout.h"
#include "server/commands/support/list_ends.h"
#include "server/commands/support/list_pops.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "storage/access/lookup.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {
namespace {

using Verdict = Waiter::Verdict;

/// What serves a request: the elements that it takes, and the form of its reply.
struct ListPop {
  ListEnd end;
  bool nested = false;  ///< as LMPOP replies; otherwise a key and one element
  size_t most = 1;
};

void ReplyPop(ReplyWriter& reply, std::string_view key, const List& list, const ListPop& pop,
              size_t count) {
  if (pop.nested) return ReplyPopped(reply, key, list, pop.end, count);
  reply.Array(2);
  reply.Bulk(key);
  ReplyFromEnd(reply, list, pop.end, 1);
}

Verdict ServePop(const ReadyKey& ready, const ListPop& pop) {
  WriteScope scope(ready.hold, ready.db, ready.key, ready.hash, ready.now_ms);
  if (!scope.exists()) return Verdict::kNotReady;
  if (scope.type() != List::kType || !ready.Take()) return Verdict::kNotForMe;
  const EncodingLimits& limits = ready.db.keyspace().encoding_limits();
  MutableList list(scope, limits);
  const size_t count = std::min(list.view().size(), pop.most);
  ReplyPop(ready.reply, ready.key, list.view(), pop, count);
  list.Pop(pop.end, count);
  scope.Changed(PopEventOf(pop.end), static_cast<int64_t>(count));
  if (!scope.exists()) scope.Changed("del");
  return Verdict::kServed;
}

/// Waits until one of the keys is a list.
void Wait(Call& call, CommandArguments keys, int64_t time_limit_ms, const ListPop& pop) {
  if (!call.may_block()) return call.reply().NullArray();
  call.Block({.keys = {keys.begin(), keys.end()},
              .time_limit_ms = time_limit_ms,
              .serve = [pop](const ReadyKey& ready) { return ServePop(ready, pop); },
              .time_out = [](ReplyWriter& reply) { reply.NullArray(); }});
}

void BlockingPop(Call& call, ListEnd end) {
  Arguments args(call, call.argc() - 1);
  const int64_t time_limit_ms = TakeBlockTimeoutMs(args);
  if (!args.Finish()) return;
  const CommandArguments keys = call.args().subspan(1, call.argc() - 2);
  for (const std::string_view key : keys) {
    if (call.Peek(key) == nullptr) continue;
    Writing<MutableList> list(call, key);
    if (!list.ok()) return;
    ReplyPop(call.reply(), key, list->view(), {.end = end}, 1);
    list->Pop(end, 1);
    return list.Changed(PopEventOf(end));
  }
  Wait(call, keys, time_limit_ms, {.end = end});
}

void BLPop(Call& call) { BlockingPop(call, ListEnd::kFront); }
void BRPop(Call& call) { BlockingPop(call, ListEnd::kBack); }

void BLMPop(Call& call) {
  Arguments args(call, 2);
  const MultiPop pop = TakeMultiPop(args);
  // Redis reads the timeout last.
  args.GoTo(1);
  const int64_t time_limit_ms = TakeBlockTimeoutMs(args);
  if (!args.Finish()) return;
  if (TryMultiPop(call, pop) == Tried::kReplied) return;
  Wait(call, call.args().subspan(pop.first_key, pop.keys), time_limit_ms,
       {.end = pop.end, .nested = true, .most = pop.most});
}

struct ListMove {
  ListEnd from_end;
  std::string to;
  ListEnd to_end;
};

Verdict ServeMove(const ReadyKey& ready, const ListMove& move) {
  const Entry* const source = PeekKey(ready.hold, ready.db, ready.key, ready.hash, ready.now_ms);
  if (source == nullptr) return Verdict::kNotReady;
  if (source->type() != List::kType || !ready.Take()) return Verdict::kNotForMe;
  const HeldKey from{ready.hold, ready.db, ready.key, ready.hash, ready.now_ms};
  const HeldKey to{ready.hold, ready.db, move.to, KeyHash::Of(move.to), ready.now_ms};
  const Entry* const target = PeekKey(to.hold, to.db, to.key, to.hash, to.now_ms);
  if (target != nullptr && target->type() != List::kType) {
    // The element stays for the next one who waits.
    ready.reply.Error(kWrongType);
  } else {
    MoveElement(from, move.from_end, to, move.to_end, ready.reply);
  }
  return Verdict::kServed;
}

void BlockingMove(Call& call, Arguments& args, ListEnd from_end, ListEnd to_end) {
  const int64_t time_limit_ms = TakeBlockTimeoutMs(args);
  if (!args.Finish()) return;
  if (TryMove(call, from_end, to_end) == Tried::kReplied) return;
  if (!call.may_block()) return call.reply().Null();
  const std::string to(call.arg(2));
  call.Block({.keys = {std::string(call.arg(1))},
              .also_changed = to,
              .time_limit_ms = time_limit_ms,
              .serve = [move = ListMove{from_end, to, to_end}](
                           const ReadyKey& ready) { return ServeMove(ready, move); },
              .time_out = [](ReplyWriter& reply) { reply.NullArray(); }});
}

void BLMove(Call& call) {
  Arguments args(call, 3);
  const ListEnd from_end = TakeListEnd(args);
  const ListEnd to_end = TakeListEnd(args);
  BlockingMove(call, args, from_end, to_end);
}

void BRPopLPush(Call& call) {
  Arguments args(call, 3);
  BlockingMove(call, args, ListEnd::kBack, ListEnd::kFront);
}

// Read as a table.
// clang-format off
constexpr CommandRow kListBlockingCommands[] = {
    {.name = "blmove", .run = BLMove, .arity = 6, .flags = kWrite | kDenyOom | kBlocking,
     .keys = {Key(1, kRW | kAccess | kDelete), Key(2, kRW | kInsert)}, .since = "6.2.0",
     .complexity = "O(1)",
     .syntax = "source destination <wherefrom: LEFT | RIGHT> <whereto: LEFT | RIGHT> timeout",
     .summary = "Moves an element between lists, and waits until there is one."},
    {.name = "blmpop", .run = BLMPop, .arity = -5, .flags = kWrite | kBlocking | kMovableKeys,
     .keys = {CountedKeys(2, kRW | kAccess | kDelete)}, .since = "7.0.0",
     .complexity = "O(N + M) for N keys and M elements returned.",
     .syntax = "timeout numkeys key [key ...] <where: LEFT | RIGHT> [COUNT count]",
     .summary = "Pops elements from the first list that has any, and waits until one does."},
    {.name = "blpop", .run = BLPop, .arity = -3, .flags = kWrite | kBlocking,
     .keys = {KeyRange(1, -2, 1, kRW | kAccess | kDelete)}, .since = "2.0.0",
     .complexity = "O(N) for N keys.",
     .syntax = "key [key ...] timeout",
     .summary = "Pops the first element of the first list that has any, and waits until one does."},
    {.name = "brpop", .run = BRPop, .arity = -3, .flags = kWrite | kBlocking,
     .keys = {KeyRange(1, -2, 1, kRW | kAccess | kDelete)}, .since = "2.0.0",
     .complexity = "O(N) for N keys.",
     .syntax = "key [key ...] timeout",
     .summary = "Pops the last element of the first list that has any, and waits until one does."},
    {.name = "brpoplpush", .run = BRPopLPush, .arity = 4, .flags = kWrite | kDenyOom | kBlocking,
     .keys = {Key(1, kRW | kAccess | kDelete), Key(2, kRW | kInsert)}, .since = "2.2.0",
     .deprecated_since = "6.2.0",
     .replaced_by = "`BLMOVE` with the `RIGHT` and `LEFT` arguments",
     .complexity = "O(1)",
     .syntax = "source destination timeout",
     .summary = "Moves the last element of a list to the head of another, and waits until there is one."},
};
// clang-format on

}  // namespace

CommandFamily ListBlockingCommands() {
  return {CommandGroup::kList, kCatList, kListBlockingCommands};
}

}  // namespace cloakroom
