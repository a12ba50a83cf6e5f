// Consumer groups of streams: XGROUP, XACK and XPENDING. Entries change their consumers in
// stream_claims.cc.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "server/commands/families.h"
#include "server/commands/support/help.h"
#include "server/commands/support/stream_ids.h"
#include "server/commands/support/stream_reply.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "storage/values/mutable_stream.h"

namespace cloakroom {
namespace {

constexpr std::string_view kKeyMustExist =
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to "
    "use the MKSTREAM option to create an empty stream automatically.";

struct GroupOptions {
  bool make_stream = false;
  int64_t entries_read = StreamGroup::kUnknownRead;
};

/// Reads what follows the ID of CREATE and SETID. False: an error was replied.
bool TakeGroupOptions(Call& call, bool creates, GroupOptions& options) {
  for (size_t i = 5; i < call.argc(); ++i) {
    if (creates && call.Is(i, "MKSTREAM")) {
      options.make_stream = true;
    } else if (call.Is(i, "ENTRIESREAD") && i + 1 < call.argc()) {
      const std::optional<int64_t> read = call.Integer(++i);
      if (!read) return false;
      if (*read < 0 && *read != StreamGroup::kUnknownRead) {
        call.Error("ERR value for ENTRIESREAD must be positive or -1");
        return false;
      }
      options.entries_read = *read;
    } else {
      SubcommandError(call);
      return false;
    }
  }
  return true;
}

/// Whether the stream is there, and the group as well if it is needed; otherwise replies the error.
bool HasGroup(Call& call, Writing<MutableStream>& stream, bool needed) {
  if (!stream.exists()) {
    call.Error(kKeyMustExist);
    return false;
  }
  if (needed && stream->view().FindGroup(call.arg(3)) == nullptr) {
    call.Error(NoSuchGroupOf(call.arg(2), call.arg(3)));
    return false;
  }
  return true;
}

/// The ID at an argument, where "$" is the stream's last one. Replies the error if it is none.
std::optional<StreamId> GroupId(Call& call, const Stream& stream, bool allows_bounds) {
  const std::string_view text = call.arg(4);
  if (text == "$") return stream.last_id();
  const std::optional<StreamId> id =
      allows_bounds ? ParseStreamBound(text, 0) : ParseStreamId(text);
  if (!id) call.Error(kInvalidStreamId);
  return id;
}

void XGroupCreate(Call& call) {
  GroupOptions options;
  if (!TakeGroupOptions(call, /*creates=*/true, options)) return;
  Writing<MutableStream> stream(call, call.arg(2));
  if (!stream.ok()) return;
  if (!options.make_stream && !HasGroup(call, stream, /*needed=*/false)) return;
  constexpr size_t kMostArguments = 8;
  if (call.argc() > kMostArguments) return SubcommandError(call);
  const std::optional<StreamId> id = GroupId(call, stream->view(), /*allows_bounds=*/false);
  if (!id) return;
  const bool creates_stream = !stream.exists();
  stream->Create();
  if (!stream->CreateGroup(call.arg(3), *id, options.entries_read)) {
    return call.Error("BUSYGROUP Consumer Group name already exists");
  }
  if (creates_stream) {
    stream.Changed("xgroup-create");
  } else {
    stream.scope().ChangedUnwatched("xgroup-create");
  }
  call.reply().Ok();
}

void XGroupSetId(Call& call) {
  GroupOptions options;
  if (!TakeGroupOptions(call, /*creates=*/false, options)) return;
  Writing<MutableStream> stream(call, call.arg(2));
  if (!stream.ok() || !HasGroup(call, stream, /*needed=*/true)) return;
  constexpr size_t kMostArguments = 7;
  if (call.argc() > kMostArguments) return SubcommandError(call);
  const std::optional<StreamId> id = GroupId(call, stream->view(), /*allows_bounds=*/true);
  if (!id) return;
  MutableStreamGroup(*stream, call.arg(3)).SetPosition(*id, options.entries_read);
  stream.scope().ChangedUnwatched("xgroup-setid");
  call.reply().Ok();
}

void XGroupDestroy(Call& call) {
  Writing<MutableStream> stream(call, call.arg(2));
  if (!stream.ok() || !HasGroup(call, stream, /*needed=*/false)) return;
  const bool destroyed = stream->DestroyGroup(call.arg(3));
  if (destroyed) {
    stream.scope().ChangedUnwatched("xgroup-destroy");
    // Those who wait for its entries get an error.
    call.hold().NoteReady(call.db(), call.arg(2), call.HashOf(call.arg(2)));
  }
  call.reply().Integer(destroyed ? 1 : 0);
}

void XGroupCreateConsumer(Call& call) {
  Writing<MutableStream> stream(call, call.arg(2));
  if (!stream.ok() || !HasGroup(call, stream, /*needed=*/true)) return;
  const bool there = stream->view().FindGroup(call.arg(3))->Find(call.arg(4)) != nullptr;
  if (!there) {
    MutableStreamGroup(*stream, call.arg(3)).CreateConsumer(call.arg(4), StreamTime(call));
    stream.scope().ChangedUnwatched("xgroup-createconsumer");
  }
  call.reply().Integer(there ? 0 : 1);
}

void XGroupDelConsumer(Call& call) {
  Writing<MutableStream> stream(call, call.arg(2));
  if (!stream.ok() || !HasGroup(call, stream, /*needed=*/true)) return;
  if (stream->view().FindGroup(call.arg(3))->Find(call.arg(4)) == nullptr) {
    return call.reply().Integer(0);
  }
  const size_t pending = MutableStreamGroup(*stream, call.arg(3)).DeleteConsumer(call.arg(4));
  stream.scope().ChangedUnwatched("xgroup-delconsumer");
  call.reply().Integer(static_cast<int64_t>(pending));
}

void XAck(Call& call) {
  call.Find(call.arg(1));  // Redis reads the key: its absence is a miss
  Writing<MutableStream> stream(call, call.arg(1));
  if (!stream.ok()) return;
  if (stream->view().FindGroup(call.arg(2)) == nullptr) return call.reply().Integer(0);
  std::vector<StreamId> ids;
  Arguments args(call, 3);
  while (args.More()) ids.push_back(TakeStreamId(args));
  if (!args.Finish()) return;
  const auto acknowledged =
      static_cast<int64_t>(MutableStreamGroup(*stream, call.arg(2)).Acknowledge(ids));
  if (acknowledged > 0) stream.scope().ChangedUnwatched({}, acknowledged);
  call.reply().Integer(acknowledged);
}

// XPENDING.

void ReplyPendingSummary(ReplyWriter& reply, const StreamGroup& group) {
  reply.Array(4);
  reply.Integer(static_cast<int64_t>(group.pending().size()));
  if (group.pending().empty()) {
    reply.Null();
    reply.Null();
    return reply.NullArray();
  }
  ReplyStreamId(reply, group.pending().first());
  ReplyStreamId(reply, group.pending().last());
  const size_t mark = reply.BeginArray();
  size_t consumers = 0;
  for (const auto& [name, consumer] : group.consumers()) {
    if (consumer.pending.empty()) continue;
    reply.Array(2);
    reply.Bulk(std::string_view(name));
    reply.BulkInteger(static_cast<int64_t>(consumer.pending.size()));
    ++consumers;
  }
  reply.EndArray(mark, consumers);
}

struct PendingOptions {
  int64_t min_idle_ms = 0;
  int64_t count = 0;
  StreamRange range;
  std::optional<std::string_view> consumer;
};

/// Reads XPENDING's arguments from the third on, in Redis' order.
PendingOptions TakePendingOptions(Arguments& args) {
  PendingOptions options;
  size_t start = 3;
  if (args.Word("IDLE")) {
    options.min_idle_ms = args.Integer();
    if (args.left() < 3) args.SyntaxError();
    start = 5;
  }
  args.GoTo(start + 2);
  options.count = std::max<int64_t>(args.Integer(), 0);
  args.GoTo(start);
  options.range.first = TakeRangeStart(args);
  options.range.last = TakeRangeEnd(args);
  args.GoTo(start + 3);
  if (args.More()) options.consumer = args.String();
  return options;
}

void ReplyPending(ReplyWriter& reply, const StreamGroup& group, const PendingOptions& options,
                  const StreamConsumer* consumer, int64_t now_ms) {
  const size_t mark = reply.BeginArray();
  int64_t left = options.count;
  const auto one = [&](const PendingEntry& entry) {
    if (left == 0 || entry.id > options.range.last) return false;
    const int64_t idle_ms = now_ms - entry.delivered_ms;
    if (options.min_idle_ms != 0 && idle_ms < options.min_idle_ms) return true;
    --left;
    reply.Array(4);
    ReplyStreamId(reply, entry.id);
    reply.Bulk(group.NameOf(entry.consumer));
    reply.Integer(std::max<int64_t>(idle_ms, 0));
    reply.Integer(entry.deliveries);
    return true;
  };
  if (consumer == nullptr) {
    group.pending().ForEachFrom(options.range.first, one);
  } else {
    consumer->pending.ForEachFrom(
        options.range.first, [&](const StreamId& id) { return one(*group.pending().Find(id)); });
  }
  reply.EndArray(mark, static_cast<size_t>(options.count - left));
}

void XPending(Call& call) {
  const bool summary = call.argc() == 3;
  if (!summary && (call.argc() < 6 || call.argc() > 9)) return call.SyntaxError();
  PendingOptions options;
  if (!summary) {
    Arguments args(call, 3);
    options = TakePendingOptions(args);
    if (!args.Finish()) return;
  }
  Reading<Stream> stream(call, call.arg(1));
  if (!stream.ok()) return;
  const StreamGroup* group = stream->FindGroup(call.arg(2));
  if (group == nullptr) return call.Error(NoSuchGroup(call.arg(1), call.arg(2)));
  if (summary) return ReplyPendingSummary(call.reply(), *group);
  const StreamConsumer* consumer = nullptr;
  if (options.consumer) {
    consumer = group->Find(*options.consumer);
    if (consumer == nullptr) return call.reply().Array(0);
  }
  ReplyPending(call.reply(), *group, options, consumer, StreamTime(call));
}

// Read as a table.
// clang-format off
constexpr CommandRow kStreamGroupCommands[] = {
    {.name = "xack", .run = XAck, .arity = -4, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .since = "5.0.0", .complexity = "O(1) for each ID.",
     .syntax = "key group id [id ...]",
     .summary = "Acknowledges entries: they are no longer pending in a consumer group."},
    {.name = "xgroup", .arity = -2, .since = "5.0.0", .complexity = "Depends on subcommand.",
     .summary = "A container for consumer groups commands."},
    {.name = "xgroup|create", .run = XGroupCreate, .arity = -5, .flags = kWrite | kDenyOom,
     .keys = {Key(2, kRW | kInsert)}, .since = "5.0.0", .complexity = "O(1)",
     .syntax = "key groupname <id: id | <new_id: $>> [MKSTREAM] [ENTRIESREAD entries_read]",
     .summary = "Makes a consumer group."},
    {.name = "xgroup|createconsumer", .run = XGroupCreateConsumer, .arity = 5,
     .flags = kWrite | kDenyOom, .keys = {Key(2, kRW | kInsert)}, .since = "6.2.0",
     .complexity = "O(1)", .syntax = "key groupname consumername",
     .summary = "Makes a consumer in a consumer group."},
    {.name = "xgroup|delconsumer", .run = XGroupDelConsumer, .arity = 5, .flags = kWrite,
     .keys = {Key(2, kRW | kDelete)}, .since = "5.0.0",
     .complexity = "O(N) for a consumer with N pending entries.",
     .syntax = "key groupname consumername",
     .summary = "Removes a consumer from a consumer group, with its pending entries."},
    {.name = "xgroup|destroy", .run = XGroupDestroy, .arity = 4, .flags = kWrite,
     .keys = {Key(2, kRW | kDelete)}, .since = "5.0.0",
     .complexity = "O(N) for a group with N pending entries.", .syntax = "key groupname",
     .summary = "Removes a consumer group."},
    {.name = "xgroup|help", .run = Help, .arity = 2, .flags = kLoading | kStale,
     .categories = kCatStream, .access = Access::kNone, .since = "5.0.0", .complexity = "O(1)",
     .summary = "Returns the subcommands."},
    {.name = "xgroup|setid", .run = XGroupSetId, .arity = -5, .flags = kWrite,
     .keys = {Key(2, kRW | kUpdate)}, .since = "5.0.0", .complexity = "O(1)",
     .syntax = "key groupname <id: id | <new_id: $>> [ENTRIESREAD entries_read]",
     .summary = "Sets the last ID that a consumer group was given."},
    {.name = "xpending", .run = XPending, .arity = -3, .flags = kReadonly | kRandomOutput,
     .keys = {Key(1, kRO | kAccess)}, .since = "5.0.0",
     .complexity = "O(N) for N entries returned, or consumers in a summary.",
     .syntax = "key group [filters: [IDLE min-idle-time:integer] start:string end:string count "
               "[consumer]]",
     .summary = "Returns what is pending in a consumer group: delivered, not acknowledged."},
};
// clang-format on

}  // namespace

CommandFamily StreamGroupCommands() {
  return {CommandGroup::kStream, kCatStream, kStreamGroupCommands};
}

}  // namespace cloakroom
