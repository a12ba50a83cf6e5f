#ifndef CLOAKROOM_SERVER_PUBSUB_PUBSUB_H_
#define CLOAKROOM_SERVER_PUBSUB_PUBSUB_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "server/session/client.h"
#include "storage/base/mutex.h"
#include "storage/base/string_map.h"

namespace cloakroom {

/// What a client subscribes to: a channel by name, all channels that match a glob, or a shard
/// channel (SPUBLISH).
enum class Topic : uint8_t { kChannel, kPattern, kShardChannel };

/// Which clients listen to which channels. Keeps the names and counters in the Client up to date.
///
/// A message is encoded once for RESP2 and once for RESP3, and shared by its receivers. Messages of
/// one thread arrive in the order in which they were published; two messages published at the same
/// moment on two threads may reach two subscribers in different orders.
///
/// Memory is bounded by the subscriptions of connected clients: Server::Disconnected removes a
/// client, and publishing forgets clients that are gone or killed. A subscriber that does not read
/// exceeds client-output-buffer-limit.
///
/// Thread rule: Subscribe, Unsubscribe and RemoveClient on the client's thread; the rest on any.
class PubSub {
 public:
  /// False when the client listens to it already.
  bool Subscribe(Topic topic, std::string_view name, const std::shared_ptr<Client>& client);
  /// False when the client did not listen to it.
  bool Unsubscribe(Topic topic, std::string_view name, Client& client);
  /// Ends all subscriptions of a client that is gone or sent RESET, without telling it.
  void RemoveClient(Client& client);

  /// These return the number of deliveries, as PUBLISH does: a client counts for its channel, and
  /// again for each pattern that matches.
  int64_t Publish(std::string_view channel, std::string_view message, Pusher push = PushAtOnce);
  int64_t PublishToShard(std::string_view channel, std::string_view message,
                         Pusher push = PushAtOnce);

  /// The names that clients listen to; with a pattern, only those that match.
  std::vector<std::string> Names(Topic topic, std::optional<std::string_view> pattern) const;
  size_t NameCount(Topic topic) const;
  size_t SubscriberCount(Topic topic, std::string_view name) const;

 private:
  struct Subscriber {
    std::weak_ptr<Client> client;
    std::shared_ptr<Subscription> subscription;
  };
  /// By the client's id.
  using Subscribers = absl::flat_hash_map<uint64_t, Subscriber>;
  struct Delivery;
  class Message;

  StringMap<Subscribers>& Of(Topic topic) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  const StringMap<Subscribers>& Of(Topic topic) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Erase(Topic topic, std::string_view name, uint64_t id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void Collect(Subscribers& subscribers, Message message, std::vector<Delivery>* deliveries);
  static int64_t Deliver(std::vector<Delivery> deliveries, Pusher push);

  mutable Mutex mutex_;
  StringMap<Subscribers> channels_ ABSL_GUARDED_BY(mutex_);
  StringMap<Subscribers> patterns_ ABSL_GUARDED_BY(mutex_);
  StringMap<Subscribers> shard_channels_ ABSL_GUARDED_BY(mutex_);
};

/// The names that a client itself listens to.
const StringSet& SubscriptionsOf(const Client& client, Topic topic);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PUBSUB_PUBSUB_H_
