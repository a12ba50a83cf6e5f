// Pending entries of a consumer group change their consumers: XCLAIM and XAUTOCLAIM.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "server/commands/families.h"
#include "server/commands/support/stream_ids.h"
#include "server/commands/support/stream_reply.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "storage/values/mutable_stream.h"

namespace cloakroom {
namespace {

/// A group of which a consumer claims entries. The consumer is created with its first entry.
class Claiming {
 public:
  Claiming(Call& call, Writing<MutableStream>& stream)
      : call_(call), stream_(stream), group_(*stream, call.arg(2)), consumer_(call.arg(3)) {}

  MutableStreamGroup& group() { return group_; }
  bool just_id = false;  ///< reply and count no delivery

  /// An entry that the stream no longer has is not pending either.
  void Forget(const StreamId& id) {
    if (group_.Acknowledge({&id, 1}) > 0) stream_.scope().ChangedUnwatched({});
  }

  /// Makes the entry pending for the consumer, and replies it.
  void Claim(const StreamId& id, int64_t delivered_ms, int64_t deliveries) {
    if (group_.Find(consumer_) == nullptr) {
      group_.CreateConsumer(consumer_, StreamTime(call_));
      stream_.scope().ChangedUnwatched("xgroup-createconsumer");
    }
    group_.Claim(consumer_, {&id, 1}, delivered_ms, deliveries);
    group_.Note(consumer_, StreamTime(call_), /*got=*/true);
    stream_.scope().ChangedUnwatched({});
    if (just_id) return ReplyStreamId(call_.reply(), id);
    ReplyEntryOf(call_.reply(), stream_->view(), id);
  }

 private:
  Call& call_;
  Writing<MutableStream>& stream_;
  MutableStreamGroup group_;
  const std::string_view consumer_;
};

/// Replies the error and returns false if there is no such stream or group.
bool FindGroup(Call& call, Writing<MutableStream>& stream) {
  if (!stream.ok()) return false;
  if (stream->view().FindGroup(call.arg(2)) != nullptr) return true;
  call.Error(NoSuchGroup(call.arg(1), call.arg(2)));
  return false;
}

struct ClaimOptions {
  int64_t min_idle_ms = 0;
  std::vector<StreamId> ids;
  std::optional<int64_t> delivered_ms;
  std::optional<int64_t> deliveries;
  bool force = false;
  bool just_id = false;
  StreamId last_id;
};

void TakeClaimOption(Arguments& args, ClaimOptions& options) {
  const int64_t now_ms = StreamTime(args.call());
  if (args.Word("FORCE")) {
    options.force = true;
  } else if (args.Word("JUSTID")) {
    options.just_id = true;
  } else if (args.Word("IDLE", 1)) {
    const int64_t idle_ms = args.Integer("ERR Invalid IDLE option argument for XCLAIM");
    options.delivered_ms =
        static_cast<int64_t>(static_cast<uint64_t>(now_ms) - static_cast<uint64_t>(idle_ms));
  } else if (args.Word("TIME", 1)) {
    options.delivered_ms = args.Integer("ERR Invalid TIME option argument for XCLAIM");
  } else if (args.Word("RETRYCOUNT", 1)) {
    options.deliveries = args.Integer("ERR Invalid RETRYCOUNT option argument for XCLAIM");
  } else if (args.Word("LASTID", 1)) {
    options.last_id = TakeStreamId(args);
  } else {
    const std::string option(args.String());
    args.Fail("ERR Unrecognized XCLAIM option '" + option.substr(0, option.find('\0')) + "'");
  }
}

ClaimOptions TakeClaimOptions(Arguments& args) {
  ClaimOptions options;
  options.min_idle_ms =
      std::max<int64_t>(args.Integer("ERR Invalid min-idle-time argument for XCLAIM"), 0);
  while (args.More()) {
    const std::optional<StreamId> id = ParseStreamId(args.Peek());
    if (!id) break;
    options.ids.push_back(*id);
    args.String();
  }
  while (args.More()) TakeClaimOption(args, options);
  return options;
}

/// The time that an option gave if it makes sense, or else now.
int64_t DeliveryTime(const ClaimOptions& options, int64_t now_ms) {
  // -1 is Redis' mark of an option that was not given.
  const int64_t time = options.delivered_ms.value_or(now_ms);
  return time < 0 || time > now_ms ? now_ms : time;
}

void XClaim(Call& call) {
  call.Find(call.arg(1));  // Redis reads the key: its absence is a miss
  Writing<MutableStream> stream(call, call.arg(1));
  if (!FindGroup(call, stream)) return;
  Arguments args(call, 4);
  const ClaimOptions options = TakeClaimOptions(args);
  if (!args.Finish()) return;
  Claiming claiming(call, stream);
  claiming.just_id = options.just_id;
  MutableStreamGroup& group = claiming.group();
  const bool moves = options.last_id > group.view().last_id;
  if (moves) group.SetPosition(options.last_id, group.view().entries_read);
  const size_t mark = call.reply().BeginArray();
  size_t claimed = 0;
  bool changed = false;
  for (const StreamId& id : options.ids) {
    const std::optional<PendingEntry> pending = group.view().pending().Find(id);
    if (!stream->view().Contains(id)) {
      changed |= pending.has_value();
      claiming.Forget(id);
      continue;
    }
    if (!pending && !options.force) continue;
    if (pending && options.min_idle_ms > 0 &&
        StreamTime(call) - pending->delivered_ms < options.min_idle_ms) {
      continue;
    }
    int64_t deliveries = pending ? pending->deliveries : 1;
    if (options.deliveries && *options.deliveries >= 0) {
      deliveries = *options.deliveries;
    } else if (!options.just_id) {
      ++deliveries;
    }
    claiming.Claim(id, DeliveryTime(options, StreamTime(call)), deliveries);
    ++claimed;
    changed = true;
  }
  // Redis counts the new last ID only if nothing else tells of it.
  if (moves) stream.scope().ChangedUnwatched({}, changed ? 0 : 1);
  call.reply().EndArray(mark, claimed);
}

struct AutoClaimOptions {
  int64_t min_idle_ms = 0;
  StreamId start;
  int64_t count = 100;
  bool just_id = false;
};

AutoClaimOptions TakeAutoClaimOptions(Arguments& args) {
  // As many IDs as fit into memory, and ten tries for each.
  constexpr int64_t kMostCount = INT64_MAX / 16;
  AutoClaimOptions options;
  options.min_idle_ms =
      std::max<int64_t>(args.Integer("ERR Invalid min-idle-time argument for XAUTOCLAIM"), 0);
  options.start = TakeRangeStart(args);
  while (args.More()) {
    if (args.Word("COUNT", 1)) {
      options.count = args.IntegerIn(1, kMostCount, "ERR COUNT must be > 0");
    } else if (args.Word("JUSTID")) {
      options.just_id = true;
    } else {
      args.SyntaxError();
    }
  }
  return options;
}

/// What XAUTOCLAIM looks at: the pending entries from the start on, and where the next call starts.
struct AutoClaimPlan {
  std::vector<PendingEntry> entries;
  StreamId next;
};

AutoClaimPlan PlanAutoClaim(const Stream& stream, const StreamGroup& group,
                            const AutoClaimOptions& options, int64_t now_ms) {
  constexpr int64_t kTriesPerEntry = 10;
  const int64_t most_tries =
      options.count > INT64_MAX / kTriesPerEntry ? INT64_MAX : options.count * kTriesPerEntry;
  AutoClaimPlan plan;
  int64_t tries = 0;
  group.pending().ForEachFrom(options.start, [&](const PendingEntry& entry) {
    if (tries == most_tries || plan.entries.size() == static_cast<size_t>(options.count)) {
      plan.next = entry.id;
      return false;
    }
    ++tries;
    const bool idle =
        options.min_idle_ms == 0 || now_ms - entry.delivered_ms >= options.min_idle_ms;
    if (idle || !stream.Contains(entry.id)) plan.entries.push_back(entry);
    return true;
  });
  return plan;
}

void XAutoClaim(Call& call) {
  // Redis makes room for as many IDs as COUNT says: its allocator has at most 64 TB.
  constexpr int64_t kMostAtOnce = (int64_t{1} << 46) / 16;
  call.Find(call.arg(1));  // as in XCLAIM
  Arguments args(call, 4);
  const AutoClaimOptions options = TakeAutoClaimOptions(args);
  if (!args.Finish()) return;
  Writing<MutableStream> stream(call, call.arg(1));
  if (!FindGroup(call, stream)) return;
  if (options.count > kMostAtOnce) {
    return call.Error(
        "ERR Insufficient memory, failed allocating transient memory, COUNT too high.");
  }
  const AutoClaimPlan plan = PlanAutoClaim(stream->view(), *stream->view().FindGroup(call.arg(2)),
                                           options, StreamTime(call));
  Claiming claiming(call, stream);
  claiming.just_id = options.just_id;
  call.reply().Array(3);
  ReplyStreamId(call.reply(), plan.next);
  std::vector<StreamId> deleted;
  const size_t mark = call.reply().BeginArray();
  for (const PendingEntry& entry : plan.entries) {
    if (!stream->view().Contains(entry.id)) {
      claiming.Forget(entry.id);
      deleted.push_back(entry.id);
    } else {
      claiming.Claim(entry.id, StreamTime(call), entry.deliveries + (options.just_id ? 0 : 1));
    }
  }
  call.reply().EndArray(mark, plan.entries.size() - deleted.size());
  call.reply().Array(deleted.size());
  for (const StreamId& id : deleted) ReplyStreamId(call.reply(), id);
}

// Read as a table.
// clang-format off
constexpr CommandRow kStreamClaimCommands[] = {
    {.name = "xautoclaim", .run = XAutoClaim, .arity = -6,
     .flags = kWrite | kFast | kRandomOutput, .keys = {Key(1, kRW | kDelete)}, .since = "6.2.0",
     .complexity = "O(1) if COUNT is small.",
     .syntax = "key group consumer min-idle-time start:string [COUNT count] [JUSTID]",
     .summary = "Gives a consumer entries that have been pending for others for long."},
    {.name = "xclaim", .run = XClaim, .arity = -6, .flags = kWrite | kFast | kRandomOutput,
     .keys = {Key(1, kRW | kUpdate)}, .since = "5.0.0",
     .complexity = "O(log N) for each ID, with N pending entries.",
     .syntax = "key group consumer min-idle-time id [id ...] [IDLE ms] [TIME "
               "unix-time-milliseconds] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID id]",
     .summary = "Gives a consumer entries that are pending for others."},
};
// clang-format on

}  // namespace

CommandFamily StreamClaimCommands() {
  return {CommandGroup::kStream, kCatStream, kStreamClaimCommands};
}

}  // namespace cloakroom
