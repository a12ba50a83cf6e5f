// Hashes.
#include "server/call.h"
#include "server/commands/families.h"

namespace cloakroom {
namespace {

void HGet(Call& call) {
  Reading<Hash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  auto value = hash->Find(call.arg(2), call.now_ms());
  value ? call.ReplyItem(*value) : call.reply().Null();
}

void HSet(Call& call) {
  if (call.argc() % 2 != 0) return call.WrongArity();
  Writing<MutableHash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  int64_t created = 0;
  for (size_t i = 2; i < call.argc(); i += 2) {
    created += hash->Set(call.arg(i), call.arg(i + 1), call.now_ms()) ? 1 : 0;
  }
  hash.Changed("hset");
  call.reply().Integer(created);
}

constexpr CommandRow kHashCommands[] = {
    {.name = "hget",
     .run = HGet,
     .arity = 3,
     .flags = kReadonly | kFast,
     .keys = {Key(1, kRO | kAccess)},
     .group = CommandGroup::kHash,
     .categories = kCatHash,
     .since = "2.0.0",
     .complexity = "O(1)",
     .syntax = "key field",
     .summary = "Returns the value of a field in a hash."},
    {.name = "hset",
     .run = HSet,
     .arity = -4,
     .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kUpdate)},
     .group = CommandGroup::kHash,
     .categories = kCatHash,
     .since = "2.0.0",
     .complexity = "O(1) for each field, O(N) for N of them.",
     .syntax = "key field value [field value ...]",
     .summary = "Sets fields of a hash, and makes the hash where there is none."},
};

}  // namespace

std::span<const CommandRow> HashCommands() { return kHashCommands; }

}  // namespace cloakroom
