// Commands on one list. LPOS is in list_search.cc; those that move elements are in list_moves.cc,
// those that wait for them in list_blocking.cc.
#include <algorithm>
#include <optional>

#include "server/commands/families.h"
#include "server/commands/support/list_ends.h"
#include "server/commands/support/long_reply.h"
#include "server/execution/call.h"

namespace cloakroom {
namespace {

/// Freeing more elements than this is left to the reclaimer.
constexpr size_t kReclaimedElements = 1000;

void Push(Call& call, ListEnd end, bool only_existing) {
  Writing<MutableList> list(call, call.arg(1));
  if (!list.ok()) return;
  if (only_existing && !list.exists()) return call.reply().Integer(0);
  const CommandArguments elements = call.args().subspan(2);
  list->Push(end, elements);
  list.Changed(PushEventOf(end), static_cast<int64_t>(elements.size()));
  call.reply().Integer(static_cast<int64_t>(list->view().size()));
}

void LPush(Call& call) { Push(call, ListEnd::kFront, /*only_existing=*/false); }
void RPush(Call& call) { Push(call, ListEnd::kBack, /*only_existing=*/false); }
void LPushX(Call& call) { Push(call, ListEnd::kFront, /*only_existing=*/true); }
void RPushX(Call& call) { Push(call, ListEnd::kBack, /*only_existing=*/true); }

void PopCount(Call& call, ListEnd end) {
  const std::optional<int64_t> wanted =
      call.IntegerIn(2, 0, INT64_MAX, "ERR value is out of range, must be positive");
  if (!wanted) return;
  Writing<MutableList> list(call, call.arg(1));
  if (!list.ok()) return;
  if (!list.exists()) return call.reply().NullArray();
  const size_t size = list->view().size();
  const size_t count = std::min(size, static_cast<size_t>(*wanted));
  ReplyFrom(call, list->view(), count, [end, count](ReplyWriter& reply, const List& view) {
    reply.Array(count);
    ReplyFromEnd(reply, view, end, count);
  });
  if (count == 0) return;
  if (count == size && count > kReclaimedElements) {
    list.scope().Delete();
  } else {
    list->Pop(end, count);
  }
  list.Changed(PopEventOf(end), static_cast<int64_t>(count));
}

void PopOne(Call& call, ListEnd end) {
  if (call.argc() > 3) return call.WrongArity();
  if (call.argc() == 3) return PopCount(call, end);
  Writing<MutableList> list(call, call.arg(1));
  if (!list.ok()) return;
  if (!list.exists()) return call.reply().Null();
  ReplyFromEnd(call.reply(), list->view(), end, 1);
  list->Pop(end, 1);
  list.Changed(PopEventOf(end));
}

void LPop(Call& call) { PopOne(call, ListEnd::kFront); }
void RPop(Call& call) { PopOne(call, ListEnd::kBack); }

void LLen(Call& call) {
  Reading<List> list(call, call.arg(1));
  if (!list.ok()) return;
  call.reply().Integer(static_cast<int64_t>(list->size()));
}

/// The place that an index means, which counts from the end if it is negative.
std::optional<size_t> PlaceOf(int64_t index, size_t size) {
  if (index < 0) index += static_cast<int64_t>(size);
  if (index < 0 || static_cast<size_t>(index) >= size) return std::nullopt;
  return static_cast<size_t>(index);
}

void LIndex(Call& call) {
  Reading<List> list(call, call.arg(1));
  if (!list.ok()) return;
  if (!list.exists()) return call.reply().Null();
  const std::optional<int64_t> index = call.Integer(2);
  if (!index) return;
  const std::optional<size_t> place = PlaceOf(*index, list->size());
  if (!place) return call.reply().Null();
  call.reply().Bulk(list->At(*place).element().view());
}

void LSet(Call& call) {
  Writing<MutableList> list(call, call.arg(1));
  if (!list.ok()) return;
  if (!list.exists()) return call.Error(kNoSuchKey);
  const std::optional<int64_t> index = call.Integer(2);
  if (!index) return;
  const std::optional<size_t> place = PlaceOf(*index, list->view().size());
  if (!place) return call.Error(kOutOfRange);
  list->Set(*place, call.arg(3));
  list.Changed("lset");
  call.reply().Ok();
}

void LInsert(Call& call) {
  const bool behind = call.Is(2, "AFTER");
  if (!behind && !call.Is(2, "BEFORE")) return call.SyntaxError();
  Writing<MutableList> list(call, call.arg(1));
  if (!list.ok()) return;
  if (!list.exists()) return call.reply().Integer(0);
  const ListCode pivot(call.arg(3));
  ListCursor cursor = list->view().At(0);
  while (cursor.at() && !cursor.Is(pivot)) cursor.Next();
  if (!cursor.at()) return call.reply().Integer(-1);
  list->Insert(cursor.index() + (behind ? 1 : 0), call.arg(4));
  list.scope().LogItem(ChangeKind::kInsertElement, {call.arg(3), call.arg(4)}, behind ? 1 : 0);
  list.Changed("linsert");
  call.reply().Integer(static_cast<int64_t>(list->view().size()));
}

void LRem(Call& call) {
  const std::optional<int64_t> count = call.Integer(2);
  if (!count) return;
  Writing<MutableList> list(call, call.arg(1));
  if (!list.ok()) return;
  if (!list.exists()) return call.reply().Integer(0);
  // 0 means all. The smallest integer has no absolute value; there are never so many elements.
  const size_t limit = *count == 0  ? SIZE_MAX
                       : *count < 0 ? ~static_cast<size_t>(*count) + 1
                                    : static_cast<size_t>(*count);
  const size_t erased =
      list->EraseEqual(call.arg(3), *count < 0 ? ListEnd::kBack : ListEnd::kFront, limit);
  if (erased > 0) {
    list.scope().LogItem(ChangeKind::kEraseElements, {call.arg(3)}, *count);
    list.Changed("lrem", static_cast<int64_t>(erased));
  }
  call.reply().Integer(static_cast<int64_t>(erased));
}

/// A part of a list.
struct ListRange {
  size_t first = 0;
  size_t count = 0;
};

/// The part from `first` to `last`, both included; negative numbers count from the end.
ListRange RangeOf(int64_t first, int64_t last, size_t size) {
  const auto end = static_cast<int64_t>(size);
  if (first < 0) first = std::max<int64_t>(first + end, 0);
  if (last < 0) last += end;
  last = std::min(last, end - 1);
  if (first > last) return {};
  return {static_cast<size_t>(first), static_cast<size_t>(last - first + 1)};
}

struct RangeEnds {
  int64_t first;
  int64_t last;
};

std::optional<RangeEnds> ParseRange(Call& call) {
  const std::optional<int64_t> first = call.Integer(2);
  if (!first) return std::nullopt;
  const std::optional<int64_t> last = call.Integer(3);
  if (!last) return std::nullopt;
  return RangeEnds{*first, *last};
}

void LRange(Call& call) {
  const std::optional<RangeEnds> ends = ParseRange(call);
  if (!ends) return;
  Reading<List> list(call, call.arg(1));
  if (!list.ok()) return;
  const ListRange range = RangeOf(ends->first, ends->last, list->size());
  ReplyFrom(call, *list, range.count, [range](ReplyWriter& reply, const List& view) {
    reply.Array(range.count);
    view.ForEach(range.first, range.count, [&](std::string_view element) { reply.Bulk(element); });
  });
}

void LTrim(Call& call) {
  const std::optional<RangeEnds> ends = ParseRange(call);
  if (!ends) return;
  Writing<MutableList> list(call, call.arg(1));
  if (!list.ok()) return;
  call.reply().Ok();
  if (!list.exists()) return;
  const size_t size = list->view().size();
  const ListRange kept = RangeOf(ends->first, ends->last, size);
  if (kept.count == 0) {
    list.scope().Delete();
  } else if (kept.count < size) {
    list->Trim(kept.first, kept.count);
    list.scope().LogItem(ChangeKind::kTrimElements, {call.arg(2), call.arg(3)}, 0);
  }
  list.Changed("ltrim", static_cast<int64_t>(size - kept.count));
}

// Read as a table.
// clang-format off
constexpr CommandRow kListCommands[] = {
    {.name = "lindex", .run = LIndex, .arity = 3, .flags = kReadonly,
     .keys = {Key(1, kRO | kAccess)}, .since = "1.0.0",
     .complexity = "O(log N) for a list of N elements.",
     .syntax = "key index", .summary = "Returns the element of a list at an index."},
    {.name = "linsert", .run = LInsert, .arity = 5, .flags = kWrite | kDenyOom,
     .keys = {Key(1, kRW | kInsert)}, .since = "2.2.0",
     .complexity = "O(N) for N elements before the pivot.",
     .syntax = "key <where: BEFORE | AFTER> pivot element",
     .summary = "Puts an element before or behind another one."},
    {.name = "llen", .run = LLen, .arity = 2, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO)}, .since = "1.0.0", .complexity = "O(1)",
     .syntax = "key", .summary = "Returns how many elements a list has."},
    {.name = "lpop", .run = LPop, .arity = -2, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kAccess | kDelete)}, .since = "1.0.0",
     .complexity = "O(N) for N elements returned.",
     .syntax = "key [count]",
     .summary = "Removes the first elements of a list, and returns them."},
    {.name = "lpush", .run = LPush, .arity = -3, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kInsert)}, .since = "1.0.0",
     .complexity = "O(1) for each element, O(N) for N of them.",
     .syntax = "key element [element ...]",
     .summary = "Puts elements at the head of a list, and makes the list where there is none."},
    {.name = "lpushx", .run = LPushX, .arity = -3, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kInsert)}, .since = "2.2.0",
     .complexity = "O(1) for each element, O(N) for N of them.",
     .syntax = "key element [element ...]",
     .summary = "Puts elements at the head of a list, if there is one."},
    {.name = "lrange", .run = LRange, .arity = 4, .flags = kReadonly,
     .keys = {Key(1, kRO | kAccess)}, .since = "1.0.0",
     .complexity = "O(log N + M) for M of a list's N elements.",
     .syntax = "key start stop", .summary = "Returns the elements between two indexes."},
    {.name = "lrem", .run = LRem, .arity = 4, .flags = kWrite,
     .keys = {Key(1, kRW | kDelete)}, .since = "1.0.0",
     .complexity = "O(N) for a list of N elements.",
     .syntax = "key count element",
     .summary = "Removes elements that are equal to one, from either end."},
    {.name = "lset", .run = LSet, .arity = 4, .flags = kWrite | kDenyOom,
     .keys = {Key(1, kRW | kUpdate)}, .since = "1.0.0",
     .complexity = "O(log N) for a list of N elements.",
     .syntax = "key index element", .summary = "Replaces the element at an index."},
    {.name = "ltrim", .run = LTrim, .arity = 4, .flags = kWrite,
     .keys = {Key(1, kRW | kDelete)}, .since = "1.0.0",
     .complexity = "O(N) for N elements removed.",
     .syntax = "key start stop",
     .summary = "Removes all elements but those between two indexes."},
    {.name = "rpop", .run = RPop, .arity = -2, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kAccess | kDelete)}, .since = "1.0.0",
     .complexity = "O(N) for N elements returned.",
     .syntax = "key [count]",
     .summary = "Removes the last elements of a list, and returns them."},
    {.name = "rpush", .run = RPush, .arity = -3, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kInsert)}, .since = "1.0.0",
     .complexity = "O(1) for each element, O(N) for N of them.",
     .syntax = "key element [element ...]",
     .summary = "Puts elements at the tail of a list, and makes the list where there is none."},
    {.name = "rpushx", .run = RPushX, .arity = -3, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kInsert)}, .since = "2.2.0",
     .complexity = "O(1) for each element, O(N) for N of them.",
     .syntax = "key element [element ...]",
     .summary = "Puts elements at the tail of a list, if there is one."},
};
// clang-format on

}  // namespace

CommandFamily ListCommands() { return {CommandGroup::kList, kCatList, kListCommands}; }

}  // namespace cloakroom
