// Combinations of sets: SINTER SUNION SDIFF, their STORE forms, and SINTERCARD.
#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "server/commands/families.h"
#include "server/commands/support/combine.h"
#include "server/commands/support/item_expiry.h"
#include "server/commands/support/long_reply.h"
#include "server/commands/support/scratch_set.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "storage/access/lookup.h"

namespace cloakroom {
namespace {

/// Called with each member of a result; false ends the iteration.
using MemberFn = absl::FunctionRef<bool(std::string_view)>;

size_t TotalSize(std::span<const Set> sets) {
  size_t total = 0;
  for (const Set& set : sets) total += set.size();
  return total;
}

bool SmallerFirst(const Set& a, const Set& b) { return a.size() < b.size(); }

/// Whether it is cheaper to look up each member of the first set in the others than to remove their
/// members from a copy of the first. Decided as in Redis, without absent sets: a copy that held a
/// word stays a hash table when only integers are left, so clients can see the choice.
bool DifferenceByLookup(std::span<const Set> sets) {
  const auto present = static_cast<size_t>(
      std::count_if(sets.begin(), sets.end(), [](const Set& set) { return !set.empty(); }));
  return sets[0].size() * present / 2 <= TotalSize(sets);
}

/// Adding a member to a set costs about as much as replying with this many members.
constexpr size_t kSetBuildWeight = 4;

/// The cost of `combine`, in members replied.
size_t Cost(Combine combine, std::span<const Set> sets) {
  if (combine == Combine::kIntersection) {
    return std::min_element(sets.begin(), sets.end(), SmallerFirst)->size() * sets.size();
  }
  if (sets.size() == 1) return sets[0].size();
  if (combine == Combine::kUnion) return TotalSize(sets) * kSetBuildWeight;
  if (sets[0].empty()) return 0;
  return DifferenceByLookup(sets) ? sets[0].size() * sets.size()
                                  : TotalSize(sets) * kSetBuildWeight;
}

/// Calls `fn` for the members of all sets.
void ForEachCommon(std::vector<Set> sets, MemberFn fn) {
  std::sort(sets.begin(), sets.end(), SmallerFirst);
  bool more = true;
  sets[0].ForEach([&](std::string_view member) {
    if (!more) return;
    for (size_t i = 1; i < sets.size(); ++i) {
      if (!sets[i].Contains(member)) return;
    }
    more = fn(member);
  });
}

/// Calls `fn` for the members of the first set that no other has.
void ForEachOnlyInFirst(std::span<const Set> sets, MemberFn fn) {
  sets[0].ForEach([&](std::string_view member) {
    for (const Set& other : sets.subspan(1)) {
      if (other.Contains(member)) return;
    }
    fn(member);
  });
}

void Fill(ScratchSet& result, Combine combine, const std::vector<Set>& sets) {
  const auto add = [&](std::string_view member) {
    result.Add(member);
    return true;
  };
  if (combine == Combine::kIntersection) return ForEachCommon(sets, add);
  if (combine == Combine::kUnion) {
    // Begins with the largest set, which costs nothing to copy.
    const size_t largest = static_cast<size_t>(
        std::max_element(sets.begin(), sets.end(), SmallerFirst) - sets.begin());
    result.AddAll(sets[largest]);
    for (size_t i = 0; i < sets.size(); ++i) {
      if (i != largest) result.AddAll(sets[i]);
    }
    return;
  }
  if (DifferenceByLookup(sets)) return ForEachOnlyInFirst(sets, add);
  result.AddAll(sets[0]);
  for (size_t i = 1; i < sets.size(); ++i) result.RemoveAll(sets[i]);
}

void ReplyCombined(ReplyWriter& reply, Combine combine, const std::vector<Set>& sets,
                   const EncodingLimits& limits) {
  const size_t mark = reply.BeginArray();
  size_t count = 0;
  const auto write = [&](std::string_view member) {
    reply.Bulk(member);
    ++count;
    return true;
  };
  if (combine == Combine::kIntersection) {
    ForEachCommon(sets, write);
  } else if (sets.size() == 1 || (combine == Combine::kDifference && DifferenceByLookup(sets))) {
    ForEachOnlyInFirst(sets, write);
  } else {
    ScratchSet result(limits);
    Fill(result, combine, sets);
    result.view().ForEach(write);
  }
  reply.EndSet(mark, count);
}

/// The sets of `count` keys from argument `first` on; absent ones are empty. If one is not a set,
/// replies with the error and returns nullopt.
std::optional<std::vector<Set>> OpenSets(Call& call, size_t first, size_t count) {
  std::vector<Set> sets;
  sets.reserve(count);
  for (size_t i = first; i < first + count; ++i) {
    Reading<Set> set(call, call.arg(i));
    if (!set.ok()) return std::nullopt;
    sets.push_back(*set);
  }
  return sets;
}

using SharedSets = std::vector<SharedValue>;

SharedSets ShareAll(std::span<const Set> sets) {
  SharedSets shared;
  for (const Set& set : sets) shared.push_back(set.Share());
  return shared;
}

std::vector<Set> ViewsOf(const SharedSets& shared, int64_t now_ms) {
  std::vector<Set> views;
  for (const SharedValue& value : shared) views.emplace_back(value.view(), now_ms);
  return views;
}

/// Runs `write(ReplyWriter&, const std::vector<Set>&)` at once, or on a worker if the cost is high.
template <typename Write>
void ReplyFromSets(Call& call, std::vector<Set> sets, size_t cost, Write write) {
  if (cost <= kLongWorkItems) return write(call.reply(), sets);
  call.StartLongWork([shared = ShareAll(sets), write = std::move(write), now_ms = call.now_ms()](
                         LongWork& work) { write(work.reply, ViewsOf(shared, now_ms)); });
}

void ReplyCombinedSets(Call& call, Combine combine) {
  std::optional<std::vector<Set>> sets = OpenSets(call, 1, call.argc() - 1);
  if (!sets) return;
  const size_t cost = Cost(combine, *sets);
  const EncodingLimits& limits = call.server().keyspace().encoding_limits();
  ReplyFromSets(call, *std::move(sets), cost,
                [combine, limits](ReplyWriter& reply, const std::vector<Set>& views) {
                  ReplyCombined(reply, combine, views, limits);
                });
}

void SInter(Call& call) { ReplyCombinedSets(call, Combine::kIntersection); }
void SUnion(Call& call) { ReplyCombinedSets(call, Combine::kUnion); }
void SDiff(Call& call) { ReplyCombinedSets(call, Combine::kDifference); }

/// The result of a STORE form, computed outside the event loop, and what it was computed from.
struct PreparedSet {
  PreparedSet(SharedSets its_sources, const EncodingLimits& limits)
      : sources(std::move(its_sources)), result(limits) {}

  bool ComesFrom(std::span<const Set> sets) const {
    return std::equal(sets.begin(), sets.end(), sources.begin(), sources.end(),
                      [](const Set& set, const SharedValue& source) { return set.Is(source); });
  }

  SharedSets sources;
  ScratchSet result;
};

void PrepareStore(Call& call, Combine combine, std::span<const Set> sets) {
  call.PrepareOnWorker([combine, sources = ShareAll(sets), stale = call.prepared<PreparedSet>(),
                        limits = call.server().keyspace().encoding_limits(),
                        now_ms = call.now_ms()](LongWork& work) mutable {
    // Freed here, not on the event loop.
    stale.reset();
    auto prepared = std::make_shared<PreparedSet>(std::move(sources), limits);
    Fill(prepared->result, combine, ViewsOf(prepared->sources, now_ms));
    work.prepared = std::move(prepared);
  });
}

void PutResult(Call& call, ScratchSet& result, KeyEvent event) {
  const size_t size = result.size();
  WriteScope target = call.Open(call.arg(1));
  const bool existed = target.exists();
  if (size > 0) {
    for (size_t i = 2; i < call.argc(); ++i) {
      KeepForLog(call.db(), call.arg(i), call.HashOf(call.arg(i)));
    }
    result.MoveInto(target, call.db().index(), call.args());
    target.Changed(event);
  } else if (existed) {
    target.Delete();
    target.Changed("del");
  }
  call.reply().Integer(static_cast<int64_t>(size));
}

/// A large result is computed outside the event loop, and put in place only if its sources have not
/// changed meanwhile. Otherwise it would not come from one moment, and the log, which repeats the
/// command, would give another result.
void StoreCombinedSets(Call& call, Combine combine, KeyEvent event) {
  for (size_t i = 2; i < call.argc(); ++i) EraseExpiredMembers(call, call.arg(i));
  std::optional<std::vector<Set>> sets = OpenSets(call, 2, call.argc() - 2);
  if (!sets) return;
  const std::shared_ptr<PreparedSet> prepared = call.prepared<PreparedSet>();
  if (prepared != nullptr && prepared->ComesFrom(*sets)) {
    return PutResult(call, prepared->result, event);
  }
  if (Cost(combine, *sets) > kLongWorkItems && call.may_prepare()) {
    return PrepareStore(call, combine, *sets);
  }
  ScratchSet result(call.server().keyspace().encoding_limits());
  Fill(result, combine, *sets);
  PutResult(call, result, event);
}

void SInterStore(Call& call) { StoreCombinedSets(call, Combine::kIntersection, "sinterstore"); }
void SUnionStore(Call& call) { StoreCombinedSets(call, Combine::kUnion, "sunionstore"); }
void SDiffStore(Call& call) { StoreCombinedSets(call, Combine::kDifference, "sdiffstore"); }

void SInterCard(Call& call) {
  Arguments args(call, 1);
  const size_t count =
      static_cast<size_t>(args.IntegerIn(1, INT64_MAX, "ERR numkeys should be greater than 0"));
  if (count > args.left()) args.Fail("ERR Number of keys can't be greater than number of args");
  args.GoTo(args.at() + count);
  size_t limit = 0;  // none
  while (args.More()) {
    if (!args.Word("LIMIT")) args.SyntaxError();
    limit = static_cast<size_t>(args.IntegerIn(0, INT64_MAX, "ERR LIMIT can't be negative"));
  }
  if (!args.Finish()) return;
  std::optional<std::vector<Set>> sets = OpenSets(call, 2, count);
  if (!sets) return;
  const size_t cost = Cost(Combine::kIntersection, *sets);
  ReplyFromSets(call, *std::move(sets), cost,
                [limit](ReplyWriter& reply, const std::vector<Set>& views) {
                  size_t common = 0;
                  ForEachCommon(views, [&](std::string_view) { return ++common != limit; });
                  reply.Integer(static_cast<int64_t>(common));
                });
}

// Read as a table.
// clang-format off
constexpr CommandRow kSetAlgebraCommands[] = {
    {.name = "sdiff", .run = SDiff, .arity = -2, .flags = kReadonly | kUnordered,
     .keys = {KeyRange(1, -1, 1, kRO | kAccess)}, .since = "1.0.0",
     .complexity = "O(N) for N members in all sets, or less.",
     .syntax = "key [key ...]",
     .summary = "Returns the members of the first set that are in none of the others."},
    {.name = "sdiffstore", .run = SDiffStore, .arity = -3, .flags = kWrite | kDenyOom,
     .keys = {Key(1, kOW | kUpdate), KeyRange(2, -1, 1, kRO | kAccess)}, .since = "1.0.0",
     .complexity = "O(N) for N members in all sets, or less.",
     .syntax = "destination key [key ...]",
     .summary = "Stores the members of the first set that are in none of the others."},
    {.name = "sinter", .run = SInter, .arity = -2, .flags = kReadonly | kUnordered,
     .keys = {KeyRange(1, -1, 1, kRO | kAccess)}, .since = "1.0.0",
     .complexity = "O(N*M) at most for M sets, the smallest of N members.",
     .syntax = "key [key ...]", .summary = "Returns the members that all sets have."},
    {.name = "sintercard", .run = SInterCard, .arity = -3, .flags = kReadonly | kMovableKeys,
     .keys = {CountedKeys(1, kRO | kAccess)}, .since = "7.0.0",
     .complexity = "O(N*M) at most for M sets, the smallest of N members.",
     .syntax = "numkeys key [key ...] [LIMIT limit]",
     .summary = "Returns how many members all sets have in common."},
    {.name = "sinterstore", .run = SInterStore, .arity = -3, .flags = kWrite | kDenyOom,
     .keys = {Key(1, kRW | kUpdate), KeyRange(2, -1, 1, kRO | kAccess)}, .since = "1.0.0",
     .complexity = "O(N*M) at most for M sets, the smallest of N members.",
     .syntax = "destination key [key ...]", .summary = "Stores the members that all sets have."},
    {.name = "sunion", .run = SUnion, .arity = -2, .flags = kReadonly | kUnordered,
     .keys = {KeyRange(1, -1, 1, kRO | kAccess)}, .since = "1.0.0",
     .complexity = "O(N) for N members in all sets.",
     .syntax = "key [key ...]", .summary = "Returns the members that any of the sets has."},
    {.name = "sunionstore", .run = SUnionStore, .arity = -3, .flags = kWrite | kDenyOom,
     .keys = {Key(1, kOW | kUpdate), KeyRange(2, -1, 1, kRO | kAccess)}, .since = "1.0.0",
     .complexity = "O(N) for N members in all sets.",
     .syntax = "destination key [key ...]",
     .summary = "Stores the members that any of the sets has."},
};
// clang-format on

}  // namespace

CommandFamily SetAlgebraCommands() { return {CommandGroup::kSet, kCatSet, kSetAlgebraCommands}; }

}  // namespace cloakroom
