// DEL UNLINK EXISTS TOUCH TYPE.
#include "server/commands/families.h"
#include "server/commands/support/key_lookup.h"
#include "server/execution/call.h"
#include "storage/access/lookup.h"
#include "storage/values/type_ops.h"

namespace cloakroom {
namespace {

/// DEL and UNLINK. Both free large values on another thread.
void Del(Call& call) {
  int64_t removed = 0;
  for (size_t i = 1; i < call.argc(); ++i) {
    WriteScope scope = call.Open(call.arg(i));
    if (!scope.exists()) continue;
    scope.Delete();
    scope.Changed("del");
    ++removed;
  }
  call.reply().Integer(removed);
}

void Exists(Call& call) {
  int64_t found = 0;
  for (size_t i = 1; i < call.argc(); ++i) found += Inspect(call, call.arg(i)) != nullptr ? 1 : 0;
  call.reply().Integer(found);
}

/// Counts as an access even under CLIENT NO-TOUCH.
void Touch(Call& call) {
  int64_t touched = 0;
  for (size_t i = 1; i < call.argc(); ++i) {
    std::string_view key = call.arg(i);
    bool found = FindKey(call.hold(), call.db(), key, call.HashOf(key), call.now_ms(),
                         call.random()) != nullptr;
    ThreadStats& stats = call.thread().stats;
    (found ? stats.keyspace_hits : stats.keyspace_misses) += 1;
    touched += found ? 1 : 0;
    if (!found) NoteMiss(call.hold(), call.db(), key);
  }
  call.reply().Integer(touched);
}

void Type(Call& call) {
  const Entry* entry = Inspect(call, call.arg(1));
  call.reply().Simple(entry == nullptr ? "none" : OpsOf(entry->type()).name);
}

// Read as a table.
// clang-format off
constexpr CommandRow kKeyCommands[] = {
    {.name = "del", .run = Del, .arity = -2, .flags = kWrite,
     .keys = {KeyRange(1, -1, 1, kRM | kDelete)},
     .request_policy = "multi_shard", .response_policy = "agg_sum", .since = "1.0.0",
     .complexity = "O(N) for N keys.",
     .syntax = "key [key ...]", .summary = "Removes keys."},
    {.name = "unlink", .run = Del, .arity = -2, .flags = kWrite | kFast,
     .keys = {KeyRange(1, -1, 1, kRM | kDelete)},
     .request_policy = "multi_shard", .response_policy = "agg_sum", .since = "4.0.0",
     .complexity = "O(1) for each key; its memory is freed on another thread.",
     .syntax = "key [key ...]", .summary = "Removes keys, and frees them in the background."},
    {.name = "exists", .run = Exists, .arity = -2, .flags = kReadonly | kFast,
     .keys = {KeyRange(1, -1, 1, kRO)},
     .request_policy = "multi_shard", .response_policy = "agg_sum",
     .since = "1.0.0", .complexity = "O(N) for N keys.",
     .syntax = "key [key ...]", .summary = "Counts how many of the named keys there are."},
    {.name = "touch", .run = Touch, .arity = -2, .flags = kReadonly | kFast,
     .keys = {KeyRange(1, -1, 1, kRO)},
     .request_policy = "multi_shard", .response_policy = "agg_sum",
     .since = "3.2.1", .complexity = "O(N) for N keys.",
     .syntax = "key [key ...]",
     .summary = "Makes keys count as just used, and tells how many there are."},
    {.name = "type", .run = Type, .arity = 2, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO)}, .since = "1.0.0", .complexity = "O(1)",
     .syntax = "key", .summary = "Tells what type of value a key holds."},
};
// clang-format on

}  // namespace

CommandFamily KeyCommands() { return {CommandGroup::kGeneric, kCatKeyspace, kKeyCommands}; }

}  // namespace cloakroom
