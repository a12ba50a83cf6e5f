// Parts of strings: APPEND STRLEN SETRANGE GETRANGE SUBSTR.
#include <algorithm>
#include <optional>

#include "server/commands/families.h"
#include "server/commands/support/string_size.h"
#include "server/execution/call.h"

namespace cloakroom {
namespace {

void Append(Call& call) {
  Writing<MutableString> string(call, call.arg(1));
  if (!string.ok()) return;
  if (!string.exists()) {
    // Stored as SET would store it: a number stays a number.
    string->Assign(call.arg(2));
  } else {
    if (!CheckStringSize(call, string->view().size() + call.arg(2).size())) return;
    string->Append(call.arg(2));
  }
  string.Changed("append");
  call.reply().Integer(static_cast<int64_t>(string->view().size()));
}

void StrLen(Call& call) {
  Reading<StringView> string(call, call.arg(1));
  if (string.ok()) call.reply().Integer(static_cast<int64_t>(string->size()));
}

void SetRange(Call& call) {
  std::optional<int64_t> offset = call.Integer(2);
  if (!offset) return;
  if (*offset < 0) return call.Error("ERR offset is out of range");
  Writing<MutableString> string(call, call.arg(1));
  if (!string.ok()) return;
  const std::string_view bytes = call.arg(3);
  size_t size = string->view().size();
  if (!bytes.empty()) {
    const uint64_t at = static_cast<uint64_t>(*offset);
    if (!CheckStringSize(call, at + bytes.size())) return;
    size = string->SetRange(at, bytes);
    string.Changed("setrange");
  }
  call.reply().Integer(static_cast<int64_t>(size));
}

void GetRange(Call& call) {
  std::optional<int64_t> start = call.Integer(2);
  if (!start) return;
  std::optional<int64_t> end = call.Integer(3);
  if (!end) return;
  Reading<StringView> string(call, call.arg(1));
  if (!string.ok()) return;
  const int64_t size = static_cast<int64_t>(string->size());
  const bool reversed = *start < 0 && *end < 0 && *start > *end;
  // Both are clamped to the first byte: Redis replies with it if the whole range lies before the
  // string.
  const int64_t first = *start < 0 ? std::max<int64_t>(*start + size, 0) : *start;
  const int64_t last = std::min(*end < 0 ? std::max<int64_t>(*end + size, 0) : *end, size - 1);
  if (reversed || first > last) return call.reply().Bulk("");
  call.ReplyRange(*string, static_cast<size_t>(first), static_cast<size_t>(last - first + 1));
}

// Read as a table.
// clang-format off
constexpr CommandRow kStringRangeCommands[] = {
    {.name = "append", .run = Append, .arity = 3, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kInsert)}, .since = "2.0.0",
     .complexity = "O(1) amortised: a growing string allocates ahead.",
     .syntax = "key value", .summary = "Appends to a string, and makes it where there is none."},
    {.name = "strlen", .run = StrLen, .arity = 2, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO)}, .since = "2.2.0", .complexity = "O(1)",
     .syntax = "key", .summary = "Returns the length of a string in bytes."},
    {.name = "setrange", .run = SetRange, .arity = 4, .flags = kWrite | kDenyOom,
     .keys = {Key(1, kRW | kUpdate)}, .since = "2.2.0",
     .complexity = "O(M) for M bytes of value, and the padding in front of them.",
     .syntax = "key offset value",
     .summary = "Overwrites a part of a string, padding it with zero bytes up to there."},
    {.name = "getrange", .run = GetRange, .arity = 4, .flags = kReadonly,
     .keys = {Key(1, kRO | kAccess)}, .since = "2.4.0", .complexity = "O(N) for N bytes returned",
     .syntax = "key start end",
     .summary = "Returns the part of a string between two offsets, both included."},
    {.name = "substr", .run = GetRange, .arity = 4, .flags = kReadonly,
     .keys = {Key(1, kRO | kAccess)}, .since = "1.0.0",
     .deprecated_since = "2.0.0",
     .replaced_by = "`GETRANGE`",
     .complexity = "O(N) for N bytes returned",
     .syntax = "key start end", .summary = "Returns a part of a string; the old name of GETRANGE."},
};
// clang-format on

}  // namespace

CommandFamily StringRangeCommands() {
  return {CommandGroup::kString, kCatString, kStringRangeCommands};
}

}  // namespace cloakroom
