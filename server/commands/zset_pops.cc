// Commands that take the first or the last members out of a sorted set, or wait until there are
// some.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "server/commands/families.h"
#include "server/commands/support/block_timeout.h"
#include "server/commands/support/scored_reply.h"
#include "server/commands/support/zset_removal.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "storage/values/zset.h"

namespace cloakroom {
namespace {

/// What is popped, and how the reply says it.
struct ZsetPop {
  enum class Shape : uint8_t {
    kFlat,      ///< member, score, …
    kPairs,     ///< an array for each member
    kKeyFlat,   ///< key, member, score
    kKeyPairs,  ///< the key, and an array of arrays
  };
  bool greatest = false;
  size_t count = 1;
  Shape shape = Shape::kFlat;

  KeyEvent event() const { return greatest ? KeyEvent("zpopmax") : KeyEvent("zpopmin"); }
  RankRange RanksIn(const Zset& zset) const {
    const size_t taken = std::min(count, zset.size());
    return {.first = greatest ? zset.size() - taken : 0, .count = taken};
  }
};

void ReplyPopped(ReplyWriter& reply, const Zset& zset, const ZsetPop& pop, std::string_view key) {
  using Shape = ZsetPop::Shape;
  const RankRange ranks = pop.RanksIn(zset);
  const bool pairs = pop.shape == Shape::kPairs || pop.shape == Shape::kKeyPairs;
  const bool with_key = pop.shape == Shape::kKeyFlat || pop.shape == Shape::kKeyPairs;
  if (with_key) {
    reply.Array(pairs ? 2 : 1 + 2 * ranks.count);
    reply.Bulk(key);
  }
  if (pairs || !with_key) reply.Array(pairs ? ranks.count : 2 * ranks.count);
  zset.ForRange(ranks.first, ranks.count, pop.greatest, [&](const ScoredItem& item) {
    if (pairs) reply.Array(2);
    reply.Bulk(item.member);
    reply.Double(item.score);
  });
}

/// Reports what has been popped from the key of a scope.
void Report(WriteScope& scope, const ZsetPop& pop, size_t count) {
  scope.Changed(pop.event(), static_cast<int64_t>(count));
  if (!scope.exists()) scope.Changed("del");
}

/// Pops so many members that replying and removing are long work, from a shared copy.
void PopLong(Call& call, WriteScope& scope, const ZsetPop& pop) {
  const SharedValue popped_from = Zset(scope.view()).Share();
  const Zset zset(popped_from.view());
  const RankRange ranks = pop.RanksIn(zset);
  if (!RemoveFromZset(call, scope, ranks)) return;
  Report(scope, pop, ranks.count);
  call.StartLongWork([popped_from, pop, key = std::string(scope.key())](LongWork& work) {
    ReplyPopped(work.reply, Zset(popped_from.view()), pop, key);
  });
}

/// Pops from a sorted set that is there.
void PopFrom(Call& call, WriteScope& scope, const ZsetPop& pop) {
  const Zset zset(scope.view());
  const RankRange ranks = pop.RanksIn(zset);
  if (ranks.count > kLongRemoval) return PopLong(call, scope, pop);
  ReplyPopped(call.reply(), zset, pop, scope.key());
  RemoveFromZset(call, scope, ranks);
  Report(scope, pop, ranks.count);
}

void PopMany(Call& call, bool greatest) {
  if (call.argc() > 3) return call.SyntaxError();
  ZsetPop pop{.greatest = greatest};
  if (call.argc() == 3) {
    std::optional<int64_t> count =
        call.IntegerIn(2, 0, INT64_MAX, "ERR value is out of range, must be positive");
    if (!count) return;
    pop.count = static_cast<size_t>(*count);
    if (call.reply().resp() > 2) pop.shape = ZsetPop::Shape::kPairs;
  }
  Writing<MutableZset> zset(call, call.arg(1));
  if (!zset.ok()) return;
  if (!zset.exists() || pop.count == 0) return call.reply().Array(0);
  PopFrom(call, zset.scope(), pop);
}

void ZPopMin(Call& call) { PopMany(call, /*greatest=*/false); }
void ZPopMax(Call& call) { PopMany(call, /*greatest=*/true); }

/// Pops from the first of the keys in these arguments that is there. False: there is none, and
/// nothing is replied.
bool PopFirst(Call& call, size_t first_key, size_t end_key, const ZsetPop& pop) {
  for (size_t i = first_key; i < end_key; ++i) {
    Writing<MutableZset> zset(call, call.arg(i));
    if (!zset.ok()) return true;
    if (!zset.exists()) continue;
    PopFrom(call, zset.scope(), pop);
    return true;
  }
  return false;
}

/// Pops for a request that waits, under the hold of the writer that filled the key.
Waiter::Verdict PopForWaiter(const ReadyKey& ready, const ZsetPop& pop) {
  WriteScope scope(ready.hold, ready.db, ready.key, ready.hash, ready.now_ms);
  if (!scope.exists()) return Waiter::Verdict::kNotReady;
  if (scope.type() != Zset::kType) return Waiter::Verdict::kNotForMe;
  if (!ready.Take()) return Waiter::Verdict::kNotForMe;
  const Zset zset(scope.view());
  const RankRange ranks = pop.RanksIn(zset);
  ReplyPopped(ready.reply, zset, pop, ready.key);
  const EncodingLimits& limits = ready.db.keyspace().encoding_limits();
  if (ranks.count == zset.size()) {
    scope.Delete();
  } else {
    MutableZset(scope, limits).RemoveRange(ranks.first, ranks.count);
  }
  Report(scope, pop, ranks.count);
  return Waiter::Verdict::kServed;
}

/// Pops from the first of the keys that is there, or parks the request until one is.
void PopOrWait(Call& call, size_t first_key, size_t end_key, size_t limit_at, const ZsetPop& pop) {
  Arguments args(call, limit_at);
  const int64_t time_limit_ms = TakeBlockTimeoutMs(args);
  if (!args.Finish() || PopFirst(call, first_key, end_key, pop)) return;
  if (!call.may_block()) return call.reply().NullArray();
  BlockOn on{.time_limit_ms = time_limit_ms};
  for (size_t i = first_key; i < end_key; ++i) on.keys.emplace_back(call.arg(i));
  on.serve = [pop](const ReadyKey& ready) { return PopForWaiter(ready, pop); };
  on.time_out = [](ReplyWriter& reply) { reply.NullArray(); };
  call.Block(std::move(on));
}

void BlockingPop(Call& call, bool greatest) {
  const size_t limit_at = call.argc() - 1;
  PopOrWait(call, 1, limit_at, limit_at, {.greatest = greatest, .shape = ZsetPop::Shape::kKeyFlat});
}

void BZPopMin(Call& call) { BlockingPop(call, /*greatest=*/false); }
void BZPopMax(Call& call) { BlockingPop(call, /*greatest=*/true); }

/// The arguments of ZMPOP: numkeys key [key ...] MIN | MAX [COUNT count].
struct PopRequest {
  size_t first_key;
  size_t end_key;
  ZsetPop pop;
};

std::optional<PopRequest> ParsePopRequest(Call& call, size_t numkeys_at) {
  Arguments args(call, numkeys_at);
  const auto keys =
      static_cast<size_t>(args.IntegerIn(1, INT64_MAX, "ERR numkeys should be greater than 0"));
  if (keys >= args.left()) args.SyntaxError();
  PopRequest request{.first_key = args.at(), .end_key = args.at() + keys, .pop = {}};
  request.pop.shape = ZsetPop::Shape::kKeyPairs;
  args.GoTo(request.end_key);
  request.pop.greatest = args.Word("MAX");
  if (!request.pop.greatest && !args.Word("MIN")) args.SyntaxError();
  if (args.Word("COUNT", 1)) {
    request.pop.count =
        static_cast<size_t>(args.IntegerIn(1, INT64_MAX, "ERR count should be greater than 0"));
  }
  if (args.More()) args.SyntaxError();
  if (!args.Finish()) return std::nullopt;
  return request;
}

void ZMPop(Call& call) {
  const std::optional<PopRequest> request = ParsePopRequest(call, 1);
  if (!request) return;
  if (PopFirst(call, request->first_key, request->end_key, request->pop)) return;
  call.reply().NullArray();
}

void BZMPop(Call& call) {
  const std::optional<PopRequest> request = ParsePopRequest(call, 2);
  if (!request) return;
  PopOrWait(call, request->first_key, request->end_key, 1, request->pop);
}

constexpr std::string_view kOfPop = "O(M*log(N)) for M members popped of N.";
constexpr std::string_view kOfManyKeys = "O(K)+O(M*log(N)) for K keys and M members popped of N.";

// Read as a table.
// clang-format off
constexpr CommandRow kZsetPopCommands[] = {
    {.name = "bzmpop", .run = BZMPop, .arity = -5, .flags = kWrite | kBlocking | kMovableKeys,
     .keys = {CountedKeys(2, kRW | kAccess | kDelete)}, .since = "7.0.0",
     .complexity = kOfManyKeys,
     .syntax = "timeout numkeys key [key ...] <where: MIN | MAX> [COUNT count]",
     .summary = "Pops members from the first sorted set that has some, or waits for one."},
    {.name = "bzpopmax", .run = BZPopMax, .arity = -3,
     .flags = kWrite | kBlocking | kFast,
     .keys = {KeyRange(1, -2, 1, kRW | kAccess | kDelete)}, .since = "5.0.0",
     .complexity = "O(log(N)) for N members.", .syntax = "key [key ...] timeout",
     .summary = "Pops the member with the greatest score, or waits for one."},
    {.name = "bzpopmin", .run = BZPopMin, .arity = -3,
     .flags = kWrite | kBlocking | kFast,
     .keys = {KeyRange(1, -2, 1, kRW | kAccess | kDelete)}, .since = "5.0.0",
     .complexity = "O(log(N)) for N members.", .syntax = "key [key ...] timeout",
     .summary = "Pops the member with the lowest score, or waits for one."},
    {.name = "zmpop", .run = ZMPop, .arity = -4, .flags = kWrite | kMovableKeys,
     .keys = {CountedKeys(1, kRW | kAccess | kDelete)}, .since = "7.0.0",
     .complexity = kOfManyKeys,
     .syntax = "numkeys key [key ...] <where: MIN | MAX> [COUNT count]",
     .summary = "Pops members from the first sorted set that has some."},
    {.name = "zpopmax", .run = ZPopMax, .arity = -2, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kAccess | kDelete)}, .since = "5.0.0", .complexity = kOfPop,
     .syntax = "key [count]", .summary = "Pops the members with the greatest scores."},
    {.name = "zpopmin", .run = ZPopMin, .arity = -2, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kAccess | kDelete)}, .since = "5.0.0", .complexity = kOfPop,
     .syntax = "key [count]", .summary = "Pops the members with the lowest scores."},
};
// clang-format on

}  // namespace

CommandFamily ZsetPopCommands() {
  return {CommandGroup::kSortedSet, kCatSortedSet, kZsetPopCommands};
}

}  // namespace cloakroom
