// BITFIELD and BITFIELD_RO: strings as arrays of small integers of any width.
#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "protocol/numbers.h"
#include "server/commands/families.h"
#include "server/commands/support/bits.h"
#include "server/commands/support/string_size.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"

namespace cloakroom {
namespace {

/// "i16", "u8": the type of a number. Unsigned ones have at most 63 bits, so that they fit in a
/// reply.
struct FieldType {
  bool is_signed = false;
  int width = 0;
};

enum class Overflow { kWrap, kSaturate, kFail };

struct FieldStep {
  enum class Kind { kGet, kSet, kIncrBy };
  Kind kind = Kind::kGet;
  FieldType type;
  uint64_t offset = 0;
  /// The value or the increment.
  int64_t number = 0;
  Overflow overflow = Overflow::kWrap;

  bool writes() const { return kind != Kind::kGet; }
  uint64_t last_bit() const { return offset + static_cast<uint64_t>(type.width) - 1; }
};
using FieldSteps = absl::InlinedVector<FieldStep, 4>;

FieldType TakeType(Arguments& args) {
  const std::string_view text = args.String();
  if (text.starts_with('i') || text.starts_with('u')) {
    const bool is_signed = text[0] == 'i';
    std::optional<int64_t> width = ParseInteger(text.substr(1));
    if (width && *width >= 1 && *width <= (is_signed ? 64 : 63)) {
      return FieldType{is_signed, static_cast<int>(*width)};
    }
  }
  args.Fail(
      "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but "
      "i64 is.");
  return {};
}

Overflow TakeOverflow(Arguments& args) {
  if (args.Word("WRAP")) return Overflow::kWrap;
  if (args.Word("SAT")) return Overflow::kSaturate;
  if (args.Word("FAIL")) return Overflow::kFail;
  args.Fail("ERR Invalid OVERFLOW type specified");
  return Overflow::kWrap;
}

FieldStep TakeStep(Arguments& args, Overflow overflow) {
  FieldStep step{.overflow = overflow};
  if (args.Word("GET", 2)) {
    step.kind = FieldStep::Kind::kGet;
  } else if (args.Word("SET", 3)) {
    step.kind = FieldStep::Kind::kSet;
  } else if (args.Word("INCRBY", 3)) {
    step.kind = FieldStep::Kind::kIncrBy;
  } else {
    args.SyntaxError();
  }
  step.type = TakeType(args);
  step.offset = TakeBitOffset(args, step.type.width);
  if (step.writes()) step.number = args.Integer();
  return step;
}

std::optional<FieldSteps> ReadSteps(Call& call) {
  FieldSteps steps;
  Overflow overflow = Overflow::kWrap;
  Arguments args(call, 2);
  while (args.More()) {
    if (args.Word("OVERFLOW", 1)) {
      overflow = TakeOverflow(args);
    } else {
      steps.push_back(TakeStep(args, overflow));
    }
  }
  if (!args.Finish()) return std::nullopt;
  return steps;
}

/// The number that `bits` encode, sign bit included.
int64_t Decode(FieldType type, uint64_t bits) {
  const int unused = 64 - type.width;
  const uint64_t high = bits << unused;
  return type.is_signed ? static_cast<int64_t>(high) >> unused
                        : static_cast<int64_t>(high >> unused);
}

/// base + increment within the type's bounds; nullopt if it must fail.
std::optional<int64_t> SignedSum(const FieldStep& step, int64_t base, int64_t increment) {
  const int64_t max = std::numeric_limits<int64_t>::max() >> (64 - step.type.width);
  const int64_t min = -max - 1;
  int64_t sum;
  const bool beyond = __builtin_add_overflow(base, increment, &sum);
  // If max - base overflows 64 bits, because base is very low, Redis says "too high".
  int64_t room;
  const bool wraps = step.type.width < 64 && __builtin_sub_overflow(max, base, &room);
  // If a sum overflows 64 bits, both numbers have its true sign.
  const bool too_high = wraps || (beyond ? increment > 0 : sum > max);
  const bool too_low = beyond ? increment < 0 : sum < min;
  if (!too_high && !too_low) return sum;
  if (step.overflow == Overflow::kFail) return std::nullopt;
  if (step.overflow == Overflow::kSaturate) return too_high ? max : min;
  return Decode(step.type, static_cast<uint64_t>(sum));
}

/// The same for unsigned numbers. As in Redis a negative number for SET counts as a very large one.
std::optional<int64_t> UnsignedSum(const FieldStep& step, uint64_t base, int64_t increment) {
  const uint64_t max = (uint64_t{1} << step.type.width) - 1;
  const uint64_t sum = base + static_cast<uint64_t>(increment);
  const bool too_high =
      base > max || (increment > 0 && static_cast<uint64_t>(increment) > max - base);
  const bool too_low =
      !too_high && increment < 0 && uint64_t{0} - static_cast<uint64_t>(increment) > base;
  if (!too_high && !too_low) return static_cast<int64_t>(sum);
  if (step.overflow == Overflow::kFail) return std::nullopt;
  if (step.overflow == Overflow::kSaturate) return too_high ? static_cast<int64_t>(max) : 0;
  return static_cast<int64_t>(sum & max);
}

std::optional<int64_t> NewValue(const FieldStep& step, int64_t old_value) {
  const bool sets = step.kind == FieldStep::Kind::kSet;
  const int64_t base = sets ? step.number : old_value;
  const int64_t increment = sets ? 0 : step.number;
  return step.type.is_signed ? SignedSum(step, base, increment)
                             : UnsignedSum(step, static_cast<uint64_t>(base), increment);
}

int64_t ReadValue(const FieldStep& step, std::string_view bytes) {
  return Decode(step.type, ReadField(bytes, step.offset, step.type.width));
}

void RunReads(Call& call, const FieldSteps& steps) {
  Reading<StringView> string(call, call.arg(1));
  if (!string.ok()) return;
  call.reply().Array(steps.size());
  for (const FieldStep& step : steps) call.reply().Integer(ReadValue(step, string->bytes()));
}

/// Runs one step and replies to it. True if the string has changed: other bits, or it `grew`.
bool RunStep(const FieldStep& step, char* bytes, size_t size, bool grew, ReplyWriter& reply) {
  const int64_t old_value = ReadValue(step, {bytes, size});
  if (!step.writes()) {
    reply.Integer(old_value);
    return false;
  }
  std::optional<int64_t> new_value = NewValue(step, old_value);
  if (!new_value) {
    reply.Null();
    return false;
  }
  WriteField(bytes, step.offset, step.type.width, static_cast<uint64_t>(*new_value));
  reply.Integer(step.kind == FieldStep::Kind::kSet ? old_value : *new_value);
  return grew || *new_value != old_value;
}

void RunWrites(Call& call, const FieldSteps& steps) {
  uint64_t first_byte = UINT64_MAX;
  uint64_t last_byte = 0;
  for (const FieldStep& step : steps) {
    if (!step.writes()) continue;
    first_byte = std::min(first_byte, step.offset / 8);
    last_byte = std::max(last_byte, step.last_bit() / 8);
  }
  Writing<MutableString> string(call, call.arg(1));
  if (!string.ok()) return;
  const size_t old_size = string->view().size();
  // Makes room for the farthest field in any case. If every step fails, this is no change for
  // WATCH, as in Redis; but unlike Redis, the log has it.
  char* const bytes = string->MakeRoom(last_byte + 1);
  const size_t size = std::max<size_t>(old_size, last_byte + 1);
  const bool grew = size > old_size;
  bool changed = false;
  call.reply().Array(steps.size());
  for (const FieldStep& step : steps) changed |= RunStep(step, bytes, size, grew, call.reply());
  if (!changed) return;
  string->Wrote(first_byte, last_byte + 1 - first_byte);
  string.Changed("setbit");
}

void BitField(Call& call) {
  std::optional<FieldSteps> steps = ReadSteps(call);
  if (!steps) return;
  const bool writes = std::any_of(steps->begin(), steps->end(),
                                  [](const FieldStep& step) { return step.writes(); });
  writes ? RunWrites(call, *steps) : RunReads(call, *steps);
}

void BitFieldRo(Call& call) {
  std::optional<FieldSteps> steps = ReadSteps(call);
  if (!steps) return;
  for (const FieldStep& step : *steps) {
    if (step.writes()) return call.Error("ERR BITFIELD_RO only supports the GET subcommand");
  }
  RunReads(call, *steps);
}

// Read as a table.
// clang-format off
constexpr CommandRow kBitFieldCommands[] = {
    {.name = "bitfield", .run = BitField, .arity = -2, .flags = kWrite | kDenyOom,
     .keys = {Key(1, kRW | kAccess | kUpdate | kVariableFlags)
                  .Noted("GET reads, SET and INCRBY change")}, .since = "3.2.0",
     .complexity = "O(1) for each step",
     .syntax = "key [operation: <encoding_offset: GET encoding offset> | <write: [wrap_sat_fail: "
               "OVERFLOW <WRAP | SAT | FAIL>] <write_operation: <encoding_offset_value: SET "
               "encoding offset value:integer> | <encoding_offset_increment: INCRBY encoding "
               "offset increment>>> ...]",
     .summary = "Reads, sets and increments integers of any width within a string."},
    {.name = "bitfield_ro", .run = BitFieldRo, .arity = -2, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO | kAccess)}, .since = "6.0.0", .complexity = "O(1) for each step",
     .syntax = "key [encoding_offset: GET encoding offset [GET encoding offset ...]]",
     .summary = "Reads integers of any width within a string."},
};
// clang-format on

}  // namespace

CommandFamily BitFieldCommands() { return {CommandGroup::kBitmap, kCatBitmap, kBitFieldCommands}; }

}  // namespace cloakroom
