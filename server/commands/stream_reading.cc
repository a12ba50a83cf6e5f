// XREAD and XREADGROUP: they read several streams, and may wait for entries.
#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/commands/families.h"
#include "server/commands/support/long_reply.h"
#include "server/commands/support/stream_ids.h"
#include "server/commands/support/stream_reply.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "storage/access/lookup.h"
#include "storage/values/mutable_stream.h"

namespace cloakroom {
namespace {

/// The position of ">": what was delivered to nobody in the group.
constexpr StreamId kNewEntries = kLastStreamId;

struct ReadOptions {
  int64_t count = kNoCount;
  std::optional<int64_t> block_ms;
  std::optional<std::string_view> group;
  std::string_view consumer;
  bool no_ack = false;
  size_t first_key = 0;
  size_t streams = 0;  ///< how many keys, and as many positions behind them
};

/// Reads the options of XREAD and XREADGROUP, in Redis' order of checks.
class OptionReader {
 public:
  OptionReader(Arguments& args, bool of_group) : args_(args), of_group_(of_group) {}

  ReadOptions Read() {
    while (args_.More() && options_.first_key == 0) TakeOption();
    if (options_.first_key == 0) args_.SyntaxError();
    if (of_group_ && !options_.group) args_.Fail("ERR Missing GROUP option for XREADGROUP");
    return options_;
  }

 private:
  void TakeOption() {
    if (args_.Word("BLOCK", 1)) {
      TakeBlock();
    } else if (args_.Word("COUNT", 1)) {
      // 0 and less: all.
      const int64_t count = args_.Integer();
      options_.count = count > 0 ? count : kNoCount;
    } else if (args_.Word("STREAMS", 1)) {
      TakeStreams();
    } else if (args_.Word("GROUP", 2)) {
      if (!of_group_) return OnlyForGroups("GROUP");
      options_.group = args_.String();
      options_.consumer = args_.String();
    } else if (args_.Word("NOACK")) {
      if (!of_group_) return OnlyForGroups("NOACK");
      options_.no_ack = true;
    } else {
      args_.SyntaxError();
    }
  }

  void OnlyForGroups(std::string_view option) {
    args_.Fail(fmt::format(
        "ERR The {} option is only supported by XREADGROUP. You called XREAD instead.", option));
  }

  void TakeBlock() {
    if (args_.call().mode() == CallMode::kScript) {
      return args_.Fail(fmt::format("ERR {} command is not allowed with BLOCK option from scripts",
                                    args_.call().arg(0)));
    }
    const int64_t block_ms = args_.Integer("ERR timeout is not an integer or out of range");
    if (block_ms < 0) args_.Fail("ERR timeout is negative");
    if (block_ms > INT64_MAX - StreamTime(args_.call())) args_.Fail("ERR timeout is out of range");
    options_.block_ms = block_ms;
  }

  void TakeStreams() {
    options_.first_key = args_.at();
    options_.streams = args_.left() / 2;
    if (args_.left() % 2 != 0) {
      return args_.Fail(
          "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be "
          "specified.");
    }
    // A group may be called STREAMS; the key spec takes the word for the one before the keys.
    const Call& call = args_.call();
    for (size_t i = of_group_ ? 4 : 1; i + 1 < options_.first_key; ++i) {
      if (call.Is(i, "STREAMS")) return args_.SyntaxError();
    }
  }

  Arguments& args_;
  const bool of_group_;
  ReadOptions options_;
};

std::string_view KeyAt(const Call& call, const ReadOptions& options, size_t i) {
  return call.arg(options.first_key + i);
}

// XREAD.

/// The position that an argument of XREAD names in a stream, which may be absent.
std::optional<StreamId> PositionIn(Call& call, const Stream& stream, std::string_view text) {
  if (text == "$") return stream.last_id();
  // As Redis 7.4: before the last entry, so that it is read.
  if (text == "+") return stream.last_entry().Previous().value_or(StreamId());
  const std::optional<StreamId> id = ParseStreamId(text);
  if (id) return id;
  call.Error(text == ">" ? "ERR The > ID can be specified only when calling XREADGROUP using the "
                           "GROUP <group> <consumer> option."
                         : kInvalidStreamId);
  return std::nullopt;
}

/// A key and the ID behind which XREAD reads.
struct Position {
  std::string key;
  StreamId behind;
};

StreamRange Behind(const StreamId& id) {
  const std::optional<StreamId> first = id.Next();
  return first ? StreamRange{.first = *first} : StreamRange{kLastStreamId, kFirstStreamId};
}

/// The positions of a request; nullopt: an error was replied.
std::optional<std::vector<Position>> ReadPositions(Call& call, const ReadOptions& options) {
  std::vector<Position> positions;
  for (size_t i = 0; i < options.streams; ++i) {
    const std::string_view key = KeyAt(call, options, i);
    Reading<Stream> stream(call, key);
    if (!stream.ok()) return std::nullopt;
    const auto position = PositionIn(call, *stream, KeyAt(call, options, options.streams + i));
    if (!position) return std::nullopt;
    positions.push_back({std::string(key), *position});
  }
  return positions;
}

/// The head of a reply with so many streams, and of each of them.
void ReplyStreams(ReplyWriter& reply, size_t streams) {
  reply.resp() == 2 ? reply.Array(streams) : reply.Map(streams);
}
void ReplyKey(ReplyWriter& reply, std::string_view key) {
  if (reply.resp() == 2) reply.Array(2);
  reply.Bulk(key);
}

/// A stream of which XREAD has something to reply.
struct Readable {
  Position position;
  SharedValue stream;
};

void ReplyReadable(ReplyWriter& reply, const std::vector<Readable>& readable, int64_t count) {
  ReplyStreams(reply, readable.size());
  for (const Readable& one : readable) {
    ReplyKey(reply, one.position.key);
    ReplyEntries(reply, Stream(one.stream.view()), Behind(one.position.behind), count);
  }
}

/// Serves XREAD when one of its keys has changed. It takes nothing, so all who wait are served.
Waiter::Verdict ServeRead(const ReadyKey& ready, const std::vector<Position>& positions,
                          int64_t count) {
  const Entry* const entry = PeekKey(ready.hold, ready.db, ready.key, ready.hash, ready.now_ms);
  if (entry == nullptr || entry->type() != Stream::kType) return Waiter::Verdict::kNotForMe;
  const auto position = std::ranges::find(positions, ready.key, &Position::key);
  const Stream stream(entry->value());
  if (stream.last_id() <= position->behind || !ready.Take()) return Waiter::Verdict::kNotForMe;
  ReplyStreams(ready.reply, 1);
  ReplyKey(ready.reply, ready.key);
  ReplyEntries(ready.reply, stream, Behind(position->behind), count);
  return Waiter::Verdict::kServed;
}

/// Waits for entries, or replies as if the time had run out.
void Wait(Call& call, const ReadOptions& options, BlockOn::Serve serve,
          bool hears_removal = false) {
  if (!options.block_ms || !call.may_block()) return call.reply().NullArray();
  BlockOn on;
  for (size_t i = 0; i < options.streams; ++i) on.keys.emplace_back(KeyAt(call, options, i));
  on.hears_removal = hears_removal;
  on.time_limit_ms = *options.block_ms;
  on.serve = std::move(serve);
  on.time_out = [](ReplyWriter& reply) { reply.NullArray(); };
  call.Block(std::move(on));
}

void XRead(Call& call) {
  Arguments args(call, 1);
  const ReadOptions options = OptionReader(args, /*of_group=*/false).Read();
  if (!args.Finish()) return;
  std::optional<std::vector<Position>> positions = ReadPositions(call, options);
  if (!positions) return;
  std::vector<Readable> readable;
  size_t items = 0;
  for (const Position& position : *positions) {
    // Redis looks for each key a second time, which counts in its statistics and events.
    const Entry* const entry = call.Find(position.key);
    if (entry == nullptr) continue;
    const Stream stream(entry->value());
    if (stream.empty() || stream.last_entry() <= position.behind) continue;
    readable.push_back({position, stream.Share()});
    const size_t most = stream.AtMostIn(Behind(position.behind));
    items += options.count < 0 ? most : std::min(most, static_cast<size_t>(options.count));
  }
  if (readable.empty()) {
    return Wait(call, options,
                [positions = *std::move(positions), count = options.count](const ReadyKey& ready) {
                  return ServeRead(ready, positions, count);
                });
  }
  if (items <= kLongWorkItems) return ReplyReadable(call.reply(), readable, options.count);
  call.StartLongWork([readable = std::move(readable), count = options.count](LongWork& work) {
    ReplyReadable(work.reply, readable, count);
  });
}

// XREADGROUP.

/// Who reads in a group, and how.
struct GroupReader {
  std::string group;
  std::string consumer;
  int64_t count = kNoCount;
  bool no_ack = false;
};

/// How many entries a group has read when it has just been given the one with this ID.
int64_t ReadCount(const Stream& stream, int64_t before, const StreamId& id) {
  if (before != StreamGroup::kUnknownRead && !stream.HasGapsFrom(id)) return before + 1;
  if (stream.entries_added() == 0) return before;
  return stream.CountUpTo(id).value_or(StreamGroup::kUnknownRead);
}

/// One stream being read for a consumer.
class GroupReading {
 public:
  GroupReading(WriteScope& scope, MutableStream& stream, const GroupReader& reader, int64_t now_ms)
      : scope_(scope),
        view_(stream.view()),
        group_(stream, reader.group),
        reader_(reader),
        now_ms_(now_ms) {
    if (group_.Find(reader.consumer) != nullptr) return;
    group_.CreateConsumer(reader.consumer, now_ms);
    scope_.ChangedUnwatched("xgroup-createconsumer");
  }
  ~GroupReading() { scope_.ChangedUnwatched({}); }

  /// Delivers what nobody in the group was given.
  void DeliverNew(ReplyWriter& reply) {
    std::vector<StreamId> ids;
    int64_t read = group_.view().entries_read;
    const size_t mark = reply.BeginArray();
    view_.ForEach(Behind(group_.view().last_id), [&](const StreamEntry& entry) {
      ReplyEntry(reply, entry);
      ids.push_back(entry.id());
      read = ReadCount(view_, read, entry.id());
      return reader_.count < 0 || ids.size() < static_cast<size_t>(reader_.count);
    });
    reply.EndArray(mark, ids.size());
    group_.Note(reader_.consumer, now_ms_, !ids.empty());
    if (ids.empty()) return;
    if (!reader_.no_ack) group_.Claim(reader_.consumer, ids, now_ms_, /*deliveries=*/1);
    group_.SetPosition(ids.back(), read);
  }

  /// Delivers once more what is pending for the consumer behind an ID.
  void DeliverPending(ReplyWriter& reply, const StreamId& behind) {
    std::vector<PendingEntry> again;
    size_t replied = 0;
    const size_t mark = reply.BeginArray();
    const StreamIdSet& pending = group_.Find(reader_.consumer)->pending;
    if (const std::optional<StreamId> first = behind.Next()) {
      pending.ForEachFrom(*first, [&](const StreamId& id) {
        if (ReplyEntryOf(reply, view_, id)) {
          again.push_back(*group_.view().pending().Find(id));
        } else {
          // The stream no longer has the entry.
          reply.Array(2);
          ReplyStreamId(reply, id);
          reply.NullArray();
        }
        return ++replied != static_cast<size_t>(reader_.count);
      });
    }
    reply.EndArray(mark, replied);
    group_.Note(reader_.consumer, now_ms_, /*got=*/false);
    for (const PendingEntry& entry : again) {
      group_.Claim(reader_.consumer, {&entry.id, 1}, now_ms_, entry.deliveries + 1);
    }
  }

 private:
  WriteScope& scope_;
  const Stream view_;
  MutableStreamGroup group_;
  const GroupReader& reader_;
  const int64_t now_ms_;
};

/// Serves XREADGROUP when one of its keys has changed: with entries, or with an error when there is
/// nothing left to wait for.
Waiter::Verdict ServeGroupRead(const ReadyKey& ready, const GroupReader& reader) {
  WriteScope scope(ready.hold, ready.db, ready.key, ready.hash, ready.now_ms);
  const auto refuse = [&](std::string_view error) {
    if (!ready.Take()) return Waiter::Verdict::kNotForMe;
    ready.reply.Error(error);
    return Waiter::Verdict::kServed;
  };
  if (!scope.exists() || scope.type() != Stream::kType) {
    return refuse("UNBLOCKED the stream key no longer exists");
  }
  const EncodingLimits& limits = ready.db.keyspace().encoding_limits();
  MutableStream stream(scope, limits);
  const StreamGroup* const group = stream.view().FindGroup(reader.group);
  if (group == nullptr) {
    return refuse("NOGROUP the consumer group this client was blocked on no longer exists");
  }
  if (stream.view().last_id() <= group->last_id || !ready.Take()) {
    return Waiter::Verdict::kNotForMe;
  }
  ReplyStreams(ready.reply, 1);
  ReplyKey(ready.reply, ready.key);
  GroupReading(scope, stream, reader, ready.now_ms).DeliverNew(ready.reply);
  return Waiter::Verdict::kServed;
}

/// Where XREADGROUP reads in a stream: behind an ID, or kNewEntries; nullopt: an error was replied.
std::optional<StreamId> GroupPosition(Call& call, const ReadOptions& options, size_t i) {
  const std::string_view key = KeyAt(call, options, i);
  Reading<Stream> stream(call, key);
  if (!stream.ok()) return std::nullopt;
  if (stream->FindGroup(*options.group) == nullptr) {
    call.Error(NoSuchGroup(key, *options.group) + " in XREADGROUP with GROUP option");
    return std::nullopt;
  }
  const std::string_view text = KeyAt(call, options, options.streams + i);
  if (text == ">") return kNewEntries;
  const std::optional<StreamId> id = ParseStreamId(text);
  if (id) return id;
  call.Error(text == "$"
                 ? "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read "
                   "the history of this consumer by specifying a proper ID, or use the > ID to "
                   "get new messages. The $ ID would just return an empty result set."
                 : kInvalidStreamId);
  return std::nullopt;
}

/// Whether the stream has something that the group was not given.
bool HasNew(const Stream& stream, std::string_view group) {
  return !stream.empty() && stream.last_entry() > stream.FindGroup(group)->last_id;
}

void XReadGroup(Call& call) {
  Arguments args(call, 1);
  const ReadOptions options = OptionReader(args, /*of_group=*/true).Read();
  if (!args.Finish()) return;
  std::vector<StreamId> positions;
  for (size_t i = 0; i < options.streams; ++i) {
    const std::optional<StreamId> position = GroupPosition(call, options, i);
    if (!position) return;
    positions.push_back(*position);
  }
  const GroupReader reader = {std::string(*options.group), std::string(options.consumer),
                              options.count, options.no_ack};
  ReplyWriter& reply = call.reply();
  const size_t mark = reply.BeginArray();
  size_t replied = 0;
  for (size_t i = 0; i < options.streams; ++i) {
    const std::string_view key = KeyAt(call, options, i);
    Writing<MutableStream> stream(call, key);
    if (positions[i] == kNewEntries && !HasNew(stream->view(), reader.group)) continue;
    ++replied;
    ReplyKey(reply, key);
    GroupReading reading(stream.scope(), *stream, reader, StreamTime(call));
    if (positions[i] == kNewEntries) {
      reading.DeliverNew(reply);
    } else {
      reading.DeliverPending(reply, positions[i]);
    }
  }
  if (replied == 0) {
    return Wait(
        call, options, [reader](const ReadyKey& ready) { return ServeGroupRead(ready, reader); },
        /*hears_removal=*/true);
  }
  reply.resp() == 2 ? reply.EndArray(mark, replied) : reply.EndMap(mark, replied);
}

// Read as a table.
// clang-format off
constexpr CommandRow kStreamReadingCommands[] = {
    {.name = "xread", .run = XRead, .arity = -4, .flags = kReadonly | kBlocking | kMovableKeys,
     .keys = {KeysAfter("STREAMS", 1, {.last = -1, .limit = 2}, kRO | kAccess)},
     .since = "5.0.0", .complexity = "O(N) for N entries returned.",
     .syntax = "[COUNT count] [BLOCK milliseconds] <STREAMS key [key ...] id [id ...]>",
     .summary = "Returns the entries of streams behind IDs, and may wait for them."},
    {.name = "xreadgroup", .run = XReadGroup, .arity = -7,
     .flags = kWrite | kBlocking | kMovableKeys,
     .keys = {KeysAfter("STREAMS", 4, {.last = -1, .limit = 2}, kRO | kAccess)},
     .since = "5.0.0", .complexity = "O(M) for M entries returned.",
     .syntax = "<group_consumer: GROUP group consumer> [COUNT count] [BLOCK milliseconds] [NOACK] "
               "<STREAMS key [key ...] id [id ...]>",
     .summary = "Returns entries of streams to a consumer of a group, and may wait for them."},
};
// clang-format on

}  // namespace

CommandFamily StreamReadingCommands() {
  return {CommandGroup::kStream, kCatStream, kStreamReadingCommands};
}

}  // namespace cloakroom
