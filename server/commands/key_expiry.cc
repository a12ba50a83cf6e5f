// EXPIRE PEXPIRE EXPIREAT PEXPIREAT EXPIRETIME PEXPIRETIME TTL PTTL PERSIST.
#include <algorithm>

#include "protocol/text.h"
#include "server/commands/families.h"
#include "server/commands/support/expire_time.h"
#include "server/commands/support/key_lookup.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "server/execution/relative_time.h"

namespace cloakroom {
namespace {

/// The condition on the current expiry for setting a new one.
struct Condition {
  bool nx = false;
  bool xx = false;
  bool gt = false;
  bool lt = false;

  bool Allows(int64_t current_ms, int64_t wanted_ms) const {
    bool expires = current_ms != kNoExpiry;
    if (nx && expires) return false;
    if (xx && !expires) return false;
    if (gt && (!expires || wanted_ms <= current_ms)) return false;
    return !(lt && expires && wanted_ms >= current_ms);
  }
};

Condition TakeCondition(Arguments& args) {
  Condition condition;
  while (args.More()) {
    if (args.Word("NX")) {
      condition.nx = true;
    } else if (args.Word("XX")) {
      condition.xx = true;
    } else if (args.Word("GT")) {
      condition.gt = true;
    } else if (args.Word("LT")) {
      condition.lt = true;
    } else {
      args.Fail(Concat({"ERR Unsupported option ", args.Peek()}));
    }
  }
  if (condition.nx && (condition.xx || condition.gt || condition.lt)) {
    args.Fail("ERR NX and XX, GT or LT options at the same time are not compatible");
  }
  if (condition.gt && condition.lt) {
    args.Fail("ERR GT and LT options at the same time are not compatible");
  }
  return condition;
}

template <ExpireForm kForm>
void Expire(Call& call) {
  Arguments args(call, 3);
  const Condition condition = TakeCondition(args);
  args.GoTo(2);
  const int64_t at_ms = TakeAnyExpireTime(args, kForm);
  if (!args.Finish()) return;
  WriteScope scope = call.Open(call.arg(1));
  if (!scope.exists() || !condition.Allows(scope.expire_at_ms(), at_ms)) {
    return call.reply().Integer(0);
  }
  if (at_ms <= call.now_ms()) {
    scope.Delete();
    scope.Changed("del");
  } else {
    scope.SetExpiry(at_ms);
    scope.Changed("expire");
  }
  call.reply().Integer(1);
}

/// Replies -2 without the key, -1 without an expiry, as in Redis; else the expiry in `kForm`.
template <ExpireForm kForm>
void Ttl(Call& call) {
  const Entry* entry = Inspect(call, call.arg(1));
  if (entry == nullptr) return call.reply().Integer(-2);
  if (!entry->has_expiry()) return call.reply().Integer(-1);
  int64_t ms = entry->expire_at_ms() - (kForm.absolute ? 0 : call.now_ms());
  ms = std::max<int64_t>(ms, 0);
  call.reply().Integer(kForm.unit_ms == 1 ? ms : ms / 1000 + (ms % 1000 >= 500 ? 1 : 0));
}

void Persist(Call& call) {
  WriteScope scope = call.Open(call.arg(1));
  if (!scope.exists() || scope.expire_at_ms() == kNoExpiry) return call.reply().Integer(0);
  scope.SetExpiry(kNoExpiry);
  scope.Changed("persist");
  call.reply().Integer(1);
}

constexpr uint32_t kAsks = kReadonly | kFast;
constexpr uint32_t kAsksTheClock = kAsks | kRandomOutput;

// Read as a table.
// clang-format off
constexpr CommandRow kKeyExpiryCommands[] = {
    {.name = "expire", .run = Expire<kInSeconds>, .arity = -3, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .to_absolute = ExpireToAbsolute,
     .since = "1.0.0", .complexity = "O(1)",
     .syntax = "key seconds [condition: NX | XX | GT | LT]",
     .summary = "Lets a key expire in so many seconds."},
    {.name = "pexpire", .run = Expire<kInMilliseconds>, .arity = -3, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .to_absolute = ExpireToAbsolute,
     .since = "2.6.0", .complexity = "O(1)",
     .syntax = "key milliseconds [condition: NX | XX | GT | LT]",
     .summary = "Lets a key expire in so many milliseconds."},
    {.name = "expireat", .run = Expire<kAtSecond>, .arity = -3, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .since = "1.2.0", .complexity = "O(1)",
     .syntax = "key unix-time-seconds [condition: NX | XX | GT | LT]",
     .summary = "Lets a key expire at a time in seconds since 1970."},
    {.name = "pexpireat", .run = Expire<kAtMillisecond>, .arity = -3, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .since = "2.6.0", .complexity = "O(1)",
     .syntax = "key unix-time-milliseconds [condition: NX | XX | GT | LT]",
     .summary = "Lets a key expire at a time in milliseconds since 1970."},
    {.name = "expiretime", .run = Ttl<kAtSecond>, .arity = 2, .flags = kAsks,
     .keys = {Key(1, kRO | kAccess)}, .since = "7.0.0", .complexity = "O(1)",
     .syntax = "key", .summary = "Tells when a key expires, in seconds since 1970."},
    {.name = "pexpiretime", .run = Ttl<kAtMillisecond>, .arity = 2, .flags = kAsks,
     .keys = {Key(1, kRO | kAccess)}, .since = "7.0.0", .complexity = "O(1)",
     .syntax = "key", .summary = "Tells when a key expires, in milliseconds since 1970."},
    {.name = "ttl", .run = Ttl<kInSeconds>, .arity = 2, .flags = kAsksTheClock,
     .keys = {Key(1, kRO | kAccess)}, .since = "1.0.0", .complexity = "O(1)",
     .syntax = "key", .summary = "Tells in how many seconds a key expires."},
    {.name = "pttl", .run = Ttl<kInMilliseconds>, .arity = 2, .flags = kAsksTheClock,
     .keys = {Key(1, kRO | kAccess)}, .since = "2.6.0", .complexity = "O(1)",
     .syntax = "key", .summary = "Tells in how many milliseconds a key expires."},
    {.name = "persist", .run = Persist, .arity = 2, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .since = "2.2.0", .complexity = "O(1)",
     .syntax = "key", .summary = "Lets a key live for ever again."},
};
// clang-format on

}  // namespace

CommandFamily KeyExpiryCommands() {
  return {CommandGroup::kGeneric, kCatKeyspace, kKeyExpiryCommands};
}

}  // namespace cloakroom
