// Strings as numbers: INCR DECR INCRBY DECRBY INCRBYFLOAT.
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "protocol/numbers.h"
#include "server/commands/families.h"
#include "server/execution/call.h"

namespace cloakroom {
namespace {

constexpr std::string_view kOverflow = "ERR increment or decrement would overflow";

void Add(Call& call, int64_t increment) {
  Writing<MutableString> string(call, call.arg(1));
  if (!string.ok()) return;
  int64_t sum = increment;
  if (string.exists()) {
    std::optional<int64_t> value = string->view().integer();
    if (!value) return call.Error(kNotInteger);
    if (__builtin_add_overflow(*value, increment, &sum)) return call.Error(kOverflow);
  }
  string->AssignInteger(sum);
  string.Changed("incrby");
  call.reply().Integer(sum);
}

void Incr(Call& call) { Add(call, 1); }
void Decr(Call& call) { Add(call, -1); }

void IncrBy(Call& call) {
  std::optional<int64_t> increment = call.Integer(2);
  if (increment) Add(call, *increment);
}

void DecrBy(Call& call) {
  std::optional<int64_t> decrement = call.Integer(2);
  if (!decrement) return;
  if (*decrement == std::numeric_limits<int64_t>::min()) {
    return call.Error("ERR decrement would overflow");
  }
  Add(call, -*decrement);
}

void IncrByFloat(Call& call) {
  Writing<MutableString> string(call, call.arg(1));
  if (!string.ok()) return;
  std::optional<long double> value = 0;
  if (string.exists()) value = ParseLongDouble(string->view().bytes());
  std::optional<long double> increment = ParseLongDouble(call.arg(2));
  if (!value || !increment) return call.Error(kNotFloat);
  const long double sum = *value + *increment;
  if (!std::isfinite(sum)) return call.Error("ERR increment would produce NaN or Infinity");
  const std::string text = FormatLongDouble(sum);
  string->AssignText(text);
  string.Changed("incrbyfloat");
  call.reply().Bulk(text);
}

// Read as a table.
// clang-format off
constexpr CommandRow kCounterCommands[] = {
    {.name = "incr", .run = Incr, .arity = 2, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kAccess | kUpdate)}, .since = "1.0.0", .complexity = "O(1)",
     .syntax = "key", .summary = "Adds one to the integer in a key; none counts as 0."},
    {.name = "decr", .run = Decr, .arity = 2, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kAccess | kUpdate)}, .since = "1.0.0", .complexity = "O(1)",
     .syntax = "key", .summary = "Takes one from the integer in a key; none counts as 0."},
    {.name = "incrby", .run = IncrBy, .arity = 3, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kAccess | kUpdate)}, .since = "1.0.0", .complexity = "O(1)",
     .syntax = "key increment", .summary = "Adds to the integer in a key; none counts as 0."},
    {.name = "decrby", .run = DecrBy, .arity = 3, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kAccess | kUpdate)}, .since = "1.0.0", .complexity = "O(1)",
     .syntax = "key decrement",
     .summary = "Subtracts from the integer in a key; none counts as 0."},
    {.name = "incrbyfloat", .run = IncrByFloat, .arity = 3, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kAccess | kUpdate)}, .since = "2.6.0", .complexity = "O(1)",
     .syntax = "key increment:double",
     .summary = "Adds to the decimal number in a key; none counts as 0."},
};
// clang-format on

}  // namespace

CommandFamily CounterCommands() { return {CommandGroup::kString, kCatString, kCounterCommands}; }

}  // namespace cloakroom
