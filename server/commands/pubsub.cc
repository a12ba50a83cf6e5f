// SUBSCRIBE and its kin, PUBLISH, PUBSUB. The registry is pubsub/pubsub.h.
#include "server/pubsub/pubsub.h"

#include <optional>
#include <string>
#include <vector>

#include "server/commands/families.h"
#include "server/commands/support/help.h"
#include "server/execution/call.h"
#include "server/persistence/persistence.h"
#include "server/session/client_registry.h"

namespace cloakroom {
namespace {

/// The count in the replies, as in Redis: channels and patterns together, shard channels
/// separately.
int64_t CountFor(const Client& client, Topic topic) {
  return static_cast<int64_t>(topic == Topic::kShardChannel
                                  ? client.shard_channels.size()
                                  : client.channels.size() + client.patterns.size());
}

std::string_view SubscribeWord(Topic topic) {
  if (topic == Topic::kChannel) return "subscribe";
  return topic == Topic::kPattern ? "psubscribe" : "ssubscribe";
}

std::string_view UnsubscribeWord(Topic topic) {
  if (topic == Topic::kChannel) return "unsubscribe";
  return topic == Topic::kPattern ? "punsubscribe" : "sunsubscribe";
}

void Confirm(Call& call, Topic topic, std::string_view word, std::optional<std::string_view> name) {
  call.reply().Push(3);
  call.reply().Bulk(word);
  call.reply().Bulk(name);
  call.reply().Integer(CountFor(call.client(), topic));
}

template <Topic kTopic>
void Subscribe(Call& call) {
  if (kTopic == Topic::kShardChannel && call.mode() != CallMode::kTopLevel) {
    return call.Error("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
  }
  std::shared_ptr<Client> client = call.server().clients().Find(call.client().id);
  for (size_t i = 1; i < call.argc(); ++i) {
    // A client that is being closed has left the registry: it gets no messages.
    if (client != nullptr) call.server().pubsub().Subscribe(kTopic, call.arg(i), client);
    Confirm(call, kTopic, SubscribeWord(kTopic), call.arg(i));
  }
}

template <Topic kTopic>
void Unsubscribe(Call& call) {
  Client& client = call.client();
  std::vector<std::string> names;
  for (size_t i = 1; i < call.argc(); ++i) names.emplace_back(call.arg(i));
  if (call.argc() == 1) {
    const StringSet& all = SubscriptionsOf(client, kTopic);
    names.assign(all.begin(), all.end());
    if (names.empty()) Confirm(call, kTopic, UnsubscribeWord(kTopic), std::nullopt);
  }
  for (const std::string& name : names) {
    call.server().pubsub().Unsubscribe(kTopic, name, client);
    Confirm(call, kTopic, UnsubscribeWord(kTopic), name);
  }
}

/// A client that publishes to itself gets the message before the reply.
void Publish(Call& call) {
  call.reply().Integer(
      call.server().pubsub().Publish(call.arg(1), call.arg(2), call.thread().pusher()));
  call.server().persistence().journal().Replicate({"PUBLISH", call.arg(1), call.arg(2)});
}

void SPublish(Call& call) {
  call.reply().Integer(
      call.server().pubsub().PublishToShard(call.arg(1), call.arg(2), call.thread().pusher()));
  call.server().persistence().journal().Replicate({"SPUBLISH", call.arg(1), call.arg(2)});
}

template <Topic kTopic>
void ListNames(Call& call) {
  if (call.argc() > 3) return SubcommandError(call);
  std::optional<std::string_view> pattern;
  if (call.argc() == 3) pattern = call.arg(2);
  std::vector<std::string> names = call.server().pubsub().Names(kTopic, pattern);
  call.reply().Array(names.size());
  for (const std::string& name : names) call.reply().Bulk(name);
}

template <Topic kTopic>
void CountSubscribers(Call& call) {
  call.reply().Array((call.argc() - 2) * 2);
  for (size_t i = 2; i < call.argc(); ++i) {
    call.reply().Bulk(call.arg(i));
    call.reply().Integer(
        static_cast<int64_t>(call.server().pubsub().SubscriberCount(kTopic, call.arg(i))));
  }
}

void CountPatterns(Call& call) {
  call.reply().Integer(static_cast<int64_t>(call.server().pubsub().NameCount(Topic::kPattern)));
}

constexpr uint32_t kListens = kPubSub | kNoScript | kLoading | kStale | kWhileSubscribed;
constexpr uint32_t kAsksTopics = kPubSub | kLoading | kStale;

// Read as a table.
// clang-format off
constexpr CommandRow kPubSubCommands[] = {
    {.name = "subscribe", .run = Subscribe<Topic::kChannel>, .arity = -2, .flags = kListens,
     .since = "2.0.0", .complexity = "O(N) for N channels.",
     .syntax = "channel [channel ...]", .summary = "Listens to channels."},
    {.name = "unsubscribe", .run = Unsubscribe<Topic::kChannel>, .arity = -1, .flags = kListens,
     .since = "2.0.0", .complexity = "O(N) for N channels.",
     .syntax = "[channel [channel ...]]",
     .summary = "Stops listening to some channels, or to all."},
    {.name = "psubscribe", .run = Subscribe<Topic::kPattern>, .arity = -2, .flags = kListens,
     .since = "2.0.0", .complexity = "O(N) for N patterns.",
     .syntax = "pattern [pattern: pattern ...]",
     .summary = "Listens to the channels whose names match patterns."},
    {.name = "punsubscribe", .run = Unsubscribe<Topic::kPattern>, .arity = -1, .flags = kListens,
     .since = "2.0.0", .complexity = "O(N) for N patterns.",
     .syntax = "[pattern [pattern ...]]",
     .summary = "Stops listening to some patterns, or to all."},
    {.name = "ssubscribe", .run = Subscribe<Topic::kShardChannel>, .arity = -2, .flags = kListens,
     .keys = {KeyRange(1, -1, 1, kNotKey)}, .access = Access::kNone, .since = "7.0.0",
     .complexity = "O(N) for N channels.",
     .syntax = "shardchannel [shardchannel ...]", .summary = "Listens to shard channels."},
    {.name = "sunsubscribe", .run = Unsubscribe<Topic::kShardChannel>, .arity = -1,
     .flags = kListens,
     .keys = {KeyRange(1, -1, 1, kNotKey)}, .access = Access::kNone, .since = "7.0.0",
     .complexity = "O(N) for N channels.",
     .syntax = "[shardchannel [shardchannel ...]]",
     .summary = "Stops listening to some shard channels, or to all."},
    {.name = "publish", .run = Publish, .arity = 3, .flags = kAsksTopics | kFast | kMayReplicate,
     .since = "2.0.0", .complexity = "O(N+M) for N listeners of the channel and M patterns.",
     .syntax = "channel message", .summary = "Sends a message to all who listen to a channel."},
    {.name = "spublish", .run = SPublish, .arity = 3, .flags = kAsksTopics | kFast | kMayReplicate,
     .keys = {Key(1, kNotKey)}, .access = Access::kNone, .since = "7.0.0",
     .complexity = "O(N) for N listeners of the channel.",
     .syntax = "shardchannel message",
     .summary = "Sends a message to all who listen to a shard channel."},
    {.name = "pubsub", .arity = -2, .since = "2.8.0", .complexity = "Depends on the subcommand.",
     .summary = "Tells who listens to what."},
    {.name = "pubsub|channels", .run = ListNames<Topic::kChannel>, .arity = -2, .flags = kAsksTopics,
     .since = "2.8.0", .complexity = "O(N) for N channels.",
     .syntax = "[pattern]", .summary = "Lists the channels that somebody listens to."},
    {.name = "pubsub|help", .run = Help, .arity = 2, .flags = kLoading | kStale, .since = "6.2.0",
     .complexity = "O(1)", .summary = "Lists the subcommands."},
    {.name = "pubsub|numpat", .run = CountPatterns, .arity = 2, .flags = kAsksTopics, .since = "2.8.0",
     .complexity = "O(1)", .summary = "Counts the patterns that somebody listens to."},
    {.name = "pubsub|numsub", .run = CountSubscribers<Topic::kChannel>, .arity = -2, .flags = kAsksTopics,
     .since = "2.8.0", .complexity = "O(N) for N channels.",
     .syntax = "[channel [channel ...]]", .summary = "Counts those who listen to channels."},
    {.name = "pubsub|shardchannels", .run = ListNames<Topic::kShardChannel>, .arity = -2,
     .flags = kAsksTopics, .since = "7.0.0", .complexity = "O(N) for N channels.",
     .syntax = "[pattern]", .summary = "Lists the shard channels that somebody listens to."},
    {.name = "pubsub|shardnumsub", .run = CountSubscribers<Topic::kShardChannel>, .arity = -2,
     .flags = kAsksTopics, .since = "7.0.0", .complexity = "O(N) for N channels.",
     .syntax = "[shardchannel [shardchannel ...]]",
     .summary = "Counts those who listen to shard channels."},
};
// clang-format on

}  // namespace

CommandFamily PubSubCommands() { return {CommandGroup::kPubSub, 0, kPubSubCommands}; }

}  // namespace cloakroom
