// Commands on single members of a sorted set, and ZCARD, ZRANDMEMBER, ZSCAN.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "protocol/numbers.h"
#include "server/commands/families.h"
#include "server/commands/support/long_reply.h"
#include "server/commands/support/sampling.h"
#include "server/commands/support/scan_options.h"
#include "server/commands/support/scored_reply.h"
#include "server/commands/support/zset_add.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "storage/values/zset.h"

namespace cloakroom {
namespace {

void ZCard(Call& call) {
  Reading<Zset> zset(call, call.arg(1));
  if (!zset.ok()) return;
  call.reply().Integer(static_cast<int64_t>(zset->size()));
}

void ReplyScore(ReplyWriter& reply, std::optional<double> score) {
  score ? reply.Double(*score) : reply.Null();
}

void ZScore(Call& call) {
  Reading<Zset> zset(call, call.arg(1));
  if (!zset.ok()) return;
  ReplyScore(call.reply(), zset->Score(call.arg(2)));
}

void ZMScore(Call& call) {
  Reading<Zset> zset(call, call.arg(1));
  if (!zset.ok()) return;
  call.reply().Array(call.argc() - 2);
  for (size_t i = 2; i < call.argc(); ++i) ReplyScore(call.reply(), zset->Score(call.arg(i)));
}

void Rank(Call& call, bool descending) {
  if (call.argc() > 4) return call.WrongArity();
  const bool with_score = call.argc() == 4;
  if (with_score && !call.Is(3, "withscore")) return call.SyntaxError();
  Reading<Zset> zset(call, call.arg(1));
  if (!zset.ok()) return;
  const std::optional<size_t> rank = zset->Rank(call.arg(2));
  if (!rank) return with_score ? call.reply().NullArray() : call.reply().Null();
  if (with_score) call.reply().Array(2);
  call.reply().Integer(static_cast<int64_t>(descending ? zset->size() - 1 - *rank : *rank));
  if (with_score) call.reply().Double(*zset->Score(call.arg(2)));
}

void ZRank(Call& call) { Rank(call, /*descending=*/false); }
void ZRevRank(Call& call) { Rank(call, /*descending=*/true); }

/// One step of ZSCAN.
struct ScanStep {
  uint64_t cursor;
  ScanOptions options;
  bool listpack;  ///< what the sorted set is to clients
};

void ReplyScanStep(ReplyWriter& reply, const Zset& zset, const ScanStep& step) {
  std::vector<std::pair<std::string, double>> found;
  const uint64_t next = zset.Scan(step.cursor, step.options.count, [&](const ScoredItem& item) {
    if (step.options.Matches(item.member)) found.emplace_back(item.member, item.score);
  });
  ReplyScanCursor(reply, next);
  reply.Array(found.size() * 2);
  for (const auto& [member, score] : found) {
    reply.Bulk(std::string_view(member));
    reply.Bulk((step.listpack ? ScoreText::OfListpack(score) : ScoreText(score)).view());
  }
}

void ZScan(Call& call) {
  std::optional<uint64_t> cursor = ParseScanCursor(call, 2);
  if (!cursor) return;
  Reading<Zset> zset(call, call.arg(1));
  if (!zset.ok()) return;
  if (!zset.exists()) return ReplyEmptyScan(call.reply());
  std::optional<ScanOptions> options = ParseScanOptions(call, 3, ScanOf::kZset);
  if (!options) return;
  const size_t items = std::min(options->count, zset->size());
  const bool listpack = EncodingName(zset.entry()->value()) == "listpack";
  ReplyFrom(call, *zset, items,
            [step = ScanStep{*cursor, *std::move(options), listpack}](
                ReplyWriter& reply, const Zset& view) { ReplyScanStep(reply, view, step); });
}

/// `count` distinct members, or -count members with repetition.
void ReplySample(ReplyWriter& reply, const Zset& zset, int64_t count, bool with_scores) {
  absl::InsecureBitGen random;
  const size_t size = zset.size();
  const bool repeats = count < 0;
  const size_t magnitude = static_cast<size_t>(std::abs(count));
  const size_t replied = size == 0 ? 0 : repeats ? magnitude : std::min(magnitude, size);
  BeginScored(reply, replied, with_scores);
  if (replied == 0) return;
  if (!repeats && replied * kDrawOneIn >= size) {
    SelectionSampler sampler(replied, size);
    zset.ForEach([&](const ScoredItem& item) {
      if (sampler.Take(random)) ReplyScored(reply, item, with_scores);
    });
    return;
  }
  absl::flat_hash_set<size_t> seen;
  for (size_t left = replied; left > 0;) {
    const size_t rank = absl::Uniform<size_t>(random, 0, size);
    if (!repeats && !seen.insert(rank).second) continue;
    ReplyScored(reply, zset.At(rank), with_scores);
    --left;
  }
}

void ZRandMember(Call& call) {
  if (call.argc() == 2) {
    Reading<Zset> zset(call, call.arg(1));
    if (!zset.ok()) return;
    if (zset->empty()) return call.reply().Null();
    const size_t rank = absl::Uniform<size_t>(call.random(), 0, zset->size());
    return call.reply().Bulk(zset->At(rank).member);
  }
  std::optional<int64_t> count = ParseSampleCount(call, 2);
  if (!count) return;
  const bool with_scores = call.argc() == 4 && call.Is(3, "withscores");
  if (call.argc() > 3 && !with_scores) return call.SyntaxError();
  if (with_scores && *count > INT64_MAX / 2) return call.Error("ERR value is out of range");
  Reading<Zset> zset(call, call.arg(1));
  if (!zset.ok()) return;
  const size_t magnitude = static_cast<size_t>(std::abs(*count));
  ReplyFrom(call, *zset, *count < 0 ? magnitude : std::min(zset->size(), magnitude),
            [count = *count, with_scores](ReplyWriter& reply, const Zset& view) {
              ReplySample(reply, view, count, with_scores);
            });
}

// Changes.

/// The options of ZADD, which ZINCRBY also takes.
ZsetAddOptions TakeZsetAddOptions(Arguments& args) {
  ZsetAddOptions options;
  while (args.More()) {
    if (args.Word("NX")) {
      options.nx = true;
    } else if (args.Word("XX")) {
      options.xx = true;
    } else if (args.Word("CH")) {
      options.ch = true;
    } else if (args.Word("INCR")) {
      options.incr = true;
    } else if (args.Word("GT")) {
      options.gt = true;
    } else if (args.Word("LT")) {
      options.lt = true;
    } else {
      break;
    }
  }
  return options;
}

void Add(Call& call, bool incr) {
  Arguments args(call, 2);
  ZsetAddOptions options = TakeZsetAddOptions(args);
  options.incr |= incr;
  if (args.left() == 0 || args.left() % 2 != 0) args.SyntaxError();
  const size_t pairs = args.left() / 2;
  if (options.nx && options.xx) {
    args.Fail("ERR XX and NX options at the same time are not compatible");
  }
  if ((options.gt && options.nx) || (options.lt && options.nx) || (options.gt && options.lt)) {
    args.Fail("ERR GT, LT, and/or NX options at the same time are not compatible");
  }
  if (options.incr && pairs > 1) {
    args.Fail("ERR INCR option supports a single increment-element pair");
  }
  std::vector<ScoredItem> items;
  while (args.More()) {
    const double score = args.Double();
    items.push_back({.score = score, .member = args.String()});
  }
  if (!args.Finish()) return;
  AddToZset(call, items, options);
}

void ZAdd(Call& call) { Add(call, /*incr=*/false); }
void ZIncrBy(Call& call) { Add(call, /*incr=*/true); }

void ZRem(Call& call) {
  Writing<MutableZset> zset(call, call.arg(1));
  if (!zset.ok()) return;
  int64_t removed = 0;
  for (size_t i = 2; i < call.argc(); ++i) removed += zset->Remove(call.arg(i)) ? 1 : 0;
  if (removed > 0) zset.Changed("zrem", removed);
  call.reply().Integer(removed);
}

// Read as a table.
// clang-format off
constexpr CommandRow kZsetCommands[] = {
    {.name = "zadd", .run = ZAdd, .arity = -4, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .since = "1.2.0",
     .complexity = "O(log(N)) for each member, N members in all.",
     .syntax = "key [condition: NX | XX] [comparison: GT | LT] [change: CH] [increment: INCR] "
               "score member [score_member: score member ...]",
     .summary = "Adds members to a sorted set, or gives them other scores."},
    {.name = "zcard", .run = ZCard, .arity = 2, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO)}, .since = "1.2.0", .complexity = "O(1)",
     .syntax = "key", .summary = "Returns how many members a sorted set has."},
    {.name = "zincrby", .run = ZIncrBy, .arity = 4, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kAccess | kUpdate)}, .since = "1.2.0",
     .complexity = "O(log(N)) for N members.",
     .syntax = "key increment member",
     .summary = "Adds to the score of a member, which counts as 0 when it is absent."},
    {.name = "zmscore", .run = ZMScore, .arity = -3, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO | kAccess)}, .since = "6.2.0",
     .complexity = "O(N) for N members asked for.",
     .syntax = "key member [member ...]", .summary = "Returns the scores of several members."},
    {.name = "zrandmember", .run = ZRandMember, .arity = -2, .flags = kReadonly | kRandomOutput,
     .keys = {Key(1, kRO | kAccess)}, .since = "6.2.0",
     .complexity = "O(N*log(M)) for N members returned of M.",
     .syntax = "key [options: count [WITHSCORES]]",
     .summary = "Returns members of a sorted set drawn at random."},
    {.name = "zrank", .run = ZRank, .arity = -3, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO | kAccess)}, .since = "2.0.0",
     .complexity = "O(log(N)) for N members.",
     .syntax = "key member [WITHSCORE]",
     .summary = "Returns the place of a member in ascending order."},
    {.name = "zrem", .run = ZRem, .arity = -3, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kDelete)}, .since = "1.2.0",
     .complexity = "O(M*log(N)) for M members of N.",
     .syntax = "key member [member ...]",
     .summary = "Removes members from a sorted set, and the set with its last member."},
    {.name = "zrevrank", .run = ZRevRank, .arity = -3, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO | kAccess)}, .since = "2.0.0",
     .complexity = "O(log(N)) for N members.",
     .syntax = "key member [WITHSCORE]",
     .summary = "Returns the place of a member in descending order."},
    {.name = "zscan", .run = ZScan, .arity = -3, .flags = kReadonly | kRandomOutput,
     .keys = {Key(1, kRO | kAccess)}, .since = "2.8.0",
     .complexity = "O(1) for a step, O(N) for all steps through N members.",
     .syntax = "key cursor [MATCH pattern] [COUNT count]",
     .summary = "Goes through the members of a sorted set step by step."},
    {.name = "zscore", .run = ZScore, .arity = 3, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO | kAccess)}, .since = "1.2.0", .complexity = "O(1)",
     .syntax = "key member", .summary = "Returns the score of a member."},
};
// clang-format on

}  // namespace

CommandFamily ZsetCommands() { return {CommandGroup::kSortedSet, kCatSortedSet, kZsetCommands}; }

}  // namespace cloakroom
