// XINFO: what a stream, its groups and their consumers are like.
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "server/commands/families.h"
#include "server/commands/support/help.h"
#include "server/commands/support/long_reply.h"
#include "server/commands/support/stream_ids.h"
#include "server/commands/support/stream_reply.h"
#include "server/execution/call.h"
#include "storage/base/unaligned.h"
#include "storage/values/stream.h"

namespace cloakroom {
namespace {

constexpr int64_t kDefaultFullCount = 10;
constexpr size_t kIdBytes = 16;

using IdBytes = std::array<uint8_t, kIdBytes>;

/// How many nodes Redis' radix tree has for these keys, in order, which are equal before `depth`.
size_t RadixNodes(std::span<const IdBytes> keys, size_t depth) {
  if (depth == kIdBytes) return 1;
  const IdBytes& first = keys.front();
  const IdBytes& last = keys.back();
  size_t common = depth;
  while (common < kIdBytes && first[common] == last[common]) ++common;
  // Bytes that all keys share are one node, as is a place where they part.
  if (common > depth) return 1 + RadixNodes(keys, common);
  size_t nodes = 1;
  while (!keys.empty()) {
    const uint8_t byte = keys.front()[depth];
    const auto end =
        std::ranges::find_if(keys, [&](const IdBytes& key) { return key[depth] != byte; });
    const auto count = static_cast<size_t>(end - keys.begin());
    nodes += RadixNodes(keys.first(count), depth + 1);
    keys = keys.subspan(count);
  }
  return nodes;
}

std::vector<IdBytes> LeafKeys(const Stream& stream) {
  std::vector<IdBytes> keys;
  stream.ForEachLeaf([&](const StreamLeaf& leaf, size_t /*items*/) {
    char bytes[kIdBytes];
    StoreUnaligned(StoreUnaligned(bytes, __builtin_bswap64(leaf.first().ms)),
                   __builtin_bswap64(leaf.first().seq));
    IdBytes& key = keys.emplace_back();
    std::copy(bytes, bytes + kIdBytes, reinterpret_cast<char*>(key.data()));
  });
  return keys;
}

void ReplyHead(ReplyWriter& reply, const Stream& stream) {
  const std::vector<IdBytes> keys = LeafKeys(stream);
  reply.Bulk("length");
  reply.Integer(static_cast<int64_t>(stream.size()));
  reply.Bulk("radix-tree-keys");
  reply.Integer(static_cast<int64_t>(keys.size()));
  reply.Bulk("radix-tree-nodes");
  reply.Integer(keys.empty() ? 1 : static_cast<int64_t>(RadixNodes(keys, 0)));
  reply.Bulk("last-generated-id");
  ReplyStreamId(reply, stream.last_id());
  reply.Bulk("max-deleted-entry-id");
  ReplyStreamId(reply, stream.max_deleted());
  reply.Bulk("entries-added");
  reply.Integer(static_cast<int64_t>(stream.entries_added()));
  reply.Bulk("recorded-first-entry-id");
  ReplyStreamId(reply, stream.first_entry());
}

void ReplyEdge(ReplyWriter& reply, const Stream& stream, const StreamId& id) {
  if (stream.empty() || !ReplyEntryOf(reply, stream, id)) reply.Null();
}

void ReplyStream(ReplyWriter& reply, const Stream& stream) {
  reply.Map(10);
  ReplyHead(reply, stream);
  reply.Bulk("groups");
  reply.Integer(static_cast<int64_t>(stream.group_count()));
  reply.Bulk("first-entry");
  ReplyEdge(reply, stream, stream.first_entry());
  reply.Bulk("last-entry");
  ReplyEdge(reply, stream, stream.last_entry());
}

void ReplyCounts(ReplyWriter& reply, const Stream& stream, const StreamGroup& group) {
  reply.Bulk("entries-read");
  if (group.entries_read == StreamGroup::kUnknownRead) {
    reply.Null();
  } else {
    reply.Integer(group.entries_read);
  }
  reply.Bulk("lag");
  const std::optional<int64_t> lag = stream.LagOf(group);
  lag ? reply.Integer(*lag) : reply.Null();
}

/// The pending entries of a consumer, or all of a group with their consumers' names.
void ReplyPending(ReplyWriter& reply, const StreamGroup& group, const StreamConsumer* consumer,
                  int64_t count) {
  const size_t mark = reply.BeginArray();
  size_t replied = 0;
  const auto one = [&](const PendingEntry& entry) {
    if (count > 0 && replied == static_cast<size_t>(count)) return false;
    ++replied;
    reply.Array(consumer == nullptr ? 4 : 3);
    ReplyStreamId(reply, entry.id);
    if (consumer == nullptr) reply.Bulk(group.NameOf(entry.consumer));
    reply.Integer(entry.delivered_ms);
    reply.Integer(entry.deliveries);
    return true;
  };
  if (consumer == nullptr) {
    group.pending().ForEachFrom(kFirstStreamId, one);
  } else {
    consumer->pending.ForEachFrom(
        kFirstStreamId, [&](const StreamId& id) { return one(*group.pending().Find(id)); });
  }
  reply.EndArray(mark, replied);
}

void ReplyFullGroup(ReplyWriter& reply, const Stream& stream, std::string_view name,
                    const StreamGroup& group, int64_t count) {
  reply.Map(7);
  reply.Bulk("name");
  reply.Bulk(name);
  reply.Bulk("last-delivered-id");
  ReplyStreamId(reply, group.last_id);
  ReplyCounts(reply, stream, group);
  reply.Bulk("pel-count");
  reply.Integer(static_cast<int64_t>(group.pending().size()));
  reply.Bulk("pending");
  ReplyPending(reply, group, nullptr, count);
  reply.Bulk("consumers");
  reply.Array(group.consumers().size());
  for (const auto& [consumer_name, consumer] : group.consumers()) {
    reply.Map(5);
    reply.Bulk("name");
    reply.Bulk(std::string_view(consumer_name));
    reply.Bulk("seen-time");
    reply.Integer(consumer.seen_ms);
    reply.Bulk("active-time");
    reply.Integer(consumer.active_ms);
    reply.Bulk("pel-count");
    reply.Integer(static_cast<int64_t>(consumer.pending.size()));
    reply.Bulk("pending");
    ReplyPending(reply, group, &consumer, count);
  }
}

/// `count` entries and pending entries of each kind; 0: all.
void ReplyFullStream(ReplyWriter& reply, const Stream& stream, int64_t count) {
  reply.Map(9);
  ReplyHead(reply, stream);
  reply.Bulk("entries");
  ReplyEntries(reply, stream, {}, count == 0 ? kNoCount : count);
  reply.Bulk("groups");
  reply.Array(stream.group_count());
  if (stream.groups() == nullptr) return;
  for (const auto& [name, group] : stream.groups()->by_name) {
    ReplyFullGroup(reply, stream, name, group, count);
  }
}

/// How many entries and pending entries XINFO STREAM FULL touches.
size_t FullItems(const Stream& stream) {
  size_t items = stream.size();
  if (stream.groups() == nullptr) return items;
  for (const auto& [name, group] : stream.groups()->by_name) items += 2 * group.pending().size();
  return items;
}

void XInfoStream(Call& call) {
  Reading<Stream> stream(call, call.arg(2));
  if (!stream.ok()) return;
  if (!stream.exists()) return call.Error(kNoSuchKey);
  if (call.argc() == 3) return ReplyStream(call.reply(), *stream);
  if (!call.Is(3, "FULL") || (call.argc() != 4 && call.argc() != 6)) return SubcommandError(call);
  int64_t count = kDefaultFullCount;
  if (call.argc() == 6) {
    if (!call.Is(4, "COUNT")) return SubcommandError(call);
    const std::optional<int64_t> asked = call.Integer(5);
    if (!asked) return;
    if (*asked >= 0) count = *asked;
  }
  ReplyFrom(
      call, *stream, count == 0 ? FullItems(*stream) : static_cast<size_t>(count),
      [count](ReplyWriter& reply, const Stream& view) { ReplyFullStream(reply, view, count); });
}

void XInfoGroups(Call& call) {
  Reading<Stream> stream(call, call.arg(2));
  if (!stream.ok()) return;
  if (!stream.exists()) return call.Error(kNoSuchKey);
  ReplyWriter& reply = call.reply();
  reply.Array(stream->group_count());
  if (stream->groups() == nullptr) return;
  for (const auto& [name, group] : stream->groups()->by_name) {
    reply.Map(6);
    reply.Bulk("name");
    reply.Bulk(std::string_view(name));
    reply.Bulk("consumers");
    reply.Integer(static_cast<int64_t>(group.consumers().size()));
    reply.Bulk("pending");
    reply.Integer(static_cast<int64_t>(group.pending().size()));
    reply.Bulk("last-delivered-id");
    ReplyStreamId(reply, group.last_id);
    ReplyCounts(reply, *stream, group);
  }
}

void XInfoConsumers(Call& call) {
  Reading<Stream> stream(call, call.arg(2));
  if (!stream.ok()) return;
  if (!stream.exists()) return call.Error(kNoSuchKey);
  const StreamGroup* group = stream->FindGroup(call.arg(3));
  if (group == nullptr) return call.Error(NoSuchGroupOf(call.arg(2), call.arg(3)));
  ReplyWriter& reply = call.reply();
  reply.Array(group->consumers().size());
  for (const auto& [name, consumer] : group->consumers()) {
    reply.Map(4);
    reply.Bulk("name");
    reply.Bulk(std::string_view(name));
    reply.Bulk("pending");
    reply.Integer(static_cast<int64_t>(consumer.pending.size()));
    reply.Bulk("idle");
    reply.Integer(std::max<int64_t>(StreamTime(call) - consumer.seen_ms, 0));
    reply.Bulk("inactive");
    reply.Integer(
        consumer.active_ms < 0 ? -1 : std::max<int64_t>(StreamTime(call) - consumer.active_ms, 0));
  }
}

// Read as a table.
// clang-format off
constexpr CommandRow kStreamInfoCommands[] = {
    {.name = "xinfo", .arity = -2, .since = "5.0.0", .complexity = "Depends on subcommand.",
     .summary = "Tells what streams are like."},
    {.name = "xinfo|consumers", .run = XInfoConsumers, .arity = 4,
     .flags = kReadonly | kRandomOutput, .keys = {Key(2, kRO | kAccess)}, .since = "5.0.0",
     .complexity = "O(N) for N consumers.", .syntax = "key groupname",
     .summary = "Tells of each consumer in a consumer group what it has pending."},
    {.name = "xinfo|groups", .run = XInfoGroups, .arity = 3, .flags = kReadonly,
     .keys = {Key(2, kRO | kAccess)}, .since = "5.0.0", .complexity = "O(N) for N groups.",
     .syntax = "key", .summary = "Tells how far each consumer group of a stream is."},
    {.name = "xinfo|help", .run = Help, .arity = 2, .flags = kLoading | kStale,
     .categories = kCatStream, .access = Access::kNone, .since = "5.0.0", .complexity = "O(1)",
     .summary = "Returns the subcommands."},
    {.name = "xinfo|stream", .run = XInfoStream, .arity = -3, .flags = kReadonly,
     .keys = {Key(2, kRO | kAccess)}, .since = "5.0.0",
     .complexity = "O(N) for N nodes of the stream, and for the entries that FULL returns.",
     .syntax = "key [FULL [COUNT count]]", .summary = "Tells what a stream is like."},
};
// clang-format on

}  // namespace

CommandFamily StreamInfoCommands() {
  return {CommandGroup::kStream, kCatStream, kStreamInfoCommands};
}

}  // namespace cloakroom
