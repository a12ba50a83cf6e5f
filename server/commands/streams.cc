// Commands on the entries of one stream. Those that wait for entries are in stream_reading.cc,
// those on its consumer groups in stream_groups.cc and stream_claims.cc.
#include <algorithm>
#include <string>
#include <vector>

#include "server/commands/families.h"
#include "server/commands/support/long_reply.h"
#include "server/commands/support/stream_ids.h"
#include "server/commands/support/stream_options.h"
#include "server/commands/support/stream_reply.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "storage/values/mutable_stream.h"

namespace cloakroom {
namespace {

constexpr std::string_view kTooLarge = "ERR Elements are too large to be stored";
constexpr std::string_view kNotGreater =
    "ERR The ID specified in XADD is equal or smaller than the target stream top item";

/// The ID of a new entry; replies the error and returns nullopt if it may not have it.
std::optional<StreamId> NewId(Call& call, const StreamOptions& options, const StreamId& last_id) {
  if (last_id == kLastStreamId) {
    call.Error("ERR The stream has exhausted the last possible ID, unable to add more items");
    return std::nullopt;
  }
  StreamId id = options.id;
  if (options.automatic_id) {
    const StreamId now = {static_cast<uint64_t>(StreamTime(call)), 0};
    return now.ms > last_id.ms ? now : last_id.Next();
  }
  if (options.automatic_seq && last_id.ms == id.ms) {
    if (last_id.seq == UINT64_MAX) {
      // Redis has no message of its own for it.
      call.Error(kTooLarge);
      return std::nullopt;
    }
    id.seq = last_id.seq + 1;
  }
  if (id > last_id) return id;
  call.Error(kNotGreater);
  return std::nullopt;
}

bool TooLarge(StreamWords words) {
  size_t bytes = 0;
  for (const std::string_view word : words) bytes += word.size();
  return bytes > MutableStream::kMaxEntryBytes;
}

void XAdd(Call& call) {
  Arguments args(call, 2);
  const StreamOptions options = TakeAddOptions(args);
  if (args.left() < 2 || args.left() % 2 != 0) args.WrongArity();
  if (!options.automatic_id && !options.automatic_seq && options.id.zero()) {
    args.Fail("ERR The ID specified in XADD must be greater than 0-0");
  }
  if (!args.Finish()) return;
  Writing<MutableStream> stream(call, call.arg(1));
  if (!stream.ok()) return;
  if (!stream.exists() && options.no_create) return call.reply().Null();
  const std::optional<StreamId> id = NewId(call, options, stream->view().last_id());
  if (!id) return;
  if (TooLarge(args.Rest())) return call.Error(kTooLarge);
  stream->Append(*id, args.Rest());
  stream.Changed("xadd");
  if (options.trim && stream->Trim(*options.trim) > 0) stream.Changed("xtrim", 0);
  ReplyStreamId(call.reply(), *id);
}

void XTrim(Call& call) {
  Arguments args(call, 2);
  const StreamOptions options = TakeTrimOptions(args);
  if (!args.Finish()) return;
  Writing<MutableStream> stream(call, call.arg(1));
  if (!stream.ok()) return;
  const auto trimmed = static_cast<int64_t>(stream->Trim(*options.trim));
  if (trimmed > 0) stream.Changed("xtrim", trimmed);
  call.reply().Integer(trimmed);
}

void XDel(Call& call) {
  Writing<MutableStream> stream(call, call.arg(1));
  if (!stream.ok()) return;
  if (!stream.exists()) return call.reply().Integer(0);
  std::vector<StreamId> ids;
  Arguments args(call, 2);
  while (args.More()) ids.push_back(TakeStreamId(args));
  if (!args.Finish()) return;
  int64_t erased = 0;
  for (const StreamId& id : ids) erased += stream->Erase(id) ? 1 : 0;
  if (erased > 0) stream.Changed("xdel", erased);
  call.reply().Integer(erased);
}

void XLen(Call& call) {
  Reading<Stream> stream(call, call.arg(1));
  if (!stream.ok()) return;
  call.reply().Integer(static_cast<int64_t>(stream->size()));
}

void ReplyRange(Call& call, bool backwards) {
  Arguments args(call, 2);
  StreamRange range;
  // XREVRANGE has its arguments in the other order, but the start is read first.
  if (backwards) args.GoTo(3);
  range.first = TakeRangeStart(args);
  if (backwards) args.GoTo(2);
  range.last = TakeRangeEnd(args);
  args.GoTo(4);
  int64_t count = kNoCount;
  while (args.More()) {
    if (args.Word("COUNT", 1)) {
      count = std::max<int64_t>(args.Integer(), 0);
    } else {
      args.SyntaxError();
    }
  }
  if (!args.Finish()) return;
  Reading<Stream> stream(call, call.arg(1));
  if (!stream.ok()) return;
  if (!stream.exists()) return call.reply().Array(0);
  if (count == 0) return call.reply().NullArray();
  const size_t most = stream->AtMostIn(range);
  ReplyFrom(call, *stream, count < 0 ? most : std::min(most, static_cast<size_t>(count)),
            [range, count, backwards](ReplyWriter& reply, const Stream& view) {
              ReplyEntries(reply, view, range, count, backwards);
            });
}

void XRange(Call& call) { ReplyRange(call, /*backwards=*/false); }
void XRevRange(Call& call) { ReplyRange(call, /*backwards=*/true); }

struct SetIdOptions {
  StreamId last_id;
  std::optional<uint64_t> entries_added;
  std::optional<StreamId> max_deleted;
};

SetIdOptions TakeSetIdOptions(Arguments& args) {
  SetIdOptions options{.last_id = TakeStreamId(args)};
  while (args.More()) {
    if (args.Word("ENTRIESADDED", 1)) {
      const int64_t added = args.Integer();
      if (added < 0) args.Fail("ERR entries_added must be positive");
      options.entries_added = static_cast<uint64_t>(added);
    } else if (args.Word("MAXDELETEDID", 1)) {
      const StreamId deleted = TakeStreamId(args);
      // 0-0 is as if it had not been given.
      options.max_deleted.reset();
      if (!deleted.zero()) options.max_deleted = deleted;
      if (options.last_id < deleted) {
        args.Fail(
            "ERR The ID specified in XSETID is smaller than the provided "
            "max_deleted_entry_id");
      }
    } else {
      args.SyntaxError();
    }
  }
  return options;
}

void XSetId(Call& call) {
  Arguments args(call, 2);
  const SetIdOptions options = TakeSetIdOptions(args);
  if (!args.Finish()) return;
  Writing<MutableStream> stream(call, call.arg(1));
  if (!stream.ok()) return;
  if (!stream.exists()) return call.Error(kNoSuchKey);
  const Stream view = stream->view();
  if (!view.empty() && options.last_id < view.last_entry()) {
    return call.Error("ERR The ID specified in XSETID is smaller than the target stream top item");
  }
  if (!view.empty() && options.entries_added && view.size() > *options.entries_added) {
    return call.Error(
        "ERR The entries_added specified in XSETID is smaller than the target "
        "stream length");
  }
  stream->SetIds(options.last_id, options.entries_added, options.max_deleted);
  stream.scope().ChangedUnwatched("xsetid");
  call.reply().Ok();
}

// Read as a table.
// clang-format off
constexpr CommandRow kStreamCommands[] = {
    {.name = "xadd", .run = XAdd, .arity = -5,
     .flags = kWrite | kDenyOom | kFast | kRandomOutput,
     .keys = {Key(1, kRW | kUpdate)
                  .Noted("May also trim the stream")}, .since = "5.0.0",
     .complexity = "O(1) for a new entry, and O(N) for N entries that a trim removes.",
     .syntax = "key [NOMKSTREAM] [trim: <strategy: MAXLEN | MINID> [operator: <equal: => | "
               "<approximately: ~>] threshold [LIMIT count]] <id_or_auto: <auto_id: *> | id> "
               "field value [field_value: field value ...]",
     .summary = "Appends an entry to a stream, and makes the stream where there is none."},
    {.name = "xdel", .run = XDel, .arity = -3, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kDelete)}, .since = "5.0.0",
     .complexity = "O(1) for each entry.",
     .syntax = "key id [id ...]", .summary = "Removes entries from a stream."},
    {.name = "xlen", .run = XLen, .arity = 2, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO)}, .since = "5.0.0", .complexity = "O(1)",
     .syntax = "key", .summary = "Returns how many entries a stream has."},
    {.name = "xrange", .run = XRange, .arity = -4, .flags = kReadonly,
     .keys = {Key(1, kRO | kAccess)}, .since = "5.0.0",
     .complexity = "O(N) for N entries returned.",
     .syntax = "key start:string end:string [COUNT count]",
     .summary = "Returns the entries between two IDs."},
    {.name = "xrevrange", .run = XRevRange, .arity = -4, .flags = kReadonly,
     .keys = {Key(1, kRO | kAccess)}, .since = "5.0.0",
     .complexity = "O(N) for N entries returned.",
     .syntax = "key end:string start:string [COUNT count]",
     .summary = "Returns the entries between two IDs, from the last one to the first."},
    {.name = "xsetid", .run = XSetId, .arity = -3, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .since = "5.0.0", .complexity = "O(1)",
     .syntax = "key last-id [ENTRIESADDED entries_added] [MAXDELETEDID max_deleted_entry_id]",
     .summary = "Sets the last ID of a stream; for logs and replicas."},
    {.name = "xtrim", .run = XTrim, .arity = -4, .flags = kWrite | kRandomOutput,
     .keys = {Key(1, kRW | kDelete)}, .since = "5.0.0",
     .complexity = "O(N) for N entries removed.",
     .syntax = "key <trim: <strategy: MAXLEN | MINID> [operator: <equal: => | <approximately: ~>] "
               "threshold [LIMIT count]>",
     .summary = "Removes the oldest entries of a stream."},
};
// clang-format on

}  // namespace

CommandFamily StreamCommands() { return {CommandGroup::kStream, kCatStream, kStreamCommands}; }

}  // namespace cloakroom
