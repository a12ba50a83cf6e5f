// The expiry of hash fields: HEXPIRE HTTL HPERSIST and their kin of Redis 7.4, HGETEX HSETEX
// HGETDEL of Redis 8. Replies and errors are Redis 8's.
#include <optional>
#include <string_view>

#include "protocol/text.h"
#include "server/commands/families.h"
#include "server/commands/support/expire_time.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"

namespace cloakroom {
namespace {

constexpr std::string_view kFieldsMissing =
    "ERR Mandatory argument FIELDS is missing or not at the right position";
constexpr std::string_view kFieldCountMismatch =
    "ERR The `numfields` parameter must match the number of arguments";
constexpr std::string_view kFieldCountNotPositive =
    "ERR Number of fields must be a positive integer";

/// What a command replies for each field; Redis' numbers.
enum FieldReply : int64_t { kNoField = -2, kNoExpirySet = -1, kUnmet = 0, kDone = 1, kGone = 2 };

/// Takes "FIELDS numfields" and checks that as many fields follow, to the end.
void TakeFieldCount(Arguments& args, std::string_view bad_count = kFieldCountNotPositive) {
  if (!args.Word("FIELDS")) args.Fail(kFieldsMissing);
  if (args.left() == 0) args.Fail(kFieldCountMismatch);
  const int64_t count = args.IntegerIn(1, INT64_MAX, bad_count);
  if (static_cast<size_t>(count) != args.left()) args.Fail(kFieldCountMismatch);
}

/// Replies WRONGTYPE if the key holds another type: these commands check their key before their
/// arguments.
bool HoldsOther(Call& call) {
  const Entry* entry = call.Find(call.arg(1));
  if (entry == nullptr || entry->type() == Hash::kType) return false;
  call.Error(kWrongType);
  return true;
}

/// What HEXPIRE's option requires of a field's current expiry.
enum class Condition : uint8_t { kNone, kNx, kXx, kGt, kLt };

Condition TakeCondition(Arguments& args) {
  if (args.Word("NX")) return Condition::kNx;
  if (args.Word("XX")) return Condition::kXx;
  if (args.Word("GT")) return Condition::kGt;
  if (args.Word("LT")) return Condition::kLt;
  return Condition::kNone;
}

/// A field without expiry never expires, which is later than every time.
bool Meets(Condition condition, int64_t old_ms, int64_t new_ms) {
  switch (condition) {
    case Condition::kNone:
      return true;
    case Condition::kNx:
      return old_ms == kNever;
    case Condition::kXx:
      return old_ms != kNever;
    case Condition::kGt:
      return new_ms > old_ms;
    case Condition::kLt:
      return new_ms < old_ms;
  }
  return false;
}

/// Counts what became of a command's fields, for its one event.
struct Tally {
  int updated = 0;
  int deleted = 0;

  void Count(FieldReply outcome) {
    updated += outcome == kDone ? 1 : 0;
    deleted += outcome == kGone ? 1 : 0;
  }
  bool changed() const { return updated + deleted > 0; }
};

/// Sets a field's expiry, or removes the field if that time has passed.
FieldReply ExpireField(MutableHash& hash, std::string_view field, int64_t at_ms,
                       Condition condition, int64_t now_ms) {
  std::optional<int64_t> old_ms = hash.view().FieldExpiry(field, now_ms);
  if (!old_ms) return kNoField;
  if (!Meets(condition, *old_ms, at_ms)) return kUnmet;
  if (at_ms <= now_ms) {
    hash.Erase(field, now_ms);
    return kGone;
  }
  hash.SetFieldExpiry(field, at_ms, now_ms);
  return kDone;
}

void Expire(Call& call, ExpireForm form) {
  if (HoldsOther(call)) return;
  Arguments args(call, 2);
  const int64_t at_ms = TakeFieldExpireTime(args, form);
  const Condition condition = TakeCondition(args);
  TakeFieldCount(args, "ERR Parameter `numFields` should be greater than 0");
  if (!args.Finish()) return;
  Writing<MutableHash> hash(call, call.arg(1));
  Tally tally;
  call.reply().Array(args.left());
  for (std::string_view field : args.Rest()) {
    FieldReply outcome = ExpireField(*hash, field, at_ms, condition, call.now_ms());
    tally.Count(outcome);
    call.reply().Integer(outcome);
  }
  if (tally.changed()) hash.Changed(tally.deleted > 0 ? "hdel" : "hexpire");
}

void HExpire(Call& call) { Expire(call, kInSeconds); }
void HPExpire(Call& call) { Expire(call, kInMilliseconds); }
void HExpireAt(Call& call) { Expire(call, kAtSecond); }
void HPExpireAt(Call& call) { Expire(call, kAtMillisecond); }

void ReplyExpiries(Call& call, ExpireForm form) {
  Reading<Hash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  Arguments args(call, 2);
  TakeFieldCount(args);
  if (!args.Finish()) return;
  const int64_t base_ms = form.absolute ? 0 : call.now_ms();
  call.reply().Array(args.left());
  for (std::string_view field : args.Rest()) {
    std::optional<int64_t> at_ms = hash->FieldExpiry(field, call.now_ms());
    if (!at_ms) {
      call.reply().Integer(kNoField);
    } else if (*at_ms == kNever) {
      call.reply().Integer(kNoExpirySet);
    } else if (form.unit_ms != 1) {
      call.reply().Integer((*at_ms - base_ms + 999) / 1000);
    } else {
      call.reply().Integer(*at_ms - base_ms);
    }
  }
}

void HTtl(Call& call) { ReplyExpiries(call, kInSeconds); }
void HPTtl(Call& call) { ReplyExpiries(call, kInMilliseconds); }
void HExpireTime(Call& call) { ReplyExpiries(call, kAtSecond); }
void HPExpireTime(Call& call) { ReplyExpiries(call, kAtMillisecond); }

FieldReply Persist(MutableHash& hash, std::string_view field, int64_t now_ms) {
  if (hash.PersistField(field, now_ms)) return kDone;
  return hash.view().Find(field, now_ms) ? kNoExpirySet : kNoField;
}

void HPersist(Call& call) {
  Writing<MutableHash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  Arguments args(call, 2);
  TakeFieldCount(args);
  if (!args.Finish()) return;
  Tally tally;
  call.reply().Array(args.left());
  for (std::string_view field : args.Rest()) {
    FieldReply outcome = Persist(*hash, field, call.now_ms());
    tally.Count(outcome);
    call.reply().Integer(outcome);
  }
  if (tally.changed()) hash.Changed("hpersist");
}

void HGetDel(Call& call) {
  Writing<MutableHash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  Arguments args(call, 2);
  TakeFieldCount(args);
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
  if (HoldsOther(call)) return;
  Arguments args(call, 2);
  std::optional<int64_t> at_ms;
  if (std::optional<ExpireForm> form = TakeExpireForm(args)) {
    at_ms = TakeFieldExpireTime(args, *form);
  }
  const bool persist = !at_ms && args.Word("PERSIST");
  TakeFieldCount(args);
  if (!args.Finish()) return;
  Writing<MutableHash> hash(call, call.arg(1));
  const int64_t now_ms = call.now_ms();
  Tally tally;
  call.reply().Array(args.left());
  for (std::string_view field : args.Rest()) {
    auto value = hash->view().Find(field, now_ms);
    value ? call.ReplyItem(*value) : call.reply().Null();
    if (at_ms) tally.Count(ExpireField(*hash, field, *at_ms, Condition::kNone, now_ms));
    if (persist) tally.Count(Persist(*hash, field, now_ms));
  }
  if (tally.changed()) {
    hash.Changed(tally.deleted > 0 ? "hdel" : persist ? "hpersist" : "hexpire");
  }
}

/// The options before HSETEX's fields.
struct SetOptions {
  enum class Exists : uint8_t { kEither, kAll, kNone };
  Exists demands = Exists::kEither;
  bool keep_ttl = false;
  std::optional<int64_t> at_ms;
};

void TakeSetOption(Arguments& args, SetOptions& options) {
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
  if (options.demands != SetOptions::Exists::kEither) {
    args.Fail("ERR Only one of FXX or FNX arguments can be specified");
  }
  options.demands = all ? SetOptions::Exists::kAll : SetOptions::Exists::kNone;
}

/// Takes everything before HSETEX's pairs of field and value.
SetOptions TakeSetOptions(Arguments& args) {
  SetOptions options;
  while (args.More() && !args.Word("FIELDS")) TakeSetOption(args, options);
  if (args.left() < 3) args.WrongArity();
  const int64_t count = args.IntegerIn(1, INT32_MAX, "ERR invalid number of fields");
  if (static_cast<size_t>(count) * 2 != args.left()) args.WrongArity();
  return options;
}

bool MeetsDemand(Call& call, const Hash& hash, SetOptions::Exists demands, CommandArguments pairs) {
  if (demands == SetOptions::Exists::kEither) return true;
  const bool wanted = demands == SetOptions::Exists::kAll;
  for (size_t i = 0; i < pairs.size(); i += 2) {
    if (hash.Find(pairs[i], call.now_ms()).has_value() != wanted) return false;
  }
  return true;
}

void HSetEx(Call& call) {
  Arguments args(call, 2);
  const SetOptions options = TakeSetOptions(args);
  if (!args.Finish()) return;
  Writing<MutableHash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  const CommandArguments pairs = args.Rest();
  if (!MeetsDemand(call, hash->view(), options.demands, pairs)) return call.reply().Integer(0);
  const auto expiry = options.keep_ttl ? MutableHash::Expiry::kKeep : MutableHash::Expiry::kClear;
  Tally tally;
  for (size_t i = 0; i < pairs.size(); i += 2) {
    hash->Set(pairs[i], pairs[i + 1], call.now_ms(), expiry);
    if (!options.at_ms) continue;
    tally.Count(ExpireField(*hash, pairs[i], *options.at_ms, Condition::kNone, call.now_ms()));
  }
  hash.Changed("hset");
  if (tally.changed()) hash.Changed(tally.deleted > 0 ? "hdel" : "hexpire");
  call.reply().Integer(1);
}

// Read as a table.
// clang-format off
constexpr CommandRow kHashExpiryCommands[] = {
    {.name = "hexpire", .run = HExpire, .arity = -6, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .since = "7.4.0", .complexity = "O(N) for N fields.",
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
     .keys = {Key(1, kRW | kAccess | kUpdate)}, .since = "8.0.0",
     .complexity = "O(N) for N fields.",
     .syntax = "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT "
               "unix-time-milliseconds | PERSIST] FIELDS numfields field [field ...]",
     .summary = "Returns the values of fields of a hash and sets or clears when they expire."},
    {.name = "hpersist", .run = HPersist, .arity = -5, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .since = "7.4.0", .complexity = "O(N) for N fields.",
     .syntax = "key FIELDS numfields field [field ...]",
     .summary = "Keeps fields of a hash from expiring."},
    {.name = "hpexpire", .run = HPExpire, .arity = -6, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .since = "7.4.0", .complexity = "O(N) for N fields.",
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
     .keys = {Key(1, kRW | kUpdate)}, .since = "8.0.0", .complexity = "O(N) for N fields.",
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
