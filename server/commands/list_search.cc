// LPOS.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "server/commands/families.h"
#include "server/commands/support/long_reply.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "storage/values/list.h"

namespace cloakroom {
namespace {

/// What LPOS looks for.
struct ElementSearch {
  std::string element;
  ListEnd from = ListEnd::kFront;
  uint64_t skipped = 0;  ///< matches before the first one that counts
  size_t most = 1;       ///< matches to reply
  bool as_array = false;
  size_t looked_at = SIZE_MAX;  ///< elements to compare at most
};

std::optional<ElementSearch> ParseSearch(Call& call) {
  ElementSearch search{.element = std::string(call.arg(2))};
  Arguments args(call, 3);
  while (args.More()) {
    if (args.Word("RANK", 1)) {
      const int64_t rank = args.Integer();
      if (rank == INT64_MIN) {
        args.Fail(
            "ERR value is out of range, value must between -9223372036854775807 and "
            "9223372036854775807");
      } else if (rank == 0) {
        args.Fail(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or "
            "use negative to start from the end of the list");
      }
      search.from = rank < 0 ? ListEnd::kBack : ListEnd::kFront;
      search.skipped = static_cast<uint64_t>(rank < 0 ? -(rank + 1) : rank - 1);
    } else if (args.Word("COUNT", 1)) {
      const int64_t count = args.IntegerIn(0, INT64_MAX, "ERR COUNT can't be negative");
      search.most = count == 0 ? SIZE_MAX : static_cast<size_t>(count);
      search.as_array = true;
    } else if (args.Word("MAXLEN", 1)) {
      const int64_t length = args.IntegerIn(0, INT64_MAX, "ERR MAXLEN can't be negative");
      search.looked_at = length == 0 ? SIZE_MAX : static_cast<size_t>(length);
    } else {
      args.SyntaxError();
    }
  }
  if (!args.Finish()) return std::nullopt;
  return search;
}

void ReplyMatches(ReplyWriter& reply, const List& list, const ElementSearch& search) {
  const ListCode element(search.element);
  const size_t mark = reply.BeginArray();
  size_t found = 0;
  uint64_t skipped = search.skipped;
  const size_t size = list.size();
  size_t left = std::min(size, search.looked_at);
  ListCursor cursor = list.At(search.from == ListEnd::kFront ? 0 : size - 1);
  for (; left > 0 && found < search.most; --left) {
    if (cursor.Is(element)) {
      if (skipped > 0) {
        skipped -= 1;
      } else {
        reply.Integer(static_cast<int64_t>(cursor.index()));
        found += 1;
      }
    }
    search.from == ListEnd::kFront ? cursor.Next() : cursor.Previous();
  }
  if (search.as_array) return reply.EndArray(mark, found);
  if (found == 0) reply.Null();
}

void LPos(Call& call) {
  std::optional<ElementSearch> search = ParseSearch(call);
  if (!search) return;
  Reading<List> list(call, call.arg(1));
  if (!list.ok()) return;
  if (!list.exists()) return search->as_array ? call.reply().Array(0) : call.reply().Null();
  const size_t items = std::min(list->size(), search->looked_at);
  ReplyFrom(call, *list, items,
            [search = *std::move(search)](ReplyWriter& reply, const List& view) {
              ReplyMatches(reply, view, search);
            });
}

// Read as a table.
// clang-format off
constexpr CommandRow kListSearchCommands[] = {
    {.name = "lpos", .run = LPos, .arity = -3, .flags = kReadonly,
     .keys = {Key(1, kRO | kAccess)}, .since = "6.0.6",
     .complexity = "O(N) for N elements compared.",
     .syntax = "key element [RANK rank] [COUNT num-matches] [MAXLEN len]",
     .summary = "Returns where an element is in a list."},
};
// clang-format on

}  // namespace

CommandFamily ListSearchCommands() { return {CommandGroup::kList, kCatList, kListSearchCommands}; }

}  // namespace cloakroom
