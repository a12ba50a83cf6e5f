// Commands on one set; those that combine several are in set_algebra.cc.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "server/commands/families.h"
#include "server/commands/support/long_reply.h"
#include "server/commands/support/sampling.h"
#include "server/commands/support/scan_options.h"
#include "server/execution/call.h"

namespace cloakroom {
namespace {

void SCard(Call& call) {
  Reading<Set> set(call, call.arg(1));
  if (!set.ok()) return;
  call.reply().Integer(static_cast<int64_t>(set->size()));
}

void SIsMember(Call& call) {
  Reading<Set> set(call, call.arg(1));
  if (!set.ok()) return;
  call.reply().Integer(set->Contains(call.arg(2)) ? 1 : 0);
}

void SMIsMember(Call& call) {
  Reading<Set> set(call, call.arg(1));
  if (!set.ok()) return;
  call.reply().Array(call.argc() - 2);
  for (size_t i = 2; i < call.argc(); ++i) {
    call.reply().Integer(set->Contains(call.arg(i)) ? 1 : 0);
  }
}

void ReplyMembers(ReplyWriter& reply, const Set& set) {
  reply.Set(set.size());
  set.ForEach([&](std::string_view member) { reply.Bulk(member); });
}

void SMembers(Call& call) {
  Reading<Set> set(call, call.arg(1));
  if (!set.ok()) return;
  ReplyFrom(call, *set, set->size(), ReplyMembers);
}

void ReplyScanStep(ReplyWriter& reply, const Set& set, uint64_t cursor,
                   const ScanOptions& options) {
  std::vector<std::string> found;
  const uint64_t next = set.Scan(cursor, options.count, [&](std::string_view member) {
    if (options.Matches(member)) found.emplace_back(member);
  });
  ReplyScanCursor(reply, next);
  reply.Array(found.size());
  for (const std::string& member : found) reply.Bulk(std::string_view(member));
}

void SScan(Call& call) {
  std::optional<uint64_t> cursor = ParseScanCursor(call, 2);
  if (!cursor) return;
  Reading<Set> set(call, call.arg(1));
  if (!set.ok()) return;
  if (!set.exists()) return ReplyEmptyScan(call.reply());
  std::optional<ScanOptions> options = ParseScanOptions(call, 3, ScanOf::kSet);
  if (!options) return;
  ReplyFrom(call, *set, std::min(options->count, set->size()),
            [cursor = *cursor, options = *options](ReplyWriter& reply, const Set& view) {
              ReplyScanStep(reply, view, cursor, options);
            });
}

/// Draws from a set in which members have expired: these have ranks, too.
void DrawLive(ReplyWriter& reply, const Set& set, size_t count, bool repeats,
              absl::BitGenRef random) {
  absl::flat_hash_set<std::string> seen;
  while (count > 0) {
    const std::optional<std::string> member = set.Random(random);
    if (!repeats && !seen.insert(*member).second) continue;
    reply.Bulk(std::string_view(*member));
    --count;
  }
}

/// `count` distinct members, or -count members with repetition.
void ReplySample(ReplyWriter& reply, const Set& set, int64_t count) {
  absl::InsecureBitGen random;
  const size_t size = set.size();
  const bool repeats = count < 0;
  const size_t magnitude = static_cast<size_t>(std::abs(count));
  const size_t replied = size == 0 ? 0 : repeats ? magnitude : std::min(magnitude, size);
  reply.Array(replied);
  if (replied == 0) return;
  if (!repeats && replied * kDrawOneIn >= size) {
    SelectionSampler sampler(replied, size);
    set.ForEach([&](std::string_view member) {
      if (sampler.Take(random)) reply.Bulk(member);
    });
    return;
  }
  if (set.NextExpiry() <= set.now_ms()) return DrawLive(reply, set, replied, repeats, random);
  absl::flat_hash_set<size_t> seen;
  for (size_t left = replied; left > 0;) {
    const size_t rank = absl::Uniform<size_t>(random, 0, size);
    if (!repeats && !seen.insert(rank).second) continue;
    reply.Bulk(std::string_view(set.At(rank)));
    --left;
  }
}

void SRandMember(Call& call) {
  if (call.argc() > 3) return call.SyntaxError();
  if (call.argc() == 2) {
    Reading<Set> set(call, call.arg(1));
    if (!set.ok()) return;
    return call.reply().Bulk(set->Random(call.random()));
  }
  std::optional<int64_t> count = ParseSampleCount(call, 2);
  if (!count) return;
  Reading<Set> set(call, call.arg(1));
  if (!set.ok()) return;
  const size_t magnitude = static_cast<size_t>(std::abs(*count));
  ReplyFrom(
      call, *set, *count < 0 ? magnitude : std::min(set->size(), magnitude),
      [count = *count](ReplyWriter& reply, const Set& view) { ReplySample(reply, view, count); });
}

// Changes.

void SAdd(Call& call) {
  Writing<MutableSet> set(call, call.arg(1));
  if (!set.ok()) return;
  int64_t added = 0;
  for (size_t i = 2; i < call.argc(); ++i) added += set->Add(call.arg(i)) ? 1 : 0;
  if (added > 0) set.Changed("sadd", added);
  call.reply().Integer(added);
}

void SRem(Call& call) {
  Writing<MutableSet> set(call, call.arg(1));
  if (!set.ok()) return;
  int64_t removed = 0;
  for (size_t i = 2; i < call.argc(); ++i) removed += set->Remove(call.arg(i)) ? 1 : 0;
  if (removed > 0) set.Changed("srem", removed);
  call.reply().Integer(removed);
}

/// Pops the whole set at once. Replies with many members from a shared copy.
void PopAll(Call& call, Writing<MutableSet>& set) {
  const Set members = set->view();
  ReplyFrom(call, members, members.size(), ReplyMembers);
  set.scope().Delete();
}

void PopCount(Call& call) {
  std::optional<int64_t> count =
      call.IntegerIn(2, 0, INT64_MAX, "ERR value is out of range, must be positive");
  if (!count) return;
  Writing<MutableSet> set(call, call.arg(1));
  if (!set.ok()) return;
  const size_t size = set->view().size();
  const size_t popped = std::min(size, static_cast<size_t>(*count));
  if (popped == 0) return call.reply().Set(0);
  if (popped == size) {
    PopAll(call, set);
  } else {
    call.reply().Set(popped);
    for (size_t i = 0; i < popped; ++i) call.reply().Bulk(set->Pop(call.random()));
  }
  set.Changed("spop", static_cast<int64_t>(popped));
}

void SPop(Call& call) {
  if (call.argc() > 3) return call.SyntaxError();
  if (call.argc() == 3) return PopCount(call);
  Writing<MutableSet> set(call, call.arg(1));
  if (!set.ok()) return;
  std::optional<std::string> member = set->Pop(call.random());
  if (member) set.Changed("spop");
  call.reply().Bulk(member);
}

void SMove(Call& call) {
  const std::string_view member = call.arg(3);
  const Entry* source = call.Peek(call.arg(1));
  if (source == nullptr) return call.reply().Integer(0);
  const Entry* target = call.Peek(call.arg(2));
  if (source->type() != Set::kType || (target != nullptr && target->type() != Set::kType)) {
    return call.Error(kWrongType);
  }
  if (call.arg(1) == call.arg(2)) {
    const bool there = Set(source->value(), call.now_ms()).Contains(member);
    return call.reply().Integer(there ? 1 : 0);
  }
  {
    Writing<MutableSet> from(call, call.arg(1));
    if (!from->Remove(member)) return call.reply().Integer(0);
    from.Changed("srem");
  }
  Writing<MutableSet> to(call, call.arg(2));
  if (to->Add(member)) to.Changed("sadd");
  call.reply().Integer(1);
}

// Read as a table.
// clang-format off
constexpr CommandRow kSetCommands[] = {
    {.name = "sadd", .run = SAdd, .arity = -3, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kInsert)}, .since = "1.0.0",
     .complexity = "O(1) for each member, O(N) for N of them.",
     .syntax = "key member [member ...]",
     .summary = "Adds members to a set, and makes the set where there is none."},
    {.name = "scard", .run = SCard, .arity = 2, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO)}, .since = "1.0.0", .complexity = "O(1)",
     .syntax = "key", .summary = "Returns how many members a set has."},
    {.name = "sismember", .run = SIsMember, .arity = 3, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO)}, .since = "1.0.0", .complexity = "O(1)",
     .syntax = "key member", .summary = "Tells whether something is a member of a set."},
    {.name = "smembers", .run = SMembers, .arity = 2, .flags = kReadonly | kUnordered,
     .keys = {Key(1, kRO | kAccess)}, .since = "1.0.0",
     .complexity = "O(N) for a set of N members.",
     .syntax = "key", .summary = "Returns all members of a set."},
    {.name = "smismember", .run = SMIsMember, .arity = -3, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO | kAccess)}, .since = "6.2.0",
     .complexity = "O(N) for N members asked for.",
     .syntax = "key member [member ...]",
     .summary = "Tells of several things whether each is a member of a set."},
    {.name = "smove", .run = SMove, .arity = 4, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kAccess | kDelete), Key(2, kRW | kInsert)}, .since = "1.0.0",
     .complexity = "O(1)",
     .syntax = "source destination member", .summary = "Moves a member from one set to another."},
    {.name = "spop", .run = SPop, .arity = -2, .flags = kWrite | kFast | kRandomOutput,
     .keys = {Key(1, kRW | kAccess | kDelete)}, .since = "1.0.0",
     .complexity = "O(N) for N members returned.",
     .syntax = "key [count]", .summary = "Removes members drawn at random, and returns them."},
    {.name = "srandmember", .run = SRandMember, .arity = -2, .flags = kReadonly | kRandomOutput,
     .keys = {Key(1, kRO | kAccess)}, .since = "1.0.0",
     .complexity = "O(N) for N members returned.",
     .syntax = "key [count]", .summary = "Returns members drawn at random."},
    {.name = "srem", .run = SRem, .arity = -3, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kDelete)}, .since = "1.0.0", .complexity = "O(N) for N members.",
     .syntax = "key member [member ...]",
     .summary = "Removes members from a set, and the set with its last member."},
    {.name = "sscan", .run = SScan, .arity = -3, .flags = kReadonly | kRandomOutput,
     .keys = {Key(1, kRO | kAccess)}, .since = "2.8.0",
     .complexity = "O(1) for a step, O(N) for all steps through a set of N members.",
     .syntax = "key cursor [MATCH pattern] [COUNT count]",
     .summary = "Goes through the members of a set step by step."},
};
// clang-format on

}  // namespace

CommandFamily SetCommands() { return {CommandGroup::kSet, kCatSet, kSetCommands}; }

}  // namespace cloakroom
