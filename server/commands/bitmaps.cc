// Strings as bitmaps: SETBIT GETBIT BITCOUNT BITPOS BITOP.
#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "server/commands/families.h"
#include "server/commands/support/bits.h"
#include "server/commands/support/held_string.h"
#include "server/commands/support/string_size.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "storage/access/string_store.h"

namespace cloakroom {
namespace {

/// Longer strings, which take more than 0.1 ms to read, are long work.
constexpr size_t kMaxInlineBytes = 1 << 20;

void SetBit(Call& call) {
  Arguments args(call, 2);
  const uint64_t offset = TakeBitOffset(args);
  const bool bit = args.IntegerIn(0, 1, "ERR bit is not an integer or out of range") == 1;
  if (!args.Finish()) return;
  Writing<MutableString> string(call, call.arg(1));
  if (!string.ok()) return;
  const size_t byte = offset / 8;
  const bool grows = byte >= string->view().size();
  const bool old_bit = BitAt(string->view().bytes(), offset);
  char* const bytes = string->MakeRoom(byte + 1);
  if (grows || old_bit != bit) {
    SetBitAt(bytes, offset, bit);
    string->Wrote(byte, 1);
    string.Changed("setbit");
  }
  call.reply().Integer(old_bit ? 1 : 0);
}

void GetBit(Call& call) {
  Arguments args(call, 2);
  const uint64_t offset = TakeBitOffset(args);
  if (!args.Finish()) return;
  Reading<StringView> string(call, call.arg(1));
  if (string.ok()) call.reply().Integer(BitAt(string->bytes(), offset) ? 1 : 0);
}

/// The arguments "[start [end [BYTE | BIT]]]"; bytes by default.
struct RangeArguments {
  int64_t start = 0;
  int64_t end = -1;
  bool end_given = false;
  bool in_bits = false;
  /// Both count from the end, and the range is empty.
  bool reversed() const { return start < 0 && end < 0 && start > end; }
};

void TakeUnit(Arguments& args, RangeArguments* range) {
  range->in_bits = args.Word("BIT");
  if (!range->in_bits && !args.Word("BYTE")) args.SyntaxError();
}

/// The first and the last bit of a range, clamped to a string; nullopt: none. Redis clamps both to
/// the first byte or bit, so a range before the string means that one.
struct BitRange {
  uint64_t first;
  uint64_t last;
};
std::optional<BitRange> Clamp(const RangeArguments& range, size_t size_bytes) {
  const int64_t unit = range.in_bits ? 1 : 8;
  const int64_t size = static_cast<int64_t>(size_bytes) * 8 / unit;
  auto from_front = [&](int64_t i) { return i < 0 ? std::max<int64_t>(i + size, 0) : i; };
  const int64_t start = from_front(range.start);
  const int64_t end = std::min(from_front(range.end), size - 1);
  if (start > end) return std::nullopt;
  return BitRange{static_cast<uint64_t>(start * unit), static_cast<uint64_t>((end + 1) * unit - 1)};
}

std::optional<RangeArguments> ReadCountRange(Call& call) {
  RangeArguments range;
  if (call.argc() == 2) return range;
  Arguments args(call, 2);
  if (args.left() != 2 && args.left() != 3) args.SyntaxError();
  range.start = args.Integer();
  range.end = args.Integer();
  if (args.More()) TakeUnit(args, &range);
  if (!args.Finish()) return std::nullopt;
  return range;
}

void BitCount(Call& call) {
  Reading<StringView> string(call, call.arg(1));
  if (!string.ok()) return;
  std::optional<RangeArguments> range = ReadCountRange(call);
  if (!range) return;
  std::optional<BitRange> bits = Clamp(*range, string->size());
  if (!bits || range->reversed()) return call.reply().Integer(0);
  auto count = [bits = *bits](ReplyWriter& reply, std::string_view bytes) {
    reply.Integer(static_cast<int64_t>(CountBits(bytes, bits.first, bits.last)));
  };
  if (string->size() <= kMaxInlineBytes) return count(call.reply(), string->bytes());
  call.StartLongWork([held = HeldString(string.entry()), count](LongWork& work) {
    count(work.reply, held.view().bytes());
  });
}

std::optional<RangeArguments> ReadSearchRange(Call& call) {
  RangeArguments range;
  if (call.argc() == 3) return range;
  Arguments args(call, 3);
  if (args.left() > 3) args.SyntaxError();
  range.start = args.Integer();
  range.end_given = args.More();
  if (args.left() == 2) {
    // Redis reads the unit before the end.
    args.GoTo(5);
    TakeUnit(args, &range);
    args.GoTo(4);
  }
  if (range.end_given) range.end = args.Integer();
  if (!args.Finish()) return std::nullopt;
  return range;
}

/// A string without clear bits has one behind its end, unless the caller gave an end. A missing
/// string has endless clear bits.
int64_t BitPosition(std::string_view bytes, bool bit, BitRange bits, bool end_given) {
  if (std::optional<uint64_t> found = FindBit(bytes, bit, bits.first, bits.last)) {
    return static_cast<int64_t>(*found);
  }
  return bit || end_given ? -1 : static_cast<int64_t>(bytes.size()) * 8;
}

void BitPos(Call& call) {
  std::optional<int64_t> wanted = call.Integer(2);
  if (!wanted) return;
  if (*wanted != 0 && *wanted != 1) return call.Error("ERR The bit argument must be 1 or 0.");
  const bool bit = *wanted == 1;
  Reading<StringView> string(call, call.arg(1));
  if (!string.ok()) return;
  std::optional<RangeArguments> range = ReadSearchRange(call);
  if (!range) return;
  if (!string.exists()) return call.reply().Integer(bit ? -1 : 0);
  std::optional<BitRange> bits = Clamp(*range, string->size());
  if (!bits) return call.reply().Integer(-1);
  auto search = [bit, bits = *bits, end_given = range->end_given](ReplyWriter& reply,
                                                                  std::string_view bytes) {
    reply.Integer(BitPosition(bytes, bit, bits, end_given));
  };
  if (string->size() <= kMaxInlineBytes) return search(call.reply(), string->bytes());
  call.StartLongWork([held = HeldString(string.entry()), search](LongWork& work) {
    search(work.reply, held.view().bytes());
  });
}

std::optional<BitOperation> OperationArgument(Call& call, size_t i) {
  if (call.Is(i, "AND")) return BitOperation::kAnd;
  if (call.Is(i, "OR")) return BitOperation::kOr;
  if (call.Is(i, "XOR")) return BitOperation::kXor;
  if (call.Is(i, "NOT")) return BitOperation::kNot;
  call.SyntaxError();
  return std::nullopt;
}

/// The operands of BITOP; null for an absent key, which counts as an empty string. Replies
/// WRONGTYPE if it returns nullopt.
using Operands = absl::InlinedVector<const Entry*, 4>;
std::optional<Operands> OpenOperands(Call& call) {
  Operands operands;
  for (size_t i = 3; i < call.argc(); ++i) {
    Reading<StringView> source(call, call.arg(i));
    if (!source.ok()) return std::nullopt;
    operands.push_back(source.entry());
  }
  return operands;
}

/// Null when all operands are empty.
BlobRef CombineBits(BitOperation operation, std::span<const StringView> operands) {
  // The view of an integer holds its digits, so the views must not move.
  absl::InlinedVector<std::string_view, 4> bytes;
  size_t size = 0;
  for (const StringView& operand : operands) {
    bytes.push_back(operand.bytes());
    size = std::max(size, operand.size());
  }
  if (size == 0) return BlobRef();
  Blob* blob = Blob::Create(size);
  BlobRef result = BlobRef::Adopt(blob);
  CombineBits(operation, {bytes.data(), bytes.size()}, blob->mutable_data(), size);
  return result;
}

/// A result that was computed outside the event loop, and what it was computed from.
struct PreparedBits {
  std::vector<HeldString> sources;
  BlobRef result;

  bool ComesFrom(std::span<const Entry* const> operands) const {
    return std::equal(operands.begin(), operands.end(), sources.begin(), sources.end(),
                      [](const Entry* entry, const HeldString& held) { return held.IsOf(entry); });
  }
};

void PrepareBits(Call& call, BitOperation operation, std::span<const Entry* const> operands) {
  auto prepared = std::make_shared<PreparedBits>();
  for (const Entry* entry : operands) prepared->sources.emplace_back(entry);
  call.PrepareOnWorker([operation, prepared](LongWork& work) {
    std::vector<StringView> views;
    for (const HeldString& held : prepared->sources) views.push_back(held.view());
    prepared->result = CombineBits(operation, views);
    work.prepared = prepared;
  });
}

void PutBits(Call& call, BlobRef result) {
  const size_t size = result ? result->bytes().size() : 0;
  WriteScope target = call.Open(call.arg(2));
  if (size > 0) {
    StoreRaw(target, std::move(result), kNoExpiry);
    target.Changed("set");
  } else if (target.exists()) {
    target.Delete();
    target.Changed("del");
  }
  call.reply().Integer(static_cast<int64_t>(size));
}

/// Long strings are combined outside the event loop, and the result is put in place only if they
/// have not changed meanwhile: it must come from one moment.
void BitOp(Call& call) {
  std::optional<BitOperation> operation = OperationArgument(call, 1);
  if (!operation) return;
  if (*operation == BitOperation::kNot && call.argc() != 4) {
    return call.Error("ERR BITOP NOT must be called with a single source key.");
  }
  std::optional<Operands> operands = OpenOperands(call);
  if (!operands) return;
  const auto prepared = call.prepared<PreparedBits>();
  if (prepared != nullptr && prepared->ComesFrom(*operands)) {
    return PutBits(call, std::move(prepared->result));
  }
  std::vector<StringView> views;
  size_t bytes = 0;
  for (const Entry* entry : *operands) bytes += views.emplace_back(ViewOf(entry)).size();
  if (bytes > kMaxInlineBytes && call.may_prepare()) {
    return PrepareBits(call, *operation, *operands);
  }
  PutBits(call, CombineBits(*operation, views));
}

// Read as a table.
// clang-format off
constexpr CommandRow kBitmapCommands[] = {
    {.name = "setbit", .run = SetBit, .arity = 4, .flags = kWrite | kDenyOom,
     .keys = {Key(1, kRW | kAccess | kUpdate)}, .since = "2.2.0",
     .complexity = "O(1), or O(N) where the string grows by N bytes",
     .syntax = "key offset value:integer",
     .summary = "Sets or clears a bit of a string, and returns what it was."},
    {.name = "getbit", .run = GetBit, .arity = 3, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO | kAccess)}, .since = "2.2.0", .complexity = "O(1)",
     .syntax = "key offset", .summary = "Returns a bit of a string."},
    {.name = "bitcount", .run = BitCount, .arity = -2, .flags = kReadonly,
     .keys = {Key(1, kRO | kAccess)}, .since = "2.6.0", .complexity = "O(N) for N bytes",
     .syntax = "key [index: start end [index_unit: BYTE | BIT]]",
     .summary = "Counts the set bits of a string."},
    {.name = "bitpos", .run = BitPos, .arity = -3, .flags = kReadonly,
     .keys = {Key(1, kRO | kAccess)}, .since = "2.8.7", .complexity = "O(N) for N bytes",
     .syntax = "key bit [index: start [end_index: end [index_unit: BYTE | BIT]]]",
     .summary = "Finds the first bit of a string that is set, or clear."},
    {.name = "bitop", .run = BitOp, .arity = -4, .flags = kWrite | kDenyOom,
     .keys = {Key(2, kOW | kUpdate), KeyRange(3, -1, 1, kRO | kAccess)}, .since = "2.6.0",
     .complexity = "O(N) for N bytes in all strings",
     .syntax = "operation destkey key [key ...]",
     .summary = "Combines the bits of strings and stores the result."},
};
// clang-format on

}  // namespace

CommandFamily BitmapCommands() { return {CommandGroup::kBitmap, kCatBitmap, kBitmapCommands}; }

}  // namespace cloakroom
