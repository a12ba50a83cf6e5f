#include "server/commands/support/list_pops.h"

#include <algorithm>
#include <string>

#include "server/commands/support/long_reply.h"

namespace cloakroom {

Tried TryMove(Call& call, ListEnd from_end, ListEnd to_end) {
  // Looking at a key that is to be changed is no hit or miss.
  const Entry* const source = call.Peek(call.arg(1));
  if (source == nullptr) return Tried::kNothingThere;
  const Entry* const target = call.Peek(call.arg(2));
  if (source->type() != List::kType || (target != nullptr && target->type() != List::kType)) {
    call.Error(kWrongType);
    return Tried::kReplied;
  }
  const auto held = [&](size_t i) {
    return HeldKey{call.hold(),   call.db(),    call.arg(i), call.HashOf(call.arg(i)),
                   call.now_ms(), call.access()};
  };
  MoveElement(held(1), from_end, held(2), to_end, call.reply());
  return Tried::kReplied;
}

MultiPop TakeMultiPop(Arguments& args) {
  MultiPop pop;
  pop.keys =
      static_cast<size_t>(args.IntegerIn(1, INT64_MAX, "ERR numkeys should be greater than 0"));
  pop.first_key = args.at();
  if (pop.keys >= args.left()) args.SyntaxError();
  if (!args.ok()) return pop;
  args.GoTo(pop.first_key + pop.keys);
  pop.end = TakeListEnd(args);
  if (args.More()) {
    if (!args.Word("COUNT", 1)) args.SyntaxError();
    pop.most =
        static_cast<size_t>(args.IntegerIn(1, INT64_MAX, "ERR count should be greater than 0"));
  }
  if (args.More()) args.SyntaxError();
  return pop;
}

void ReplyPopped(ReplyWriter& reply, std::string_view key, const List& list, ListEnd end,
                 size_t count) {
  reply.Array(2);
  reply.Bulk(key);
  reply.Array(count);
  ReplyFromEnd(reply, list, end, count);
}

Tried TryMultiPop(Call& call, const MultiPop& pop) {
  for (const std::string_view key : call.args().subspan(pop.first_key, pop.keys)) {
    if (call.Peek(key) == nullptr) continue;
    Writing<MutableList> list(call, key);
    if (!list.ok()) return Tried::kReplied;
    const size_t count = std::min(list->view().size(), pop.most);
    ReplyFrom(
        call, list->view(), count,
        [name = std::string(key), end = pop.end, count](ReplyWriter& reply, const List& view) {
          ReplyPopped(reply, name, view, end, count);
        });
    list->Pop(pop.end, count);
    list.Changed(PopEventOf(pop.end), static_cast<int64_t>(count));
    return Tried::kReplied;
  }
  return Tried::kNothingThere;
}

}  // namespace cloakroom
