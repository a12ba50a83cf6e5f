// HyperLogLog: PFADD PFCOUNT PFMERGE PFDEBUG PFSELFTEST.
#include "storage/values/hyperloglog.h"

#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/random/distributions.h"
#include "protocol/text.h"
#include "server/commands/families.h"
#include "server/commands/support/held_string.h"
#include "server/config/config.h"
#include "server/execution/call.h"
#include "storage/access/lookup.h"
#include "storage/access/string_store.h"

namespace cloakroom {
namespace {

constexpr std::string_view kNotHll = "WRONGTYPE Key is not a valid HyperLogLog string value.";
constexpr std::string_view kCorrupt = "INVALIDOBJ Corrupted HLL object detected";
/// No event of Redis, so it is in no class of notifications; clients that track the key hear of it.
constexpr KeyEvent kUntold = "pfstate";

/// More values than this, of some 10 microseconds each, are merged on a worker.
constexpr size_t kMaxInlineMerges = 64;

size_t MaxSparse(Call& call) {
  return static_cast<size_t>(int64_t{call.server().settings().hll_sparse_max_bytes});
}

/// Replies with the error if the string is no HyperLogLog.
std::optional<HllView> OpenHll(Call& call, const StringView& string) {
  std::optional<HllView> view = HllView::Of(string.bytes());
  if (!view) call.Error(kNotHll);
  return view;
}

/// The value to change; an empty one for an absent key. Replies with the error if it returns
/// nullopt.
std::optional<HyperLogLog> CopyHll(Call& call, Writing<MutableString>& string) {
  if (!string.exists()) return HyperLogLog(MaxSparse(call));
  const StringView bytes = string->view();
  const std::optional<HllView> view = OpenHll(call, bytes);
  if (!view) return std::nullopt;
  return HyperLogLog(*view, MaxSparse(call));
}

void StoreHyperLogLog(WriteScope& scope, const HyperLogLog& hll) {
  const int64_t expire_at_ms = scope.exists() ? scope.expire_at_ms() : kNoExpiry;
  StoreRaw(scope, BlobRef::Adopt(Blob::Create(hll.bytes())), expire_at_ms);
}

/// The log gets the command: an element may change bytes that are far apart.
void PfAdd(Call& call) {
  Writing<MutableString> string(call, call.arg(1));
  if (!string.ok()) return;
  std::optional<HyperLogLog> hll = CopyHll(call, string);
  if (!hll) return;
  if (string.exists()) string.scope().set_outgrown(true);  // as in PFCOUNT
  int64_t changes = string.exists() ? 0 : 1;
  for (size_t i = 2; i < call.argc(); ++i) {
    const HyperLogLog::Change change = hll->Raise(HllMarkOf(call.arg(i)));
    if (change == HyperLogLog::Change::kCorrupt) return call.Error(kCorrupt);
    changes += change == HyperLogLog::Change::kRaised ? 1 : 0;
  }
  if (changes > 0) {
    hll->ForgetCount();
    string.scope().LogAs(call.db().index(), call.args());
    StoreHyperLogLog(string.scope(), *hll);
    string.Changed("pfadd", changes);
  }
  call.reply().Integer(changes > 0 ? 1 : 0);
}

/// Keeps a count that had to be computed in the value, as Redis does.
void KeepCount(Call& call, uint64_t count) {
  Writing<MutableString> string(call, call.arg(1));
  const std::array<char, 8> bytes = HllCountBytes(count);
  string->SetRange(HllView::kCountAt, {bytes.data(), bytes.size()});
  string.Changed(kUntold);
}

void CountOne(Call& call) {
  Reading<StringView> string(call, call.arg(1));
  if (!string.ok()) return;
  if (!string.exists()) return call.reply().Integer(0);
  const std::optional<HllView> view = OpenHll(call, *string);
  if (!view) return;
  // Redis makes it raw, whether or not it then keeps a count in it.
  call.Open(call.arg(1)).set_outgrown(true);
  std::optional<uint64_t> count = view->kept_count();
  if (!count) {
    HllRegisters registers;
    if (!view->RaiseIn(registers)) return call.Error(kCorrupt);
    count = registers.Estimate();
    KeepCount(call, *count);
  }
  call.reply().Integer(static_cast<int64_t>(*count));
}

/// The error, whose message is the reply, is that the string is corrupt.
absl::Status Raise(HllRegisters& registers, const HeldString& string) {
  const StringView bytes = string.view();
  return HllView::Of(bytes.bytes())->RaiseIn(registers) ? absl::OkStatus() : Refused(kCorrupt);
}

/// The error, whose message is the reply, is that one of them is corrupt.
absl::StatusOr<uint64_t> CountAll(const std::vector<HeldString>& strings) {
  HllRegisters registers;
  for (const HeldString& string : strings) {
    if (absl::Status raised = Raise(registers, string); !raised.ok()) return raised;
  }
  return registers.Estimate();
}

/// OK if the entry is a HyperLogLog, corrupt or not. The message of the error is the reply.
absl::Status CheckHll(const Entry& entry) {
  if (entry.type() != StringView::kType) return Refused(kWrongType);
  const StringView string(entry.value());
  return HllView::Of(string.bytes()) ? absl::OkStatus() : Refused(kNotHll);
}

void PfCount(Call& call) {
  if (call.argc() == 2) return CountOne(call);
  std::vector<HeldString> strings;
  HllRegisters registers;
  for (size_t i = 1; i < call.argc(); ++i) {
    const Entry* entry = call.Find(call.arg(i));
    if (entry == nullptr) continue;
    const bool is_inline = strings.size() < kMaxInlineMerges;
    // The error is that of the first key that has one; those behind it are not read.
    if (const absl::Status checked = CheckHll(*entry); !checked.ok()) {
      const absl::Status before = is_inline ? absl::OkStatus() : CountAll(strings).status();
      return call.Error(ReplyOf(before.ok() ? checked : before));
    }
    strings.emplace_back(entry);
    if (!is_inline) continue;
    const absl::Status raised = Raise(registers, strings.back());
    if (!raised.ok()) return call.Error(ReplyOf(raised));
  }
  if (strings.size() > kMaxInlineMerges) {
    return call.StartLongWork([strings = std::move(strings)](LongWork& work) {
      const absl::StatusOr<uint64_t> count = CountAll(strings);
      if (!count.ok()) return work.Error(ReplyOf(count.status()));
      work.reply.Integer(static_cast<int64_t>(*count));
    });
  }
  call.reply().Integer(static_cast<int64_t>(registers.Estimate()));
}

/// What PFMERGE takes from all its keys.
struct Merged {
  HllRegisters registers;
  bool any_dense = false;
};

/// Replies with the error and returns false if one of the values is none.
bool MergeSources(Call& call, Merged& merged) {
  for (size_t i = 1; i < call.argc(); ++i) {
    Reading<StringView> string(call, call.arg(i));
    if (!string.ok()) return false;
    if (!string.exists()) continue;
    const std::optional<HllView> view = OpenHll(call, *string);
    if (!view) return false;
    merged.any_dense |= view->form() == HllView::Form::kDense;
    if (view->RaiseIn(merged.registers)) continue;
    call.Error(kCorrupt);
    return false;
  }
  return true;
}

/// The error, whose message is the reply, is that the value is corrupt.
absl::Status RaiseAll(HyperLogLog& hll, const Merged& merged) {
  if (merged.any_dense && !hll.BecomeDense()) return Refused(kCorrupt);
  for (uint32_t i = 0; i < HllRegisters::kCount; ++i) {
    const HllMark mark{.index = i, .rank = merged.registers.at(i)};
    if (mark.rank != 0 && hll.Raise(mark) == HyperLogLog::Change::kCorrupt) {
      return Refused(kCorrupt);
    }
  }
  return absl::OkStatus();
}

void PfMerge(Call& call) {
  Merged merged;
  if (!MergeSources(call, merged)) return;
  Writing<MutableString> string(call, call.arg(1));
  std::optional<HyperLogLog> hll = CopyHll(call, string);
  if (!hll) return;
  if (absl::Status raised = RaiseAll(*hll, merged); !raised.ok()) {
    return call.Error(ReplyOf(raised));
  }
  hll->ForgetCount();
  for (size_t i = 2; i < call.argc(); ++i) {
    KeepForLog(call.db(), call.arg(i), call.HashOf(call.arg(i)));
  }
  string.scope().LogAs(call.db().index(), call.args());
  StoreHyperLogLog(string.scope(), *hll);
  string.Changed("pfadd");
  call.reply().Ok();
}

// PFDEBUG.

/// Makes the value dense, and replies with the error if it returns false.
bool MakeDense(Call& call, Writing<MutableString>& string, HyperLogLog& hll) {
  if (hll.dense()) return true;
  if (!hll.BecomeDense()) {
    call.Error(kCorrupt);
    return false;
  }
  StoreHyperLogLog(string.scope(), hll);
  string.Changed(kUntold);
  return true;
}

void ReplyRegisters(Call& call, Writing<MutableString>& string, HyperLogLog& hll) {
  if (!MakeDense(call, string, hll)) return;
  HllRegisters registers;
  if (!HllView::Of(hll.bytes())->RaiseIn(registers)) return call.Error(kCorrupt);
  call.reply().Array(HllRegisters::kCount);
  for (uint32_t i = 0; i < HllRegisters::kCount; ++i) call.reply().Integer(registers.at(i));
}

void ReplyRuns(Call& call, Writing<MutableString>&, HyperLogLog& hll) {
  if (hll.dense()) return call.Error("ERR HLL encoding is not sparse");
  const std::optional<std::string> runs = HllView::Of(hll.bytes())->Describe();
  runs ? call.reply().Bulk(std::string_view(*runs)) : call.Error(kCorrupt);
}

void ReplyForm(Call& call, Writing<MutableString>&, HyperLogLog& hll) {
  call.reply().Simple(hll.dense() ? "dense" : "sparse");
}

void ToDense(Call& call, Writing<MutableString>& string, HyperLogLog& hll) {
  const bool was_dense = hll.dense();
  if (MakeDense(call, string, hll)) call.reply().Integer(was_dense ? 0 : 1);
}

struct DebugSubcommand {
  std::string_view name;
  void (*run)(Call&, Writing<MutableString>&, HyperLogLog&);
};
constexpr DebugSubcommand kDebugSubcommands[] = {{"getreg", ReplyRegisters},
                                                 {"decode", ReplyRuns},
                                                 {"encoding", ReplyForm},
                                                 {"todense", ToDense}};

void PfDebug(Call& call) {
  Writing<MutableString> string(call, call.arg(2));
  if (!string.ok()) return;
  if (!string.exists()) return call.Error("ERR The specified key does not exist");
  std::optional<HyperLogLog> hll = CopyHll(call, string);
  if (!hll) return;
  string.scope().set_outgrown(true);  // as in PFCOUNT
  for (const DebugSubcommand& subcommand : kDebugSubcommands) {
    if (call.Is(1, subcommand.name)) return subcommand.run(call, string, *hll);
  }
  call.Error(Concat({"ERR Unknown PFDEBUG subcommand '", call.arg(1), "'"}));
}

// PFSELFTEST.

/// Whether dense registers keep what is put into them, and nothing else.
bool DenseRegistersHold(absl::BitGenRef random) {
  HllRegisters expected;
  HyperLogLog hll(0);
  if (!hll.BecomeDense()) return false;
  for (uint32_t i = 0; i < 4 * HllRegisters::kCount; ++i) {
    const HllMark mark{.index = absl::Uniform<uint32_t>(random, 0, HllRegisters::kCount),
                       .rank = absl::Uniform<uint8_t>(random, 1, 64)};
    expected.Raise(mark);
    if (hll.Raise(mark) == HyperLogLog::Change::kCorrupt) return false;
  }
  HllRegisters found;
  if (!HllView::Of(hll.bytes())->RaiseIn(found)) return false;
  for (uint32_t i = 0; i < HllRegisters::kCount; ++i) {
    if (found.at(i) != expected.at(i)) return false;
  }
  return true;
}

/// Whether both forms agree, and the estimate is within five standard errors.
bool EstimatesAreRight(absl::BitGenRef random) {
  constexpr uint64_t kMost = 1'000'000;
  const double error = 5 * 1.04 / std::sqrt(double{HllRegisters::kCount});
  const uint64_t seed = absl::Uniform<uint64_t>(random);
  HyperLogLog sparse(std::numeric_limits<size_t>::max());
  HllRegisters registers;
  uint64_t next = 10;
  for (uint64_t i = 1; i <= kMost; ++i) {
    const uint64_t element = seed ^ i;
    const HllMark mark = HllMarkOf({reinterpret_cast<const char*>(&element), sizeof(element)});
    registers.Raise(mark);
    if (i <= 1000 && sparse.Raise(mark) == HyperLogLog::Change::kCorrupt) return false;
    if (i != next) continue;
    next *= 10;
    const uint64_t estimate = registers.Estimate();
    const double off = std::abs(static_cast<double>(estimate) - static_cast<double>(i));
    // A small count may be off by two elements.
    if (off > std::max(error * static_cast<double>(i), 2.0)) return false;
    if (i > 1000) continue;
    HllRegisters of_sparse;
    if (!HllView::Of(sparse.bytes())->RaiseIn(of_sparse)) return false;
    if (of_sparse.Estimate() != estimate) return false;
  }
  return true;
}

void PfSelfTest(Call& call) {
  call.StartLongWork([](LongWork& work) {
    absl::InsecureBitGen random;
    if (!DenseRegistersHold(random)) return work.Error("TESTFAILED Dense registers");
    if (!EstimatesAreRight(random)) return work.Error("TESTFAILED Estimates");
    work.reply.Ok();
  });
}

// Read as a table.
// clang-format off
constexpr CommandRow kHyperLogLogCommands[] = {
    {.name = "pfadd", .run = PfAdd, .arity = -2, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kInsert)}, .since = "2.8.9",
     .complexity = "O(1) for each element.",
     .syntax = "key [element [element ...]]",
     .summary = "Adds elements to a HyperLogLog, and makes it where there is none."},
    {.name = "pfcount", .run = PfCount, .arity = -2, .flags = kReadonly | kMayReplicate,
     .keys = {KeyRange(1, -1, 1, kRW | kAccess)
                  .Noted("Keeps what it has counted in the key")}, .since = "2.8.9",
     .complexity = "O(1) for one key; O(N) for N keys, with a larger constant.",
     .syntax = "key [key ...]",
     .summary = "Estimates how many different elements HyperLogLogs have together."},
    {.name = "pfdebug", .run = PfDebug, .arity = 3, .flags = kWrite | kDenyOom | kAdmin | kSystem,
     .keys = {Key(2, kRW | kAccess)}, .since = "2.8.9", .complexity = "O(1)",
     .syntax = "subcommand key", .summary = "Shows the inside of a HyperLogLog."},
    {.name = "pfmerge", .run = PfMerge, .arity = -2, .flags = kWrite | kDenyOom,
     .keys = {Key(1, kRW | kAccess | kInsert), KeyRange(2, -1, 1, kRO | kAccess)},
     .since = "2.8.9", .complexity = "O(N) for N HyperLogLogs, with a large constant.",
     .syntax = "destkey sourcekey [sourcekey ...]",
     .summary = "Adds the elements of HyperLogLogs to another one."},
    {.name = "pfselftest", .run = PfSelfTest, .arity = 1, .flags = kAdmin | kSystem,
     .since = "2.8.9",
     .complexity = "O(1)", .summary = "Tests the server's HyperLogLog."},
};
// clang-format on

}  // namespace

CommandFamily HyperLogLogCommands() {
  return {CommandGroup::kHyperLogLog, kCatHyperLogLog, kHyperLogLogCommands};
}

}  // namespace cloakroom
