// DEL UNLINK EXISTS TOUCH TYPE.
#include "server/commands/families.h"
#include "server/commands/support/key_lookup.h"
#include "server/execution/call.h"
#include "storage/access/lookup.h"

namespace cloakroom {
namespace {

/// DEL and UNLINK: what is large is freed on another thread either way.
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

/// An access even for a client that asked for NO-TOUCH.
void Touch(Call& call) {
  int64_t touched = 0;
  for (size_t i = 1; i < call.argc(); ++i) {
    std::string_view key = call.arg(i);
    bool found = FindKey(call.hold(), call.db(), key, call.HashOf(key), call.now_ms(),
                         call.random()) != nullptr;
    ThreadStats& stats = call.thread().stats;
    (found ? stats.keyspace_hits : stats.keyspace_misses) += 1;
    touched += found ? 1 : 0;
  }
  call.reply().Integer(touched);
}

void Type(Call& call) {
  const Entry* entry = Inspect(call, call.arg(1));
  call.reply().Simple(entry == nullptr ? "none" : TypeName(entry->type()));
}

// Read as a table.
// clang-format off
constexpr CommandRow kKeyCommands[] = {
    { "del", Del, -2, kWrite, {KeyRange(1, -1, 1, kRM | kDelete)}, "1.0.0", "O(N) for N keys.",
     "key [key ...]", "Removes keys."},
    { "unlink", Del, -2, kWrite | kFast, {KeyRange(1, -1, 1, kRM | kDelete)}, "4.0.0",
     "O(1) for each key; its memory is freed on another thread.", "key [key ...]",
     "Removes keys, and frees them in the background."},
    { "exists", Exists, -2, kReadonly | kFast, {KeyRange(1, -1, 1, kRO)}, "1.0.0",
     "O(N) for N keys.", "key [key ...]", "Counts how many of the named keys there are."},
    { "touch", Touch, -2, kReadonly | kFast, {KeyRange(1, -1, 1, kRO)}, "3.2.1", "O(N) for N keys.",
     "key [key ...]", "Makes keys count as just used, and tells how many there are."},
    { "type", Type, 2, kReadonly | kFast, {Key(1, kRO)}, "1.0.0", "O(1)", "key",
     "Tells what type of value a key holds."},
};
// clang-format on

}  // namespace

CommandFamily KeyCommands() { return {CommandGroup::kGeneric, kCatKeyspace, kKeyCommands}; }

}  // namespace cloakroom
