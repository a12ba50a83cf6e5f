#include "server/pubsub/pubsub.h"

#include <array>
#include <initializer_list>
#include <utility>

#include "protocol/glob.h"
#include "protocol/text.h"

namespace cloakroom {
namespace {

StringSet& NamesOf(Client& client, Topic topic) {
  if (topic == Topic::kChannel) return client.channels;
  return topic == Topic::kPattern ? client.patterns : client.shard_channels;
}

void NoteCounts(Client& client) {
  client.subscription_count = static_cast<int>(client.channels.size());
  client.pattern_count = static_cast<int>(client.patterns.size());
  client.shard_subscription_count = static_cast<int>(client.shard_channels.size());
}

/// A push in RESP3, an array in RESP2.
SharedBytes Encode(int resp, std::initializer_list<std::string_view> words) {
  std::string text = Concat({resp == 2 ? "*" : ">", std::to_string(words.size()), "\r\n"});
  for (std::string_view word : words) {
    text += Concat({"$", std::to_string(word.size()), "\r\n", word, "\r\n"});
  }
  auto owner = std::make_shared<const std::string>(std::move(text));
  std::string_view bytes = *owner;
  return {std::move(owner), bytes};
}

}  // namespace

const StringSet& SubscriptionsOf(const Client& client, Topic topic) {
  return NamesOf(const_cast<Client&>(client), topic);
}

/// A message of one topic, encoded on first use.
class PubSub::Message {
 public:
  Message(std::string_view kind, std::string_view channel, std::string_view text)
      : kind_(kind), channel_(channel), text_(text) {}
  Message(std::string_view kind, std::string_view pattern, std::string_view channel,
          std::string_view text)
      : kind_(kind), pattern_(pattern), channel_(channel), text_(text) {}

  SharedBytes In(int resp) {
    SharedBytes& bytes = encoded_[resp == 2 ? 0 : 1];
    if (bytes.owner == nullptr) {
      bytes = pattern_ ? Encode(resp, {kind_, *pattern_, channel_, text_})
                       : Encode(resp, {kind_, channel_, text_});
    }
    return bytes;
  }

 private:
  std::string_view kind_;
  std::optional<std::string_view> pattern_;
  std::string_view channel_;
  std::string_view text_;
  std::array<SharedBytes, 2> encoded_;
};

struct PubSub::Delivery {
  std::shared_ptr<ClientLink> link;
  Pushed message;
};

StringMap<PubSub::Subscribers>& PubSub::Of(Topic topic) {
  if (topic == Topic::kChannel) return channels_;
  return topic == Topic::kPattern ? patterns_ : shard_channels_;
}

const StringMap<PubSub::Subscribers>& PubSub::Of(Topic topic) const {
  if (topic == Topic::kChannel) return channels_;
  return topic == Topic::kPattern ? patterns_ : shard_channels_;
}

bool PubSub::Subscribe(Topic topic, std::string_view name, const std::shared_ptr<Client>& client) {
  if (!NamesOf(*client, topic).emplace(name).second) return false;
  NoteCounts(*client);
  MutexLock lock(mutex_);
  Of(topic)[name][client->id] = {client, std::make_shared<Subscription>()};
  return true;
}

bool PubSub::Unsubscribe(Topic topic, std::string_view name, Client& client) {
  StringSet& names = NamesOf(client, topic);
  auto found = names.find(name);
  if (found == names.end()) return false;
  {
    // Before the name is erased: the caller's `name` may be a view of it.
    MutexLock lock(mutex_);
    Erase(topic, name, client.id);
  }
  names.erase(found);
  NoteCounts(client);
  return true;
}

void PubSub::RemoveClient(Client& client) {
  if (!client.subscribed()) return;
  {
    MutexLock lock(mutex_);
    for (Topic topic : {Topic::kChannel, Topic::kPattern, Topic::kShardChannel}) {
      for (const std::string& name : NamesOf(client, topic)) Erase(topic, name, client.id);
    }
  }
  client.channels.clear();
  client.patterns.clear();
  client.shard_channels.clear();
  NoteCounts(client);
}

void PubSub::Erase(Topic topic, std::string_view name, uint64_t id) {
  StringMap<Subscribers>& names = Of(topic);
  auto found = names.find(name);
  if (found == names.end()) return;
  auto subscriber = found->second.find(id);
  if (subscriber == found->second.end()) return;
  subscriber->second.subscription->active = false;
  found->second.erase(subscriber);
  if (found->second.empty()) names.erase(found);
}

void PubSub::Collect(Subscribers& subscribers, Message message, std::vector<Delivery>* deliveries) {
  for (auto at = subscribers.begin(); at != subscribers.end();) {
    auto here = at++;
    std::shared_ptr<Client> client = here->second.client.lock();
    std::shared_ptr<ClientLink> link = client ? client->link.lock() : nullptr;
    if (link == nullptr || client->killed) {
      subscribers.erase(here);
      continue;
    }
    deliveries->push_back(
        {std::move(link), {message.In(client->resp), here->second.subscription, nullptr}});
  }
}

int64_t PubSub::Deliver(std::vector<Delivery> deliveries, Pusher push) {
  for (Delivery& delivery : deliveries) push(delivery.link, std::move(delivery.message));
  return static_cast<int64_t>(deliveries.size());
}

int64_t PubSub::Publish(std::string_view channel, std::string_view message, Pusher push) {
  // Delivers without the lock: it may write to a socket, and find it closed.
  std::vector<Delivery> deliveries;
  {
    MutexLock lock(mutex_);
    if (auto found = channels_.find(channel); found != channels_.end()) {
      Collect(found->second, Message("message", channel, message), &deliveries);
      if (found->second.empty()) channels_.erase(found);
    }
    for (auto at = patterns_.begin(); at != patterns_.end();) {
      auto here = at++;
      if (!GlobMatch(here->first, channel)) continue;
      Collect(here->second, Message("pmessage", here->first, channel, message), &deliveries);
      if (here->second.empty()) patterns_.erase(here);
    }
  }
  return Deliver(std::move(deliveries), push);
}

int64_t PubSub::PublishToShard(std::string_view channel, std::string_view message, Pusher push) {
  std::vector<Delivery> deliveries;
  {
    MutexLock lock(mutex_);
    auto found = shard_channels_.find(channel);
    if (found == shard_channels_.end()) return 0;
    Collect(found->second, Message("smessage", channel, message), &deliveries);
    if (found->second.empty()) shard_channels_.erase(found);
  }
  return Deliver(std::move(deliveries), push);
}

std::vector<std::string> PubSub::Names(Topic topic, std::optional<std::string_view> pattern) const {
  MutexLock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, subscribers] : Of(topic)) {
    if (!pattern || GlobMatch(*pattern, name)) names.push_back(name);
  }
  return names;
}

size_t PubSub::NameCount(Topic topic) const {
  MutexLock lock(mutex_);
  return Of(topic).size();
}

size_t PubSub::SubscriberCount(Topic topic, std::string_view name) const {
  MutexLock lock(mutex_);
  const StringMap<Subscribers>& names = Of(topic);
  auto found = names.find(name);
  return found == names.end() ? 0 : found->second.size();
}

}  // namespace cloakroom
