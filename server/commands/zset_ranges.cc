// Ranges of a sorted set by rank, by score or by member: replied, stored, counted, removed.
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "server/commands/families.h"
#include "server/commands/support/long_reply.h"
#include "server/commands/support/scored_reply.h"
#include "server/commands/support/scratch_zset.h"
#include "server/commands/support/zset_range.h"
#include "server/commands/support/zset_removal.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "storage/values/zset.h"

namespace cloakroom {
namespace {

/// What a command's name says about its range; nullopt: its options say it.
struct RangeForm {
  std::optional<RangeBy> by;
  std::optional<bool> descending;
  bool store = false;  ///< the first argument is the destination
};

/// The options of ZRANGE and its like.
struct RangeOptions {
  RangeBy by = RangeBy::kRank;
  bool descending = false;
  bool with_scores = false;
  int64_t offset = 0;
  int64_t limit = -1;  ///< negative: none
};

/// Takes BYSCORE or BYLEX.
std::optional<RangeBy> TakeRangeBy(Arguments& args) {
  if (args.Word("BYLEX")) return RangeBy::kMember;
  if (args.Word("BYSCORE")) return RangeBy::kScore;
  return std::nullopt;
}

RangeOptions TakeRangeOptions(Arguments& args, RangeForm form) {
  RangeOptions options;
  while (args.More()) {
    if (!form.store && args.Word("WITHSCORES")) {
      options.with_scores = true;
    } else if (args.Word("LIMIT", 2)) {
      options.offset = args.Integer();
      options.limit = args.Integer();
    } else if (!form.descending && args.Word("REV")) {
      form.descending = true;
    } else if (std::optional<RangeBy> by; !form.by && (by = TakeRangeBy(args))) {
      form.by = by;
    } else {
      args.SyntaxError();
    }
  }
  options.by = form.by.value_or(RangeBy::kRank);
  options.descending = form.descending.value_or(false);
  if (options.limit != -1 && options.by == RangeBy::kRank) {
    args.Fail(
        "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
  }
  if (options.with_scores && options.by == RangeBy::kMember) {
    args.Fail("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
  }
  return options;
}

/// The part of a range that LIMIT leaves.
RankRange Limited(const RankRange& range, const RangeOptions& options) {
  if (options.offset < 0 || static_cast<uint64_t>(options.offset) >= range.count) return {};
  const auto offset = static_cast<size_t>(options.offset);
  size_t count = range.count - offset;
  if (options.limit >= 0) count = std::min(count, static_cast<size_t>(options.limit));
  const size_t skipped = options.descending ? range.count - offset - count : offset;
  return {.first = range.first + skipped, .count = count};
}

RankRange RanksOf(const ZsetRange& range, const RangeOptions& options, const Zset& zset) {
  RankRange ranks = RanksOf(range, zset);
  // Indexes count from the end at which the reply begins.
  if (options.by == RangeBy::kRank && options.descending) {
    ranks.first = ranks.count == 0 ? 0 : zset.size() - ranks.first - ranks.count;
  }
  // Redis takes `LIMIT n -1` of a range of indexes for no limit at all.
  return options.by == RangeBy::kRank ? ranks : Limited(ranks, options);
}

/// Replies with the range, whose key is argument `key`. In descending order by score or by member
/// the ends are given as max and min.
std::optional<std::pair<RangeOptions, ZsetRange>> ParseRequest(Call& call, size_t key,
                                                               RangeForm form) {
  Arguments args(call, key + 3);
  const RangeOptions options = TakeRangeOptions(args, form);
  if (!args.Finish()) return std::nullopt;
  size_t min = key + 1;
  size_t max = key + 2;
  if (options.descending && options.by != RangeBy::kRank) std::swap(min, max);
  std::optional<ZsetRange> range = ParseZsetRange(call, options.by, min, max);
  if (!range) return std::nullopt;
  return std::pair(options, *std::move(range));
}

void Range(Call& call, RangeForm form) {
  const auto request = ParseRequest(call, 1, form);
  if (!request) return;
  const RangeOptions& options = request->first;
  Reading<Zset> zset(call, call.arg(1));
  if (!zset.ok()) return;
  const RankRange ranks = RanksOf(request->second, options, *zset);
  ReplyFrom(call, *zset, ranks.count, [ranks, options](ReplyWriter& reply, const Zset& view) {
    BeginScored(reply, ranks.count, options.with_scores);
    view.ForRange(ranks.first, ranks.count, options.descending,
                  [&](const ScoredItem& item) { ReplyScored(reply, item, options.with_scores); });
  });
}

void ZRange(Call& call) { Range(call, {}); }
void ZRevRange(Call& call) { Range(call, {.by = RangeBy::kRank, .descending = true}); }
void ZRangeByScore(Call& call) { Range(call, {.by = RangeBy::kScore, .descending = false}); }
void ZRevRangeByScore(Call& call) { Range(call, {.by = RangeBy::kScore, .descending = true}); }
void ZRangeByLex(Call& call) { Range(call, {.by = RangeBy::kMember, .descending = false}); }
void ZRevRangeByLex(Call& call) { Range(call, {.by = RangeBy::kMember, .descending = true}); }

void Fill(ScratchZset& result, const Zset& zset, const RankRange& ranks,
          const RangeOptions& options) {
  // Redis knows only the size of a range of ranks beforehand.
  if (ranks.count > 0 && options.by == RangeBy::kRank) result.Prepare(ranks.count);
  // In the order of the request: it decides which zeros keep their sign.
  zset.ForRange(ranks.first, ranks.count, options.descending,
                [&](const ScoredItem& item) { result.Add(item); });
}

/// The result of a large ZRANGESTORE, computed outside the event loop, and from what.
struct PreparedRange {
  PreparedRange(SharedValue its_source, const RankRange& ranks, const RangeOptions& options,
                const EncodingLimits& limits)
      : source(std::move(its_source)), result(limits) {
    Fill(result, Zset(source.view()), ranks, options);
  }

  SharedValue source;
  ScratchZset result;
};

void PrepareRange(Call& call, const Zset& source, const RankRange& ranks,
                  const RangeOptions& options) {
  call.PrepareOnWorker(
      [source = source.Share(), ranks, options, stale = call.prepared<PreparedRange>(),
       limits = call.server().keyspace().encoding_limits()](LongWork& work) mutable {
        // Freed here, not on the event loop.
        stale.reset();
        work.prepared = std::make_shared<PreparedRange>(std::move(source), ranks, options, limits);
      });
}

void ZRangeStore(Call& call) {
  constexpr size_t kSource = 2;
  constexpr StoreKeys kKeys{.target = 1, .first_source = kSource, .end_source = kSource + 1};
  constexpr size_t kLongStore = 2'000;  // members, that is a millisecond
  const auto request = ParseRequest(call, kSource, {.store = true});
  if (!request) return;
  Reading<Zset> zset(call, call.arg(kSource));
  if (!zset.ok()) return;
  const std::shared_ptr<PreparedRange> prepared = call.prepared<PreparedRange>();
  if (prepared != nullptr && zset->Is(prepared->source)) {
    return StoreZset(call, prepared->result, "zrangestore", kKeys);
  }
  const RangeOptions& options = request->first;
  const RankRange ranks = RanksOf(request->second, options, *zset);
  if (ranks.count > kLongStore && call.may_prepare()) {
    return PrepareRange(call, *zset, ranks, options);
  }
  ScratchZset result(call.server().keyspace().encoding_limits());
  Fill(result, *zset, ranks, options);
  StoreZset(call, result, "zrangestore", kKeys);
}

void Count(Call& call, RangeBy by) {
  const std::optional<ZsetRange> range = ParseZsetRange(call, by, 2, 3);
  if (!range) return;
  Reading<Zset> zset(call, call.arg(1));
  if (!zset.ok()) return;
  call.reply().Integer(static_cast<int64_t>(RanksOf(*range, *zset).count));
}

void ZCount(Call& call) { Count(call, RangeBy::kScore); }
void ZLexCount(Call& call) { Count(call, RangeBy::kMember); }

void RemoveRange(Call& call, RangeBy by, KeyEvent event) {
  const std::optional<ZsetRange> range = ParseZsetRange(call, by, 2, 3);
  if (!range) return;
  Writing<MutableZset> zset(call, call.arg(1));
  if (!zset.ok()) return;
  const RankRange ranks = RanksOf(*range, zset->view());
  if (ranks.count > 0) {
    if (!RemoveFromZset(call, zset.scope(), ranks)) return;
    zset.Changed(event, static_cast<int64_t>(ranks.count));
  }
  call.reply().Integer(static_cast<int64_t>(ranks.count));
}

void ZRemRangeByRank(Call& call) { RemoveRange(call, RangeBy::kRank, "zremrangebyrank"); }
void ZRemRangeByScore(Call& call) { RemoveRange(call, RangeBy::kScore, "zremrangebyscore"); }
void ZRemRangeByLex(Call& call) { RemoveRange(call, RangeBy::kMember, "zremrangebylex"); }

constexpr std::string_view kOfRange = "O(log(N)+M) for M members returned of N.";
constexpr std::string_view kOfRemoval = "O(log(N)+M) for M members removed of N.";

// Read as a table.
// clang-format off
constexpr CommandRow kZsetRangeCommands[] = {
    {.name = "zcount", .run = ZCount, .arity = 4, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO | kAccess)}, .since = "2.0.0", .complexity = "O(log(N)) for N members.",
     .syntax = "key min:double max:double",
     .summary = "Returns how many members have a score in a range."},
    {.name = "zlexcount", .run = ZLexCount, .arity = 4, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO | kAccess)}, .since = "2.8.9", .complexity = "O(log(N)) for N members.",
     .syntax = "key min max", .summary = "Returns how many members are between two others."},
    {.name = "zrange", .run = ZRange, .arity = -4, .flags = kReadonly,
     .keys = {Key(1, kRO | kAccess)}, .since = "1.2.0", .complexity = kOfRange,
     .syntax = "key start:string stop:string [sortby: BYSCORE | BYLEX] [REV] [offset_count: LIMIT "
               "offset count] [WITHSCORES]",
     .summary = "Returns members of a sorted set in a range."},
    {.name = "zrangebylex", .run = ZRangeByLex, .arity = -4, .flags = kReadonly,
     .keys = {Key(1, kRO | kAccess)}, .since = "2.8.9",
     .deprecated_since = "6.2.0",
     .replaced_by = "`ZRANGE` with the `BYLEX` argument",
     .complexity = kOfRange,
     .syntax = "key min max [offset_count: LIMIT offset count]",
     .summary = "Returns the members between two others."},
    {.name = "zrangebyscore", .run = ZRangeByScore, .arity = -4, .flags = kReadonly,
     .keys = {Key(1, kRO | kAccess)}, .since = "1.0.5",
     .deprecated_since = "6.2.0",
     .replaced_by = "`ZRANGE` with the `BYSCORE` argument",
     .complexity = kOfRange,
     .syntax = "key min:double max:double [WITHSCORES] [offset_count: LIMIT offset count]",
     .summary = "Returns the members with a score in a range."},
    {.name = "zrangestore", .run = ZRangeStore, .arity = -5, .flags = kWrite | kDenyOom,
     .keys = {Key(1, kOW | kUpdate), Key(2, kRO | kAccess)}, .since = "6.2.0",
     .complexity = "O(log(N)+M) for M members stored of N.",
     .syntax = "dst src min max [sortby: BYSCORE | BYLEX] [REV] [offset_count: LIMIT offset count]",
     .summary = "Stores members of a sorted set in another key."},
    {.name = "zremrangebylex", .run = ZRemRangeByLex, .arity = 4, .flags = kWrite,
     .keys = {Key(1, kRW | kDelete)}, .since = "2.8.9", .complexity = kOfRemoval,
     .syntax = "key min max", .summary = "Removes the members between two others."},
    {.name = "zremrangebyrank", .run = ZRemRangeByRank, .arity = 4, .flags = kWrite,
     .keys = {Key(1, kRW | kDelete)}, .since = "2.0.0", .complexity = kOfRemoval,
     .syntax = "key start stop", .summary = "Removes the members in a range of places."},
    {.name = "zremrangebyscore", .run = ZRemRangeByScore, .arity = 4, .flags = kWrite,
     .keys = {Key(1, kRW | kDelete)}, .since = "1.2.0", .complexity = kOfRemoval,
     .syntax = "key min:double max:double",
     .summary = "Removes the members with a score in a range."},
    {.name = "zrevrange", .run = ZRevRange, .arity = -4, .flags = kReadonly,
     .keys = {Key(1, kRO | kAccess)}, .since = "1.2.0",
     .deprecated_since = "6.2.0",
     .replaced_by = "`ZRANGE` with the `REV` argument",
     .complexity = kOfRange,
     .syntax = "key start stop [WITHSCORES]",
     .summary = "Returns members in a range of places, in descending order."},
    {.name = "zrevrangebylex", .run = ZRevRangeByLex, .arity = -4, .flags = kReadonly,
     .keys = {Key(1, kRO | kAccess)}, .since = "2.8.9",
     .deprecated_since = "6.2.0",
     .replaced_by = "`ZRANGE` with the `REV` and `BYLEX` arguments",
     .complexity = kOfRange,
     .syntax = "key max min [offset_count: LIMIT offset count]",
     .summary = "Returns the members between two others, in descending order."},
    {.name = "zrevrangebyscore", .run = ZRevRangeByScore, .arity = -4, .flags = kReadonly,
     .keys = {Key(1, kRO | kAccess)}, .since = "2.2.0",
     .deprecated_since = "6.2.0",
     .replaced_by = "`ZRANGE` with the `REV` and `BYSCORE` arguments",
     .complexity = kOfRange,
     .syntax = "key max:double min:double [WITHSCORES] [offset_count: LIMIT offset count]",
     .summary = "Returns the members with a score in a range, in descending order."},
};
// clang-format on

}  // namespace

CommandFamily ZsetRangeCommands() {
  return {CommandGroup::kSortedSet, kCatSortedSet, kZsetRangeCommands};
}

}  // namespace cloakroom
