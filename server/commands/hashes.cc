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

// clang-format off: read as a table.
constexpr CommandRow kHashCommands[] = {
    { "hget", HGet, 3, kReadonly | kFast, {Key(1, kRO | kAccess)}, "2.0.0", "O(1)", "key field",
     "Returns the value of a field in a hash."},
    { "hset", HSet, -4, kWrite | kDenyOom | kFast, {Key(1, kRW | kUpdate)}, "2.0.0",
     "O(1) for each field, O(N) for N of them.", "key field value [field value ...]",
     "Sets fields of a hash, and makes the hash where there is none."},
};
// clang-format on

}  // namespace

CommandFamily HashCommands() { return {CommandGroup::kHash, kCatHash, kHashCommands}; }

}  // namespace cloakroom
