// Hashes, except the expiry of fields (hash_expiry.cc).
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "protocol/numbers.h"
#include "server/commands/families.h"
#include "server/commands/support/long_reply.h"
#include "server/commands/support/parked_poll.h"
#include "server/commands/support/sampling.h"
#include "server/commands/support/scan_options.h"
#include "server/execution/call.h"
#include "storage/base/string_map.h"

namespace cloakroom {
namespace {

/// What a reply contains for each field.
enum class Part : uint8_t { kField, kValue, kBoth };

void HGet(Call& call) {
  Reading<Hash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  auto value = hash->Find(call.arg(2), call.now_ms());
  value ? call.ReplyItem(*value) : call.reply().Null();
}

void HMGet(Call& call) {
  Reading<Hash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  call.reply().Array(call.argc() - 2);
  for (size_t i = 2; i < call.argc(); ++i) {
    auto value = hash->Find(call.arg(i), call.now_ms());
    value ? call.ReplyItem(*value) : call.reply().Null();
  }
}

void HLen(Call& call) {
  Reading<Hash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  call.reply().Integer(static_cast<int64_t>(hash->size(call.now_ms())));
}

void HExists(Call& call) {
  Reading<Hash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  call.reply().Integer(hash->Find(call.arg(2), call.now_ms()) ? 1 : 0);
}

void HStrLen(Call& call) {
  Reading<Hash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  auto value = hash->Find(call.arg(2), call.now_ms());
  call.reply().Integer(value ? static_cast<int64_t>(value->bytes.size()) : 0);
}

void ReplyAll(Call& call, Part part) {
  Reading<Hash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  const int64_t now_ms = call.now_ms();
  const size_t size = hash->size(now_ms);
  ReplyFrom(call, *hash, size, [part, now_ms, size](ReplyWriter& reply, const Hash& view) {
    part == Part::kBoth ? reply.Map(size) : reply.Array(size);
    view.ForEach(
        [&](const Item& item) {
          if (part != Part::kValue) reply.Bulk(item.field);
          if (part != Part::kField) ReplyItem(reply, item.value);
        },
        now_ms);
  });
}

void HGetAll(Call& call) { ReplyAll(call, Part::kBoth); }
void HKeys(Call& call) { ReplyAll(call, Part::kField); }
void HVals(Call& call) { ReplyAll(call, Part::kValue); }

void ReplyScanStep(ReplyWriter& reply, const Hash& hash, uint64_t cursor,
                   const ScanOptions& options, int64_t now_ms) {
  std::vector<Item> found;
  const uint64_t next = hash.Scan(
      cursor, options.count,
      [&](const Item& item) {
        if (options.Matches(item.field)) found.push_back(item);
      },
      now_ms);
  ReplyScanCursor(reply, next);
  reply.Array(found.size() * (options.no_values ? 1 : 2));
  for (const Item& item : found) {
    reply.Bulk(item.field);
    if (!options.no_values) ReplyItem(reply, item.value);
  }
}

void HScan(Call& call) {
  std::optional<uint64_t> cursor = ParseScanCursor(call, 2);
  if (!cursor) return;
  Reading<Hash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  if (!hash.exists()) return ReplyEmptyScan(call.reply());
  std::optional<ScanOptions> options = ParseScanOptions(call, 3, ScanOf::kHash);
  if (!options) return;
  const int64_t now_ms = call.now_ms();
  const size_t items = std::min(options->count, hash->size(now_ms));
  ReplyFrom(call, *hash, items,
            [cursor = *cursor, options = *options, now_ms](ReplyWriter& reply, const Hash& view) {
              ReplyScanStep(reply, view, cursor, options, now_ms);
            });
}

// HRANDFIELD.

void ReplySampled(ReplyWriter& reply, const Item& item, bool with_values) {
  if (with_values && reply.resp() == 3) reply.Array(2);
  reply.Bulk(item.field);
  if (with_values) ReplyItem(reply, item.value);
}

/// `count` distinct fields, or -count fields with repetition.
void ReplySample(ReplyWriter& reply, const Hash& hash, int64_t count, bool with_values,
                 int64_t now_ms) {
  absl::InsecureBitGen random;
  const size_t size = hash.size(now_ms);
  const bool repeats = count < 0;
  const size_t magnitude = static_cast<size_t>(std::abs(count));
  const size_t replied = size == 0 ? 0 : repeats ? magnitude : std::min(magnitude, size);
  reply.Array(with_values && reply.resp() == 2 ? replied * 2 : replied);
  if (replied == 0) return;
  if (!repeats && replied * kDrawOneIn >= size) {
    SelectionSampler sampler(replied, size);
    hash.ForEach(
        [&](const Item& item) {
          if (sampler.Take(random)) ReplySampled(reply, item, with_values);
        },
        now_ms);
    return;
  }
  StringSet seen;
  for (size_t left = replied; left > 0;) {
    std::optional<Item> item = hash.Random(random, now_ms);
    if (!repeats && !seen.emplace(item->field).second) continue;
    ReplySampled(reply, *item, with_values);
    --left;
  }
}

void HRandField(Call& call) {
  if (call.argc() == 2) {
    Reading<Hash> hash(call, call.arg(1));
    if (!hash.ok()) return;
    std::optional<Item> item = hash->Random(call.random(), call.now_ms());
    return item ? call.reply().Bulk(item->field) : call.reply().Null();
  }
  std::optional<int64_t> count = ParseSampleCount(call, 2);
  if (!count) return;
  const bool with_values = call.argc() == 4 && call.Is(3, "withvalues");
  if (call.argc() > 3 && !with_values) return call.SyntaxError();
  if (with_values && *count > INT64_MAX / 2) return call.Error("ERR value is out of range");
  Reading<Hash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  const int64_t now_ms = call.now_ms();
  const size_t size = hash->size(now_ms);
  const size_t magnitude = static_cast<size_t>(std::abs(*count));
  ReplyFrom(call, *hash, *count < 0 ? magnitude : std::min(size, magnitude),
            [count = *count, with_values, now_ms](ReplyWriter& reply, const Hash& view) {
              ReplySample(reply, view, count, with_values, now_ms);
            });
}

// Changes.

/// Sets the request's fields and returns how many are new. Replies with the error if it returns
/// nullopt.
std::optional<int64_t> SetFields(Call& call) {
  if (call.argc() % 2 != 0) {
    call.WrongArity();
    return std::nullopt;
  }
  Writing<MutableHash> hash(call, call.arg(1));
  if (!hash.ok()) return std::nullopt;
  int64_t created = 0;
  for (size_t i = 2; i < call.argc(); i += 2) {
    created += hash->Set(call.arg(i), call.arg(i + 1), call.now_ms()) ? 1 : 0;
  }
  hash.Changed("hset", static_cast<int64_t>(call.argc() / 2 - 1));
  return created;
}

void HSet(Call& call) {
  if (std::optional<int64_t> created = SetFields(call)) call.reply().Integer(*created);
}

void HMSet(Call& call) {
  if (SetFields(call)) call.reply().Ok();
}

void HSetNx(Call& call) {
  Writing<MutableHash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  if (hash->view().Find(call.arg(2), call.now_ms())) return call.reply().Integer(0);
  hash->Set(call.arg(2), call.arg(3), call.now_ms());
  hash.Changed("hset");
  call.reply().Integer(1);
}

void HDel(Call& call) {
  Writing<MutableHash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  int64_t erased = 0;
  for (size_t i = 2; i < call.argc(); ++i) {
    erased += hash->Erase(call.arg(i), call.now_ms()) ? 1 : 0;
  }
  if (erased > 0) hash.Changed("hdel", erased);
  call.reply().Integer(erased);
}

void HIncrBy(Call& call) {
  std::optional<int64_t> increment = call.Integer(3);
  if (!increment || ParkPoll(call)) return;
  Writing<MutableHash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  int64_t value = 0;
  if (auto old = hash->view().Find(call.arg(2), call.now_ms())) {
    std::optional<int64_t> number = ParseInteger(old->bytes);
    if (!number) return call.Error("ERR hash value is not an integer");
    value = *number;
  }
  if (__builtin_add_overflow(value, *increment, &value)) {
    return call.Error("ERR increment or decrement would overflow");
  }
  char digits[kMaxIntegerLength + 1];
  hash->Set(call.arg(2), {digits, FormatInteger(value, digits)}, call.now_ms(),
            MutableHash::Expiry::kKeep);
  hash.Changed("hincrby");
  call.reply().Integer(value);
}

void HIncrByFloat(Call& call) {
  std::optional<long double> increment = ParseLongDouble(call.arg(3));
  if (!increment) return call.Error(kNotFloat);
  if (!std::isfinite(*increment)) return call.Error("ERR value is NaN or Infinity");
  Writing<MutableHash> hash(call, call.arg(1));
  if (!hash.ok()) return;
  long double value = 0;
  if (auto old = hash->view().Find(call.arg(2), call.now_ms())) {
    std::optional<long double> number = ParseLongDouble(old->bytes);
    if (!number) return call.Error("ERR hash value is not a float");
    value = *number;
  }
  value += *increment;
  if (!std::isfinite(value)) return call.Error("ERR increment would produce NaN or Infinity");
  const std::string text = FormatLongDouble(value);
  hash->Set(call.arg(2), text, call.now_ms(), MutableHash::Expiry::kKeep);
  hash.Changed("hincrbyfloat");
  call.reply().Bulk(text);
}

// Read as a table.
// clang-format off
constexpr CommandRow kHashCommands[] = {
    {.name = "hdel", .run = HDel, .arity = -3, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kDelete)}, .since = "2.0.0", .complexity = "O(N) for N fields.",
     .syntax = "key field [field ...]",
     .summary = "Removes fields from a hash, and the hash with its last field."},
    {.name = "hexists", .run = HExists, .arity = 3, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO)}, .since = "2.0.0", .complexity = "O(1)",
     .syntax = "key field", .summary = "Tells whether a hash has a field."},
    {.name = "hget", .run = HGet, .arity = 3, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO | kAccess)}, .since = "2.0.0", .complexity = "O(1)",
     .syntax = "key field", .summary = "Returns the value of a field in a hash."},
    {.name = "hgetall", .run = HGetAll, .arity = 2, .flags = kReadonly | kUnordered,
     .keys = {Key(1, kRO | kAccess)}, .since = "2.0.0",
     .complexity = "O(N) for a hash of N fields.",
     .syntax = "key", .summary = "Returns all fields of a hash with their values."},
    {.name = "hincrby", .run = HIncrBy, .arity = 4, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kAccess | kUpdate)}, .since = "2.0.0", .complexity = "O(1)",
     .syntax = "key field increment",
     .summary = "Adds to the integer in a field, which counts as 0 when it is absent."},
    {.name = "hincrbyfloat", .run = HIncrByFloat, .arity = 4, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kAccess | kUpdate)}, .since = "2.6.0", .complexity = "O(1)",
     .syntax = "key field increment:double",
     .summary = "Adds to the decimal number in a field, which counts as 0 when it is absent."},
    {.name = "hkeys", .run = HKeys, .arity = 2, .flags = kReadonly | kUnordered,
     .keys = {Key(1, kRO | kAccess)}, .since = "2.0.0",
     .complexity = "O(N) for a hash of N fields.",
     .syntax = "key", .summary = "Returns the names of all fields of a hash."},
    {.name = "hlen", .run = HLen, .arity = 2, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO)}, .since = "2.0.0", .complexity = "O(1)",
     .syntax = "key", .summary = "Returns how many fields a hash has."},
    {.name = "hmget", .run = HMGet, .arity = -3, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO | kAccess)}, .since = "2.0.0", .complexity = "O(N) for N fields.",
     .syntax = "key field [field ...]",
     .summary = "Returns the values of several fields of a hash."},
    {.name = "hmset", .run = HMSet, .arity = -4, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .since = "2.0.0",
     .deprecated_since = "4.0.0",
     .replaced_by = "`HSET` with multiple field-value pairs",
     .complexity = "O(N) for N fields.",
     .syntax = "key field value [field_value: field value ...]",
     .summary = "Sets fields of a hash; HSET does the same and tells more."},
    {.name = "hrandfield", .run = HRandField, .arity = -2, .flags = kReadonly | kRandomOutput,
     .keys = {Key(1, kRO | kAccess)}, .since = "6.2.0", .complexity = "O(N) for N fields returned.",
     .syntax = "key [options: count [WITHVALUES]]",
     .summary = "Returns fields of a hash drawn at random."},
    {.name = "hscan", .run = HScan, .arity = -3, .flags = kReadonly | kRandomOutput,
     .keys = {Key(1, kRO | kAccess)}, .since = "2.8.0",
     .complexity = "O(1) for a step, O(N) for all steps through a hash of N fields.",
     .syntax = "key cursor [MATCH pattern] [COUNT count] [NOVALUES]",
     .summary = "Goes through the fields of a hash step by step."},
    {.name = "hset", .run = HSet, .arity = -4, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .since = "2.0.0",
     .complexity = "O(1) for each field, O(N) for N of them.",
     .syntax = "key field value [field_value: field value ...]",
     .summary = "Sets fields of a hash, and makes the hash where there is none."},
    {.name = "hsetnx", .run = HSetNx, .arity = 4, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kInsert)}, .since = "2.0.0", .complexity = "O(1)",
     .syntax = "key field value", .summary = "Sets a field of a hash unless it is there."},
    {.name = "hstrlen", .run = HStrLen, .arity = 3, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO)}, .since = "3.2.0", .complexity = "O(1)",
     .syntax = "key field", .summary = "Returns the length of the value of a field."},
    {.name = "hvals", .run = HVals, .arity = 2, .flags = kReadonly | kUnordered,
     .keys = {Key(1, kRO | kAccess)}, .since = "2.0.0",
     .complexity = "O(N) for a hash of N fields.",
     .syntax = "key", .summary = "Returns all values of a hash."},
};
// clang-format on

}  // namespace

CommandFamily HashCommands() { return {CommandGroup::kHash, kCatHash, kHashCommands}; }

}  // namespace cloakroom
