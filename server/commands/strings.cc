// SET and its like, GET and its like: strings as a whole.
#include <optional>

#include "server/commands/families.h"
#include "server/commands/support/expire_time.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "server/execution/relative_time.h"
#include "storage/access/lookup.h"
#include "storage/access/string_store.h"

namespace cloakroom {
namespace {

struct SetOptions {
  bool if_absent = false;
  bool if_present = false;
  bool get = false;
  bool keep_ttl = false;
  int64_t expire_at_ms = kNoExpiry;
  std::optional<std::string_view> if_equal;  ///< Valkey's IFEQ
};

/// Reads the options of SET. Replies with the error if it returns nullopt.
std::optional<SetOptions> ReadSetOptions(Call& call) {
  SetOptions options;
  ExpireOption expire;
  Arguments args(call, 3);
  while (args.More()) {
    if (!options.if_present && !options.if_equal && args.Word("NX")) {
      options.if_absent = true;
    } else if (!options.if_absent && !options.if_equal && args.Word("XX")) {
      options.if_present = true;
    } else if (!options.if_absent && !options.if_present && !options.if_equal &&
               args.Word("IFEQ", 1)) {
      options.if_equal = args.String();
    } else if (args.Word("GET")) {
      options.get = true;
    } else if (!expire.Take(args, "KEEPTTL")) {
      args.SyntaxError();
    }
  }
  options.keep_ttl = expire.has_word;
  if (expire.form) {
    args.GoTo(expire.time_at);
    options.expire_at_ms = TakePositiveExpireTime(args, *expire.form);
  }
  if (!args.Finish()) return std::nullopt;
  return options;
}

/// Counts a hit or a miss for a command that reads a key that it opened for changing: WriteScope
/// itself does not count.
void CountLookup(Call& call, const WriteScope& scope) {
  ThreadStats& stats = call.thread().stats;
  (scope.exists() ? stats.keyspace_hits : stats.keyspace_misses) += 1;
}

/// Whether the key is absent or holds a string. If not, replies with the error.
bool CheckString(Call& call, const WriteScope& scope) {
  if (!scope.exists() || scope.type() == StringView::kType) return true;
  call.Error(kWrongType);
  return false;
}

/// Replies with the key's old string, or null. If the key holds another type, replies with the
/// error and returns false.
bool ReplyOld(Call& call, WriteScope& scope) {
  CountLookup(call, scope);
  if (!CheckString(call, scope)) return false;
  if (scope.exists()) {
    call.ReplyString(MutableString(scope).view());
  } else {
    NoteMiss(call.hold(), call.db(), scope.key());
    call.reply().Null();
  }
  return true;
}

/// REQUIRES: the key is absent or holds a string.
bool Equals(WriteScope& scope, std::string_view bytes) {
  return scope.exists() && MutableString(scope).view().bytes() == bytes;
}

void StoreString(Call& call, std::string_view key, std::string_view value,
                 const SetOptions& options) {
  WriteScope scope = call.Open(key);
  if (options.get && !ReplyOld(call, scope)) return;
  if (options.if_equal) {
    if (!options.get && !CheckString(call, scope)) return;
    if (!Equals(scope, *options.if_equal)) {
      if (!options.get) call.reply().Null();
      return;
    }
  }
  if (scope.exists() ? options.if_absent : options.if_present) {
    if (!options.get) call.reply().Null();
    return;
  }
  const bool keep = options.keep_ttl && scope.exists();
  StoreString(scope, value, keep ? scope.expire_at_ms() : options.expire_at_ms);
  scope.Changed("set");
  if (options.expire_at_ms != kNoExpiry) scope.Changed("expire");
  if (!options.get) call.reply().Ok();
}

void StoreForEver(Call& call, std::string_view key, std::string_view value) {
  WriteScope scope = call.Open(key);
  StoreString(scope, value, kNoExpiry);
  scope.Changed("set");
}

void SetCommand(Call& call) {
  if (call.argc() == 3) {
    StoreForEver(call, call.arg(1), call.arg(2));
    return call.reply().Ok();
  }
  std::optional<SetOptions> options = ReadSetOptions(call);
  if (options) StoreString(call, call.arg(1), call.arg(2), *options);
}

void SetWithTime(Call& call, ExpireForm form) {
  Arguments args(call, 2);
  const int64_t at_ms = TakePositiveExpireTime(args, form);
  if (args.Finish()) StoreString(call, call.arg(1), call.arg(3), {.expire_at_ms = at_ms});
}
void SetEx(Call& call) { SetWithTime(call, kInSeconds); }
void PSetEx(Call& call) { SetWithTime(call, kInMilliseconds); }

void SetNx(Call& call) {
  WriteScope scope = call.Open(call.arg(1));
  if (scope.exists()) return call.reply().Integer(0);
  StoreString(scope, call.arg(2), kNoExpiry);
  scope.Changed("set");
  call.reply().Integer(1);
}

void GetSet(Call& call) { StoreString(call, call.arg(1), call.arg(2), {.get = true}); }

void MSet(Call& call) {
  if (call.argc() % 2 == 0) return call.WrongArity();
  for (size_t i = 1; i < call.argc(); i += 2) StoreForEver(call, call.arg(i), call.arg(i + 1));
  call.reply().Ok();
}

void MSetNx(Call& call) {
  if (call.argc() % 2 == 0) return call.WrongArity();
  for (size_t i = 1; i < call.argc(); i += 2) {
    if (call.Peek(call.arg(i)) != nullptr) return call.reply().Integer(0);
  }
  for (size_t i = 1; i < call.argc(); i += 2) StoreForEver(call, call.arg(i), call.arg(i + 1));
  call.reply().Integer(1);
}

void Get(Call& call) {
  Reading<StringView> string(call, call.arg(1));
  if (!string.ok()) return;
  string.exists() ? call.ReplyString(*string) : call.reply().Null();
}

void MGet(Call& call) {
  call.reply().Array(call.argc() - 1);
  for (size_t i = 1; i < call.argc(); ++i) {
    const Entry* entry = call.Find(call.arg(i));
    if (entry == nullptr || entry->type() != StringView::kType) {
      call.reply().Null();
    } else {
      call.ReplyString(StringView(entry->value()));
    }
  }
}

void GetDel(Call& call) {
  WriteScope scope = call.Open(call.arg(1));
  if (!ReplyOld(call, scope) || !scope.exists()) return;
  scope.Delete();
  scope.Changed("del");
}

void DelIfEq(Call& call) {
  WriteScope scope = call.Open(call.arg(1));
  CountLookup(call, scope);
  if (!CheckString(call, scope)) return;
  if (!Equals(scope, call.arg(2))) return call.reply().Integer(0);
  scope.Delete();
  scope.Changed("del");
  call.reply().Integer(1);
}

void GetEx(Call& call) {
  if (call.argc() == 2) return Get(call);
  ExpireOption expire;
  Arguments args(call, 2);
  while (args.More()) {
    if (!expire.Take(args, "PERSIST")) args.SyntaxError();
  }
  if (!args.Finish()) return;
  WriteScope scope = call.Open(call.arg(1));
  std::optional<int64_t> at_ms;
  if (expire.form && scope.exists() && scope.type() == StringView::kType) {
    args.GoTo(expire.time_at);
    at_ms = TakePositiveExpireTime(args, *expire.form);
    if (!args.Finish()) return;
  }
  if (!ReplyOld(call, scope) || !scope.exists()) return;
  if (!at_ms) {
    if (scope.expire_at_ms() == kNoExpiry) return;
    scope.SetExpiry(kNoExpiry);
    scope.Changed("persist");
  } else if (*at_ms <= call.now_ms()) {
    scope.Delete();
    scope.Changed("del");
  } else {
    scope.SetExpiry(*at_ms);
    scope.Changed("expire");
  }
}

// Read as a table.
// clang-format off
constexpr CommandRow kStringCommands[] = {
    {.name = "get", .run = Get, .arity = 2, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO | kAccess)}, .since = "1.0.0", .complexity = "O(1)",
     .syntax = "key", .summary = "Returns the string that a key holds."},
    {.name = "set", .run = SetCommand, .arity = -3, .flags = kWrite | kDenyOom,
     .keys = {Key(1, kRW | kAccess | kUpdate | kVariableFlags)
                  .Noted("Reads the old value with GET alone")}, .to_absolute = OptionToAbsolute,
     .since = "1.0.0",
     .complexity = "O(1)",
     .syntax = "key value [condition: NX | XX | IFEQ comparison-value] [GET] [expiration: EX "
               "seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds "
               "| KEEPTTL]",
     .summary = "Stores a string in a key, whatever it held before."},
    {.name = "setex", .run = SetEx, .arity = 4, .flags = kWrite | kDenyOom,
     .keys = {Key(1, kOW | kUpdate)}, .to_absolute = SetExToAbsolute,
     .since = "2.0.0", .complexity = "O(1)",
     .syntax = "key seconds value", .summary = "Stores a string that expires after some seconds."},
    {.name = "psetex", .run = PSetEx, .arity = 4, .flags = kWrite | kDenyOom,
     .keys = {Key(1, kOW | kUpdate)}, .to_absolute = SetExToAbsolute,
     .since = "2.6.0", .complexity = "O(1)",
     .syntax = "key milliseconds value",
     .summary = "Stores a string that expires after some milliseconds."},
    {.name = "setnx", .run = SetNx, .arity = 3, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kOW | kInsert)}, .since = "1.0.0", .complexity = "O(1)",
     .syntax = "key value", .summary = "Stores a string unless the key exists."},
    {.name = "getset", .run = GetSet, .arity = 3, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kAccess | kUpdate)}, .since = "1.0.0",
     .deprecated_since = "6.2.0",
     .replaced_by = "`SET` with the `!GET` argument",
     .complexity = "O(1)",
     .syntax = "key value", .summary = "Stores a string and returns the one before."},
    {.name = "getex", .run = GetEx, .arity = -2, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kAccess | kUpdate)
                  .Noted("Changes when the key expires")}, .to_absolute = OptionToAbsolute,
     .since = "6.2.0", .complexity = "O(1)",
     .syntax = "key [expiration: EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT "
               "unix-time-milliseconds | PERSIST]",
     .summary = "Returns a string and sets or removes its expiry."},
    {.name = "delifeq", .run = DelIfEq, .arity = 3, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kDelete)}, .since = "9.0.0", .complexity = "O(1)",
     .syntax = "key value", .summary = "Deletes a key if it holds just this string."},
    {.name = "getdel", .run = GetDel, .arity = 2, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kAccess | kDelete)}, .since = "6.2.0", .complexity = "O(1)",
     .syntax = "key", .summary = "Returns a string and deletes its key."},
    {.name = "mget", .run = MGet, .arity = -2, .flags = kReadonly | kFast,
     .keys = {KeyRange(1, -1, 1, kRO | kAccess)},
     .request_policy = "multi_shard", .since = "1.0.0", .complexity = "O(N) for N keys",
     .syntax = "key [key ...]", .summary = "Returns the strings of several keys at one moment."},
    {.name = "mset", .run = MSet, .arity = -3, .flags = kWrite | kDenyOom,
     .keys = {KeyRange(1, -1, 2, kOW | kUpdate)},
     .request_policy = "multi_shard", .response_policy = "all_succeeded",
     .since = "1.0.1", .complexity = "O(N) for N keys",
     .syntax = "key value [key_value: key value ...]",
     .summary = "Stores strings in several keys at one moment."},
    {.name = "msetnx", .run = MSetNx, .arity = -3, .flags = kWrite | kDenyOom,
     .keys = {KeyRange(1, -1, 2, kOW | kInsert)},
     .request_policy = "multi_shard", .response_policy = "agg_min",
     .since = "1.0.1", .complexity = "O(N) for N keys",
     .syntax = "key value [key_value: key value ...]",
     .summary = "Stores strings in several keys unless one of them exists."},
};
// clang-format on

}  // namespace

CommandFamily StringCommands() { return {CommandGroup::kString, kCatString, kStringCommands}; }

}  // namespace cloakroom
