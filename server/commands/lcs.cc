// LCS: the longest common subsequence of two strings.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "server/commands/families.h"
#include "server/commands/support/common_subsequence.h"
#include "server/commands/support/held_string.h"
#include "server/config/config.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"

namespace cloakroom {
namespace {

/// More pairs of bytes than this, which take about 0.1 ms, are long work.
constexpr size_t kMaxInlinePairs = 50'000;

struct LcsOptions {
  bool length = false;
  bool runs = false;
  bool with_run_length = false;
  int64_t min_run_length = 0;
};

std::optional<LcsOptions> ReadLcsOptions(Call& call) {
  LcsOptions options;
  Arguments args(call, 3);
  while (args.More()) {
    if (args.Word("IDX")) {
      options.runs = true;
    } else if (args.Word("LEN")) {
      options.length = true;
    } else if (args.Word("WITHMATCHLEN")) {
      options.with_run_length = true;
    } else if (args.Word("MINMATCHLEN")) {
      options.min_run_length = args.Integer();
    } else {
      args.SyntaxError();
    }
  }
  if (options.length && options.runs) {
    args.Fail("ERR If you want both the length and indexes, please just use IDX.");
  }
  if (!args.Finish()) return std::nullopt;
  return options;
}

void ReplyRuns(ReplyWriter& reply, std::vector<CommonRun> runs, const LcsOptions& options) {
  size_t length = 0;
  for (const CommonRun& run : runs) length += run.size;
  std::erase_if(runs, [&](const CommonRun& run) {
    return static_cast<int64_t>(run.size) < options.min_run_length;
  });
  reply.Map(2);
  reply.Bulk("matches");
  reply.Array(runs.size());
  for (const CommonRun& run : runs) {
    reply.Array(options.with_run_length ? 3 : 2);
    for (size_t start : {run.a, run.b}) {
      reply.Array(2);
      reply.Integer(static_cast<int64_t>(start));
      reply.Integer(static_cast<int64_t>(start + run.size - 1));
    }
    if (options.with_run_length) reply.Integer(static_cast<int64_t>(run.size));
  }
  reply.Bulk("len");
  reply.Integer(static_cast<int64_t>(length));
}

void ReplyLcs(ReplyWriter& reply, std::string_view a, std::string_view b,
              const LcsOptions& options) {
  if (options.length) return reply.Integer(static_cast<int64_t>(CommonLength(a, b)));
  std::vector<CommonRun> runs = CommonRuns(a, b);
  if (options.runs) return ReplyRuns(reply, std::move(runs), options);
  reply.Bulk(CommonText(a, runs));
}

/// Redis' limit for its table, in which each pair of prefixes takes four bytes.
bool FitsInMemory(Call& call, size_t a, size_t b) {
  const uint64_t limit =
      static_cast<uint64_t>(int64_t{call.server().settings().proto_max_bulk_len_bytes});
  if ((a + 1) <= limit / sizeof(uint32_t) / (b + 1)) return true;
  call.Error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  return false;
}

void Lcs(Call& call) {
  const Entry* a = call.Find(call.arg(1));
  const Entry* b = call.Find(call.arg(2));
  if ((a != nullptr && a->type() != StringView::kType) ||
      (b != nullptr && b->type() != StringView::kType)) {
    return call.Error("ERR The specified keys must contain string values");
  }
  std::optional<LcsOptions> options = ReadLcsOptions(call);
  if (!options) return;
  const StringView a_view = ViewOf(a);
  const StringView b_view = ViewOf(b);
  if (!FitsInMemory(call, a_view.size(), b_view.size())) return;
  if (a_view.size() * b_view.size() <= kMaxInlinePairs) {
    return ReplyLcs(call.reply(), a_view.bytes(), b_view.bytes(), *options);
  }
  call.StartLongWork(
      [first = HeldString(a), second = HeldString(b), options = *options](LongWork& work) {
        ReplyLcs(work.reply, first.view().bytes(), second.view().bytes(), options);
      });
}

// Read as a table.
// clang-format off
constexpr CommandRow kLcsCommands[] = {
    {.name = "lcs", .run = Lcs, .arity = -3, .flags = kReadonly,
     .keys = {KeyRange(1, 2, 1, kRO | kAccess)}, .since = "7.0.0",
     .complexity = "O(N*M) for strings of N and M bytes",
     .syntax = "key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]",
     .summary = "Finds the longest common subsequence of two strings."},
};
// clang-format on

}  // namespace

CommandFamily LcsCommands() { return {CommandGroup::kString, kCatString, kLcsCommands}; }

}  // namespace cloakroom
