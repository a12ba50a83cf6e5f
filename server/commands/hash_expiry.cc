// The expiry of hash fields: HEXPIRE HTTL HPERSIST and their kin of Redis 7.4, HGETEX HSETEX
// HGETDEL of Redis 8. Replies and errors are Redis 8's.
#include <string>

#include "protocol/text.h"
#include "server/commands/families.h"
#include "server/execution/call.h"

namespace cloakroom {
namespace {

constexpr std::string_view kFieldsMissing =
    "ERR Mandatory argument FIELDS is missing or not at the right position";
constexpr std::string_view kFieldCountMismatch =
    "ERR The `numfields` parameter must match the number of arguments";
constexpr std::string_view kFieldCountNotPositive =
    "ERR Number of fields must be a positive integer";

/// No field expires later than this, in milliseconds since 1970: Redis keeps 46 bits.
constexpr int64_t kMaxFieldExpiryMs = (int64_t{1} << 46) - 1;

/// What a command answers for each field, by Redis' numbers.
enum FieldReply : int64_t { kNoField = -2, kNoExpirySet = -1, kUnmet = 0, kDone = 1, kGone = 2 };

enum class Unit : uint8_t { kSeconds, kMilliseconds };
enum class Since : uint8_t { kNow, kEpoch };

/// How a command or an option states a time.
struct TimeForm {
  Unit unit;
  Since since;
};
constexpr TimeForm kEx{Unit::kSeconds, Since::kNow};
constexpr TimeForm kPx{Unit::kMilliseconds, Since::kNow};
constexpr TimeForm kExAt{Unit::kSeconds, Since::kEpoch};
constexpr TimeForm kPxAt{Unit::kMilliseconds, Since::kEpoch};

/// The option EX, PX, EXAT or PXAT at argument `i`; nothing when it is none of them.
std::optional<TimeForm> TimeOption(const Call& call, size_t i) {
  if (call.Is(i, "ex")) return kEx;
  if (call.Is(i, "px")) return kPx;
  if (call.Is(i, "exat")) return kExAt;
  if (call.Is(i, "pxat")) return kPxAt;
  return std::nullopt;
}

/// The time at argument `i` as milliseconds since 1970. On nullopt the error has been replied.
std::optional<int64_t> ParseTime(Call& call, size_t i, TimeForm form) {
  std::optional<int64_t> value = call.Integer(i);
  if (!value) return std::nullopt;
  if (*value < 0) {
    call.Error("ERR invalid expire time, must be >= 0");
    return std::nullopt;
  }
  const int64_t unit_ms = form.unit == Unit::kSeconds ? 1000 : 1;
  const int64_t base_ms = form.since == Since::kNow ? call.now_ms() : 0;
  if (*value > kMaxFieldExpiryMs / unit_ms || *value * unit_ms > kMaxFieldExpiryMs - base_ms) {
    call.Error(Concat({"ERR invalid expire time in '", call.command().row->name, "' command"}));
    return std::nullopt;
  }
  return *value * unit_ms + base_ms;
}

/// Checks "FIELDS numfields field ..." from argument `at` to the end and returns where the fields
/// begin. On nullopt the error has been replied.
std::optional<size_t> ParseFields(Call& call, size_t at,
                                  std::string_view bad_count = kFieldCountNotPositive) {
  if (at >= call.argc() || !call.Is(at, "fields")) {
    call.Error(kFieldsMissing);
    return std::nullopt;
  }
  if (at + 1 == call.argc()) {
    call.Error(kFieldCountMismatch);
    return std::nullopt;
  }
  std::optional<int64_t> count = call.IntegerIn(at + 1, 1, INT64_MAX, bad_count);
  if (!count) return std::nullopt;
  if (static_cast<size_t>(*count) != call.argc() - at - 2) {
    call.Error(kFieldCountMismatch);
    return std::nullopt;
  }
  return at + 2;
}

/// Replies WRONGTYPE where the key holds something else: these commands look at their key before
/// they look at their arguments.
bool HoldsOther(Call& call) {
  const Entry* entry = call.Find(call.arg(1));
  if (entry == nullptr || entry->type() == Hash::kType) return false;
  call.Error(kWrongType);
  return true;
}

/// What HEXPIRE's option demands of the expiry that a field has.
enum class Condition : uint8_t { kNone, kNx, kXx, kGt, kLt };

Condition ConditionAt(const Call& call, size_t i) {
  if (call.Is(i, "nx")) return Condition::kNx;
  if (call.Is(i, "xx")) return Condition::kXx;
  if (call.Is(i, "gt")) return Condition::kGt;
  if (call.Is(i, "lt")) return Condition::kLt;
  return Condition::kNone;
}

/// A field without expiry counts as one that never comes, which is later than every time.
bool Meets(Condition condition, int64_t old_ms, int64_t new_ms) {
  switch (condition) {
    case Condition::kNone:
      return true;
    case Condition::kNx:
      return old_ms == kNoFieldExpiry;
    case Condition::kXx:
      return old_ms != kNoFieldExpiry;
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

/// Lets a field expire at a time, or removes it when that has come.
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

void Expire(Call& call, TimeForm form) {
  if (HoldsOther(call)) return;
  std::optional<int64_t> at_ms = ParseTime(call, 2, form);
  if (!at_ms) return;
  const Condition condition = ConditionAt(call, 3);
  std::optional<size_t> first = ParseFields(call, condition == Condition::kNone ? 3 : 4,
                                            "ERR Parameter `numFields` should be greater than 0");
  if (!first) return;
  Writing<MutableHash> hash(call, call.arg(1));
  Tally tally;
  call.reply().Array(call.argc() - *first);
  for (size_t i = *first; i < call.argc(); ++i) {
    FieldReply outcome = ExpireField(*hash, call.arg(i), *at_ms, condition, call.now_ms());
    tally.Count(outcome);
    call.reply().Integer(outcome);
  }
  if (tally.changed()) hash.Changed(tally.deleted > 0 ? "hdel" : "hexpire");
}

void HExpire(Call& call) { Expire(call, kEx); }
void HPExpire(Call& call) { Expire(call, kPx); }
void HExpireAt(Call& call) { Expire(call, kExAt); }
void HPExpireAt(Call& call) { Expire(call, kPxAt); }

void ReplyExpiries(Call& call, TimeForm form) {
  Reading<Hash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  std::optional<size_t> first = ParseFields(call, 2);
  if (!first) return;
  const int64_t base_ms = form.since == Since::kNow ? call.now_ms() : 0;
  call.reply().Array(call.argc() - *first);
  for (size_t i = *first; i < call.argc(); ++i) {
    std::optional<int64_t> at_ms = hash->FieldExpiry(call.arg(i), call.now_ms());
    if (!at_ms) {
      call.reply().Integer(kNoField);
    } else if (*at_ms == kNoFieldExpiry) {
      call.reply().Integer(kNoExpirySet);
    } else if (form.unit == Unit::kSeconds) {
      call.reply().Integer((*at_ms - base_ms + 999) / 1000);
    } else {
      call.reply().Integer(*at_ms - base_ms);
    }
  }
}

void HTtl(Call& call) { ReplyExpiries(call, kEx); }
void HPTtl(Call& call) { ReplyExpiries(call, kPx); }
void HExpireTime(Call& call) { ReplyExpiries(call, kExAt); }
void HPExpireTime(Call& call) { ReplyExpiries(call, kPxAt); }

FieldReply Persist(MutableHash& hash, std::string_view field, int64_t now_ms) {
  if (hash.PersistField(field, now_ms)) return kDone;
  return hash.view().Find(field, now_ms) ? kNoExpirySet : kNoField;
}

void HPersist(Call& call) {
  Writing<MutableHash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  std::optional<size_t> first = ParseFields(call, 2);
  if (!first) return;
  Tally tally;
  call.reply().Array(call.argc() - *first);
  for (size_t i = *first; i < call.argc(); ++i) {
    FieldReply outcome = Persist(*hash, call.arg(i), call.now_ms());
    tally.Count(outcome);
    call.reply().Integer(outcome);
  }
  if (tally.changed()) hash.Changed("hpersist");
}

void HGetDel(Call& call) {
  Writing<MutableHash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  std::optional<size_t> first = ParseFields(call, 2);
  if (!first) return;
  bool erased = false;
  call.reply().Array(call.argc() - *first);
  for (size_t i = *first; i < call.argc(); ++i) {
    auto value = hash->view().Find(call.arg(i), call.now_ms());
    value ? call.ReplyItem(*value) : call.reply().Null();
    erased |= hash->Erase(call.arg(i), call.now_ms());
  }
  if (erased) hash.Changed("hdel");
}

void HGetEx(Call& call) {
  if (HoldsOther(call)) return;
  const std::optional<TimeForm> form = TimeOption(call, 2);
  const bool persist = call.Is(2, "persist");
  std::optional<int64_t> at_ms;
  if (form && !(at_ms = ParseTime(call, 3, *form))) return;
  std::optional<size_t> first = ParseFields(call, form ? 4 : persist ? 3 : 2);
  if (!first) return;
  Writing<MutableHash> hash(call, call.arg(1));
  const int64_t now_ms = call.now_ms();
  Tally tally;
  call.reply().Array(call.argc() - *first);
  for (size_t i = *first; i < call.argc(); ++i) {
    auto value = hash->view().Find(call.arg(i), now_ms);
    value ? call.ReplyItem(*value) : call.reply().Null();
    if (at_ms) tally.Count(ExpireField(*hash, call.arg(i), *at_ms, Condition::kNone, now_ms));
    if (persist) tally.Count(Persist(*hash, call.arg(i), now_ms));
  }
  if (tally.changed()) {
    hash.Changed(tally.deleted > 0 ? "hdel" : persist ? "hpersist" : "hexpire");
  }
}

/// What stands before HSETEX's fields.
struct SetOptions {
  enum class Exists : uint8_t { kEither, kAll, kNone };
  Exists demands = Exists::kEither;
  bool keep_ttl = false;
  std::optional<int64_t> at_ms;
  size_t first = 0;  ///< the first field's argument; its value follows, and so on
};

/// HSETEX's FIELDS at argument `i`: where its pairs begin.
std::optional<size_t> ParsePairs(Call& call, size_t i) {
  if (i + 3 >= call.argc()) {
    call.WrongArity();
    return std::nullopt;
  }
  std::optional<int64_t> count =
      call.IntegerIn(i + 1, 1, INT32_MAX, "ERR invalid number of fields");
  if (!count) return std::nullopt;
  if (static_cast<size_t>(*count) * 2 != call.argc() - i - 2) {
    call.WrongArity();
    return std::nullopt;
  }
  return i + 2;
}

/// Takes HSETEX's option at argument `i` and returns the argument behind it. On nullopt the error
/// has been replied.
std::optional<size_t> ParseSetOption(Call& call, size_t i, SetOptions& options) {
  const auto fail = [&](std::string_view error) {
    call.Error(error);
    return std::nullopt;
  };
  const std::optional<TimeForm> form = TimeOption(call, i);
  const bool keep_ttl = call.Is(i, "keepttl");
  if (form || keep_ttl) {
    if (options.at_ms || options.keep_ttl) {
      return fail("ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified");
    }
    options.keep_ttl = keep_ttl;
    if (keep_ttl) return i + 1;
    if (i + 1 == call.argc()) return fail("ERR missing expire time");
    options.at_ms = ParseTime(call, i + 1, *form);
    return options.at_ms ? std::optional(i + 2) : std::nullopt;
  }
  const bool all = call.Is(i, "fxx");
  if (!all && !call.Is(i, "fnx")) return fail(Concat({"ERR unknown argument: ", call.arg(i)}));
  if (options.demands != SetOptions::Exists::kEither) {
    return fail("ERR Only one of FXX or FNX arguments can be specified");
  }
  options.demands = all ? SetOptions::Exists::kAll : SetOptions::Exists::kNone;
  return i + 1;
}

std::optional<SetOptions> ParseSetOptions(Call& call) {
  SetOptions options;
  size_t i = 2;
  while (i < call.argc() && !call.Is(i, "fields")) {
    std::optional<size_t> next = ParseSetOption(call, i, options);
    if (!next) return std::nullopt;
    i = *next;
  }
  std::optional<size_t> first = ParsePairs(call, i);
  if (!first) return std::nullopt;
  options.first = *first;
  return options;
}

bool MeetsDemand(Call& call, const Hash& hash, const SetOptions& options) {
  if (options.demands == SetOptions::Exists::kEither) return true;
  const bool wanted = options.demands == SetOptions::Exists::kAll;
  for (size_t i = options.first; i < call.argc(); i += 2) {
    if (hash.Find(call.arg(i), call.now_ms()).has_value() != wanted) return false;
  }
  return true;
}

void HSetEx(Call& call) {
  std::optional<SetOptions> options = ParseSetOptions(call);
  if (!options) return;
  Writing<MutableHash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  if (!MeetsDemand(call, hash->view(), *options)) return call.reply().Integer(0);
  const auto expiry = options->keep_ttl ? MutableHash::Expiry::kKeep : MutableHash::Expiry::kClear;
  Tally tally;
  for (size_t i = options->first; i < call.argc(); i += 2) {
    hash->Set(call.arg(i), call.arg(i + 1), call.now_ms(), expiry);
    if (!options->at_ms) continue;
    tally.Count(ExpireField(*hash, call.arg(i), *options->at_ms, Condition::kNone, call.now_ms()));
  }
  hash.Changed("hset");
  if (tally.changed()) hash.Changed(tally.deleted > 0 ? "hdel" : "hexpire");
  call.reply().Integer(1);
}

// Read as a table.
// clang-format off
constexpr CommandRow kHashExpiryCommands[] = {
    { "hexpire", HExpire, -6, kWrite | kDenyOom | kFast, {Key(1, kRW | kUpdate)}, "7.4.0",
     "O(N) for N fields.", "key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
     "Lets fields of a hash expire after so many seconds."},
    { "hexpireat", HExpireAt, -6, kWrite | kDenyOom | kFast, {Key(1, kRW | kUpdate)}, "7.4.0",
     "O(N) for N fields.",
     "key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
     "Lets fields of a hash expire at a Unix time in seconds."},
    { "hexpiretime", HExpireTime, -5, kReadonly | kFast, {Key(1, kRO | kAccess)}, "7.4.0",
     "O(N) for N fields.", "key FIELDS numfields field [field ...]",
     "Returns when fields of a hash expire, as Unix times in seconds."},
    { "hgetdel", HGetDel, -5, kWrite | kFast, {Key(1, kRW | kAccess | kDelete)}, "8.0.0",
     "O(N) for N fields.", "key FIELDS numfields field [field ...]",
     "Returns the values of fields of a hash and removes the fields."},
    { "hgetex", HGetEx, -5, kWrite | kFast, {Key(1, kRW | kAccess | kUpdate)}, "8.0.0",
     "O(N) for N fields.",
     "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT "
     "unix-time-milliseconds | PERSIST] FIELDS numfields field [field ...]",
     "Returns the values of fields of a hash and sets or clears when they expire."},
    { "hpersist", HPersist, -5, kWrite | kFast, {Key(1, kRW | kUpdate)}, "7.4.0",
     "O(N) for N fields.", "key FIELDS numfields field [field ...]",
     "Keeps fields of a hash from expiring."},
    { "hpexpire", HPExpire, -6, kWrite | kDenyOom | kFast, {Key(1, kRW | kUpdate)}, "7.4.0",
     "O(N) for N fields.",
     "key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
     "Lets fields of a hash expire after so many milliseconds."},
    { "hpexpireat", HPExpireAt, -6, kWrite | kDenyOom | kFast, {Key(1, kRW | kUpdate)}, "7.4.0",
     "O(N) for N fields.",
     "key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
     "Lets fields of a hash expire at a Unix time in milliseconds."},
    { "hpexpiretime", HPExpireTime, -5, kReadonly | kFast, {Key(1, kRO | kAccess)}, "7.4.0",
     "O(N) for N fields.", "key FIELDS numfields field [field ...]",
     "Returns when fields of a hash expire, as Unix times in milliseconds."},
    { "hpttl", HPTtl, -5, kReadonly | kFast | kRandomOutput, {Key(1, kRO | kAccess)}, "7.4.0",
     "O(N) for N fields.", "key FIELDS numfields field [field ...]",
     "Returns in how many milliseconds fields of a hash expire."},
    { "hsetex", HSetEx, -6, kWrite | kDenyOom | kFast, {Key(1, kRW | kUpdate)}, "8.0.0",
     "O(N) for N fields.",
     "key [FNX | FXX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT "
     "unix-time-milliseconds | KEEPTTL] FIELDS numfields field value [field value ...]",
     "Sets fields of a hash and when they expire."},
    { "httl", HTtl, -5, kReadonly | kFast | kRandomOutput, {Key(1, kRO | kAccess)}, "7.4.0",
     "O(N) for N fields.", "key FIELDS numfields field [field ...]",
     "Returns in how many seconds fields of a hash expire."},
};
// clang-format on

}  // namespace

CommandFamily HashExpiryCommands() { return {CommandGroup::kHash, kCatHash, kHashExpiryCommands}; }

}  // namespace cloakroom
