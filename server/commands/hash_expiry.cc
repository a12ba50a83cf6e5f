// The expiry of hash fields: HEXPIRE HTTL HPERSIST and their kin of Redis 7.4, HGETEX HSETEX
// HGETDEL of Redis 8. Replies and errors are Redis 8's.
#include <optional>
#include <string_view>

#include "protocol/text.h"
#include "server/commands/families.h"
#include "server/commands/support/expire_time.h"
#include "server/commands/support/item_expiry.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "server/execution/relative_time.h"

namespace cloakroom {
namespace {

void HExpire(Call& call) { ExpireItems<HashFields>(call, kInSeconds); }
void HPExpire(Call& call) { ExpireItems<HashFields>(call, kInMilliseconds); }
void HExpireAt(Call& call) { ExpireItems<HashFields>(call, kAtSecond); }
void HPExpireAt(Call& call) { ExpireItems<HashFields>(call, kAtMillisecond); }

void HTtl(Call& call) { ReplyItemExpiries<HashFields>(call, kInSeconds); }
void HPTtl(Call& call) { ReplyItemExpiries<HashFields>(call, kInMilliseconds); }
void HExpireTime(Call& call) { ReplyItemExpiries<HashFields>(call, kAtSecond); }
void HPExpireTime(Call& call) { ReplyItemExpiries<HashFields>(call, kAtMillisecond); }

void HPersist(Call& call) { PersistItems<HashFields>(call); }

void HGetDel(Call& call) {
  Writing<MutableHash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  Arguments args(call, 2);
  TakeItemCount(args, HashFields::kWords, HashFields::kWords.not_positive);
  if (!args.Finish()) return;
  bool erased = false;
  call.reply().Array(args.left());
  for (std::string_view field : args.Rest()) {
    auto value = hash->view().Find(field, call.now_ms());
    value ? call.ReplyItem(*value) : call.reply().Null();
    erased |= hash->Erase(field, call.now_ms());
  }
  if (erased) hash.Changed("hdel");
}

void HGetEx(Call& call) {
  if (HoldsOther<HashFields>(call)) return;
  Arguments args(call, 2);
  std::optional<int64_t> at_ms;
  if (std::optional<ExpireForm> form = TakeExpireForm(args)) {
    at_ms = TakeFieldExpireTime(args, *form);
  }
  const bool persist = !at_ms && args.Word("PERSIST");
  TakeItemCount(args, HashFields::kWords, HashFields::kWords.not_positive);
  if (!args.Finish()) return;
  Writing<MutableHash> hash(call, call.arg(1));
  const int64_t now_ms = call.now_ms();
  ItemTally tally;
  call.reply().Array(args.left());
  for (std::string_view field : args.Rest()) {
    auto value = hash->view().Find(field, now_ms);
    value ? call.ReplyItem(*value) : call.reply().Null();
    if (at_ms) {
      tally.Count(ExpireItem<HashFields>(*hash, field, *at_ms, ExpireCondition::kNone, now_ms));
    }
    if (persist) tally.Count(PersistItem<HashFields>(*hash, field, now_ms));
  }
  if (tally.changed()) {
    hash.Changed(tally.deleted > 0 ? "hdel" : persist ? "hpersist" : "hexpire");
  }
}

/// The options before HSETEX's fields.
struct HSetExOptions {
  enum class Exists : uint8_t { kEither, kAll, kNone };
  Exists demands = Exists::kEither;
  bool keep_ttl = false;
  std::optional<int64_t> at_ms;
};

void TakeHSetExOption(Arguments& args, HSetExOptions& options) {
  const std::optional<ExpireForm> form = TakeExpireForm(args);
  const bool keep_ttl = !form && args.Word("KEEPTTL");
  if (form || keep_ttl) {
    if (options.at_ms || options.keep_ttl) {
      args.Fail("ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified");
    }
    options.keep_ttl = keep_ttl;
    if (keep_ttl) return;
    if (args.left() == 0) args.Fail("ERR missing expire time");
    options.at_ms = TakeFieldExpireTime(args, *form);
    return;
  }
  const bool all = args.Word("FXX");
  if (!all && !args.Word("FNX")) args.Fail(Concat({"ERR unknown argument: ", args.Peek()}));
  if (options.demands != HSetExOptions::Exists::kEither) {
    args.Fail("ERR Only one of FXX or FNX arguments can be specified");
  }
  options.demands = all ? HSetExOptions::Exists::kAll : HSetExOptions::Exists::kNone;
}

/// Takes everything before HSETEX's pairs of field and value.
HSetExOptions TakeHSetExOptions(Arguments& args) {
  HSetExOptions options;
  while (args.More() && !args.Word("FIELDS")) TakeHSetExOption(args, options);
  if (args.left() < 3) args.WrongArity();
  const int64_t count = args.IntegerIn(1, INT32_MAX, "ERR invalid number of fields");
  if (static_cast<size_t>(count) * 2 != args.left()) args.WrongArity();
  return options;
}

bool MeetsDemand(Call& call, const Hash& hash, HSetExOptions::Exists demands,
                 CommandArguments pairs) {
  if (demands == HSetExOptions::Exists::kEither) return true;
  const bool wanted = demands == HSetExOptions::Exists::kAll;
  for (size_t i = 0; i < pairs.size(); i += 2) {
    if (hash.Find(pairs[i], call.now_ms()).has_value() != wanted) return false;
  }
  return true;
}

void HSetEx(Call& call) {
  Arguments args(call, 2);
  const HSetExOptions options = TakeHSetExOptions(args);
  if (!args.Finish()) return;
  Writing<MutableHash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  const CommandArguments pairs = args.Rest();
  if (!MeetsDemand(call, hash->view(), options.demands, pairs)) return call.reply().Integer(0);
  const auto expiry = options.keep_ttl ? MutableHash::Expiry::kKeep : MutableHash::Expiry::kClear;
  ItemTally tally;
  for (size_t i = 0; i < pairs.size(); i += 2) {
    hash->Set(pairs[i], pairs[i + 1], call.now_ms(), expiry);
    if (!options.at_ms) continue;
    tally.Count(ExpireItem<HashFields>(*hash, pairs[i], *options.at_ms, ExpireCondition::kNone,
                                       call.now_ms()));
  }
  hash.Changed("hset");
  if (tally.changed()) hash.Changed(tally.deleted > 0 ? "hdel" : "hexpire");
  call.reply().Integer(1);
}

// Read as a table.
// clang-format off
constexpr CommandRow kHashExpiryCommands[] = {
    {.name = "hexpire", .run = HExpire, .arity = -6, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .to_absolute = ExpireToAbsolute,
     .since = "7.4.0", .complexity = "O(N) for N fields.",
     .syntax = "key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
     .summary = "Lets fields of a hash expire after so many seconds."},
    {.name = "hexpireat", .run = HExpireAt, .arity = -6, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .since = "7.4.0", .complexity = "O(N) for N fields.",
     .syntax = "key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
     .summary = "Lets fields of a hash expire at a Unix time in seconds."},
    {.name = "hexpiretime", .run = HExpireTime, .arity = -5, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO | kAccess)}, .since = "7.4.0", .complexity = "O(N) for N fields.",
     .syntax = "key FIELDS numfields field [field ...]",
     .summary = "Returns when fields of a hash expire, as Unix times in seconds."},
    {.name = "hgetdel", .run = HGetDel, .arity = -5, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kAccess | kDelete)}, .since = "8.0.0",
     .complexity = "O(N) for N fields.",
     .syntax = "key FIELDS numfields field [field ...]",
     .summary = "Returns the values of fields of a hash and removes the fields."},
    {.name = "hgetex", .run = HGetEx, .arity = -5, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kAccess | kUpdate)}, .to_absolute = OptionToAbsolute, .since = "8.0.0",
     .complexity = "O(N) for N fields.",
     .syntax = "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT "
               "unix-time-milliseconds | PERSIST] FIELDS numfields field [field ...]",
     .summary = "Returns the values of fields of a hash and sets or clears when they expire."},
    {.name = "hpersist", .run = HPersist, .arity = -5, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .since = "7.4.0", .complexity = "O(N) for N fields.",
     .syntax = "key FIELDS numfields field [field ...]",
     .summary = "Keeps fields of a hash from expiring."},
    {.name = "hpexpire", .run = HPExpire, .arity = -6, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .to_absolute = ExpireToAbsolute,
     .since = "7.4.0", .complexity = "O(N) for N fields.",
     .syntax = "key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
     .summary = "Lets fields of a hash expire after so many milliseconds."},
    {.name = "hpexpireat", .run = HPExpireAt, .arity = -6, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .since = "7.4.0", .complexity = "O(N) for N fields.",
     .syntax = "key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
     .summary = "Lets fields of a hash expire at a Unix time in milliseconds."},
    {.name = "hpexpiretime", .run = HPExpireTime, .arity = -5, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO | kAccess)}, .since = "7.4.0", .complexity = "O(N) for N fields.",
     .syntax = "key FIELDS numfields field [field ...]",
     .summary = "Returns when fields of a hash expire, as Unix times in milliseconds."},
    {.name = "hpttl", .run = HPTtl, .arity = -5, .flags = kReadonly | kFast | kRandomOutput,
     .keys = {Key(1, kRO | kAccess)}, .since = "7.4.0", .complexity = "O(N) for N fields.",
     .syntax = "key FIELDS numfields field [field ...]",
     .summary = "Returns in how many milliseconds fields of a hash expire."},
    {.name = "hsetex", .run = HSetEx, .arity = -6, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .to_absolute = OptionToAbsolute,
     .since = "8.0.0", .complexity = "O(N) for N fields.",
     .syntax = "key [FNX | FXX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT "
               "unix-time-milliseconds | KEEPTTL] FIELDS numfields field value [field value ...]",
     .summary = "Sets fields of a hash and when they expire."},
    {.name = "httl", .run = HTtl, .arity = -5, .flags = kReadonly | kFast | kRandomOutput,
     .keys = {Key(1, kRO | kAccess)}, .since = "7.4.0", .complexity = "O(N) for N fields.",
     .syntax = "key FIELDS numfields field [field ...]",
     .summary = "Returns in how many seconds fields of a hash expire."},
};
// clang-format on

}  // namespace

CommandFamily HashExpiryCommands() { return {CommandGroup::kHash, kCatHash, kHashExpiryCommands}; }

}  // namespace cloakroom
