// SUBSCRIBE and its kin, PUBLISH, PUBSUB. The registry is pubsub/pubsub.h.
#include "server/pubsub/pubsub.h"

#include <optional>
#include <string>
#include <vector>

#include "server/commands/families.h"
#include "server/commands/support/help.h"
#include "server/execution/call.h"
#include "server/session/client_registry.h"

namespace cloakroom {
namespace {

/// What Redis counts in the replies: channels and patterns together, shard channels apart.
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
    // A client that is being closed has left the registry: it will not hear of anything.
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
  call.reply().Integer(call.server().pubsub().Publish(call.arg(1), call.arg(2)));
}

void SPublish(Call& call) {
  call.reply().Integer(call.server().pubsub().PublishToShard(call.arg(1), call.arg(2)));
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

constexpr uint32_t kListens = kPubSub | kNoScript | kLoading | kStale;
constexpr uint32_t kAsks = kPubSub | kLoading | kStale;

// Read as a table.
// clang-format off
constexpr CommandRow kPubSubCommands[] = {
    { "subscribe", Subscribe<Topic::kChannel>, -2, kListens, {}, "2.0.0", "O(N) for N channels.",
     "channel [channel ...]", "Listens to channels."},
    { "unsubscribe", Unsubscribe<Topic::kChannel>, -1, kListens, {}, "2.0.0",
     "O(N) for N channels.", "[channel [channel ...]]",
     "Stops listening to some channels, or to all."},
    { "psubscribe", Subscribe<Topic::kPattern>, -2, kListens, {}, "2.0.0", "O(N) for N patterns.",
     "pattern [pattern ...]", "Listens to the channels whose names match patterns."},
    { "punsubscribe", Unsubscribe<Topic::kPattern>, -1, kListens, {}, "2.0.0",
     "O(N) for N patterns.", "[pattern [pattern ...]]",
     "Stops listening to some patterns, or to all."},
    { "ssubscribe", Subscribe<Topic::kShardChannel>, -2, kListens, {KeyRange(1, -1, 1, kNotKey)},
     "7.0.0", "O(N) for N channels.", "shardchannel [shardchannel ...]",
     "Listens to shard channels.", Access::kNone},
    { "sunsubscribe", Unsubscribe<Topic::kShardChannel>, -1, kListens, {KeyRange(1, -1, 1,
     kNotKey)}, "7.0.0", "O(N) for N channels.", "[shardchannel [shardchannel ...]]",
     "Stops listening to some shard channels, or to all.", Access::kNone},
    { "publish", Publish, 3, kAsks | kFast | kMayReplicate, {}, "2.0.0",
     "O(N+M) for N listeners of the channel and M patterns.", "channel message",
     "Sends a message to all who listen to a channel."},
    { "spublish", SPublish, 3, kAsks | kFast | kMayReplicate, {Key(1, kNotKey)}, "7.0.0",
     "O(N) for N listeners of the channel.", "shardchannel message",
     "Sends a message to all who listen to a shard channel.", Access::kNone},
    { "pubsub", nullptr, -2, 0, {}, "2.8.0", "Depends on the subcommand.", "",
     "Tells who listens to what."},
    { "pubsub|channels", ListNames<Topic::kChannel>, -2, kAsks, {}, "2.8.0", "O(N) for N channels.",
     "[pattern]", "Lists the channels that somebody listens to."},
    { "pubsub|help", Help, 2, kLoading | kStale, {}, "6.2.0", "O(1)", "",
     "Lists the subcommands."},
    { "pubsub|numpat", CountPatterns, 2, kAsks, {}, "2.8.0", "O(1)", "",
     "Counts the patterns that somebody listens to."},
    { "pubsub|numsub", CountSubscribers<Topic::kChannel>, -2, kAsks, {}, "2.8.0",
     "O(N) for N channels.", "[channel [channel ...]]", "Counts those who listen to channels."},
    { "pubsub|shardchannels", ListNames<Topic::kShardChannel>, -2, kAsks, {}, "7.0.0",
     "O(N) for N channels.", "[pattern]", "Lists the shard channels that somebody listens to."},
    { "pubsub|shardnumsub", CountSubscribers<Topic::kShardChannel>, -2, kAsks, {}, "7.0.0",
     "O(N) for N channels.", "[shardchannel [shardchannel ...]]",
     "Counts those who listen to shard channels."},
};
// clang-format on

}  // namespace

CommandFamily PubSubCommands() { return {CommandGroup::kPubSub, 0, kPubSubCommands}; }

}  // namespace cloakroom
