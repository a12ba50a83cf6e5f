#include "server/pubsub/pubsub.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace cloakroom {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// Keeps messages until Arrive, as a thread's queue does.
class QueueingLink final : public ClientLink {
 public:
  void Push(Pushed pushed) override {
    MutexLock lock(mutex_);
    queue_.push_back(std::move(pushed));
  }
  void Kill() override {}

  void Arrive() {
    MutexLock lock(mutex_);
    for (Pushed& pushed : queue_) {
      if (pushed.wanted()) arrived.push_back(std::move(pushed.bytes));
    }
    queue_.clear();
  }
  std::string text() {
    Arrive();
    std::string all;
    for (const SharedBytes& bytes : arrived) all.append(bytes.bytes);
    arrived.clear();
    return all;
  }

  std::vector<SharedBytes> arrived;

 private:
  Mutex mutex_;
  std::vector<Pushed> queue_;
};

struct Listener {
  explicit Listener(uint64_t id, int resp = 2) : client(std::make_shared<Client>(id, 0)) {
    client->link = link;
    client->resp = resp;
  }
  std::shared_ptr<QueueingLink> link = std::make_shared<QueueingLink>();
  std::shared_ptr<Client> client;
};

constexpr char kMessage[] = "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n";

TEST(PubSubTest, AMessageReachesThoseWhoListenAndNobodyElse) {
  PubSub pubsub;
  Listener a(1), b(2), c(3);
  EXPECT_TRUE(pubsub.Subscribe(Topic::kChannel, "c", a.client));
  EXPECT_TRUE(pubsub.Subscribe(Topic::kChannel, "c", b.client));
  EXPECT_TRUE(pubsub.Subscribe(Topic::kChannel, "d", c.client));
  EXPECT_EQ(pubsub.Publish("c", "hi"), 2);
  EXPECT_EQ(a.link->text(), kMessage);
  EXPECT_EQ(b.link->text(), kMessage);
  EXPECT_EQ(c.link->text(), "");
  EXPECT_EQ(pubsub.Publish("nobody", "hi"), 0);
}

TEST(PubSubTest, ReceiversOfOneProtocolShareTheBytes) {
  PubSub pubsub;
  Listener a(1), b(2), c(3, 3);
  for (Listener* listener : {&a, &b, &c}) {
    pubsub.Subscribe(Topic::kChannel, "c", listener->client);
  }
  pubsub.Publish("c", "hi");
  for (Listener* listener : {&a, &b, &c}) listener->link->Arrive();
  EXPECT_EQ(a.link->arrived[0].bytes.data(), b.link->arrived[0].bytes.data());
  EXPECT_EQ(c.link->text(), ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n");
}

TEST(PubSubTest, APatternIsNamedInItsMessage) {
  PubSub pubsub;
  Listener a(1);
  pubsub.Subscribe(Topic::kPattern, "c*", a.client);
  pubsub.Subscribe(Topic::kPattern, "x*", a.client);
  EXPECT_EQ(pubsub.Publish("cat", "hi"), 1);
  EXPECT_EQ(a.link->text(), "*4\r\n$8\r\npmessage\r\n$2\r\nc*\r\n$3\r\ncat\r\n$2\r\nhi\r\n");
}

TEST(PubSubTest, AClientGetsAMessageOnceForEachWayItListens) {
  PubSub pubsub;
  Listener a(1);
  pubsub.Subscribe(Topic::kChannel, "c", a.client);
  pubsub.Subscribe(Topic::kPattern, "c", a.client);
  pubsub.Subscribe(Topic::kPattern, "?", a.client);
  EXPECT_EQ(pubsub.Publish("c", "hi"), 3);
}

TEST(PubSubTest, ShardChannelsAreANameSpaceOfTheirOwn) {
  PubSub pubsub;
  Listener a(1);
  pubsub.Subscribe(Topic::kShardChannel, "c", a.client);
  EXPECT_EQ(pubsub.Publish("c", "hi"), 0);
  EXPECT_EQ(pubsub.PublishToShard("c", "hi"), 1);
  EXPECT_EQ(a.link->text(), "*3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n");
}

TEST(PubSubTest, ASecondSubscriptionToTheSameChannelIsNone) {
  PubSub pubsub;
  Listener a(1);
  EXPECT_TRUE(pubsub.Subscribe(Topic::kChannel, "c", a.client));
  EXPECT_FALSE(pubsub.Subscribe(Topic::kChannel, "c", a.client));
  EXPECT_EQ(pubsub.Publish("c", "hi"), 1);
  EXPECT_EQ(a.client->subscription_count, 1);
}

TEST(PubSubTest, TheClientKnowsItsSubscriptionsAndTheirCounts) {
  PubSub pubsub;
  Listener a(1);
  pubsub.Subscribe(Topic::kChannel, "c", a.client);
  pubsub.Subscribe(Topic::kPattern, "p1", a.client);
  pubsub.Subscribe(Topic::kPattern, "p2", a.client);
  pubsub.Subscribe(Topic::kShardChannel, "s", a.client);
  EXPECT_EQ(a.client->subscription_count, 1);
  EXPECT_EQ(a.client->pattern_count, 2);
  EXPECT_EQ(a.client->shard_subscription_count, 1);
  EXPECT_THAT(SubscriptionsOf(*a.client, Topic::kPattern), UnorderedElementsAre("p1", "p2"));
  EXPECT_TRUE(pubsub.Unsubscribe(Topic::kPattern, "p1", *a.client));
  EXPECT_FALSE(pubsub.Unsubscribe(Topic::kPattern, "p1", *a.client));
  EXPECT_EQ(a.client->pattern_count, 1);
}

TEST(PubSubTest, AMessageUnderWayIsDroppedWhenItsReaderUnsubscribes) {
  PubSub pubsub;
  Listener a(1);
  pubsub.Subscribe(Topic::kChannel, "c", a.client);
  pubsub.Publish("c", "hi");
  pubsub.Unsubscribe(Topic::kChannel, "c", *a.client);
  EXPECT_EQ(a.link->text(), "");
}

TEST(PubSubTest, UnsubscribingTakesTheNameByReference) {
  PubSub pubsub;
  Listener a(1);
  pubsub.Subscribe(Topic::kChannel, "a name that is too long for the string itself", a.client);
  std::string_view name = *a.client->channels.begin();
  EXPECT_TRUE(pubsub.Unsubscribe(Topic::kChannel, name, *a.client));
  EXPECT_EQ(pubsub.NameCount(Topic::kChannel), 0u);
}

TEST(PubSubTest, ARemovedClientLeavesNothingBehind) {
  PubSub pubsub;
  Listener a(1);
  pubsub.Subscribe(Topic::kChannel, "c", a.client);
  pubsub.Subscribe(Topic::kPattern, "c*", a.client);
  pubsub.Subscribe(Topic::kShardChannel, "s", a.client);
  pubsub.Publish("c", "late");
  pubsub.RemoveClient(*a.client);
  EXPECT_FALSE(a.client->subscribed());
  EXPECT_EQ(a.client->subscription_count, 0);
  EXPECT_EQ(pubsub.Publish("c", "hi"), 0);
  EXPECT_EQ(a.link->text(), "");
  for (Topic topic : {Topic::kChannel, Topic::kPattern, Topic::kShardChannel}) {
    EXPECT_EQ(pubsub.NameCount(topic), 0u);
  }
}

TEST(PubSubTest, WhoIsGoneOrKilledIsForgottenByTheNextMessage) {
  PubSub pubsub;
  auto gone = std::make_unique<Listener>(1);
  auto unlinked = std::make_unique<Listener>(2);
  Listener killed(3), alive(4);
  for (Listener* listener : {gone.get(), unlinked.get(), &killed}) {
    pubsub.Subscribe(Topic::kChannel, "c", listener->client);
    pubsub.Subscribe(Topic::kPattern, "*", listener->client);
  }
  pubsub.Subscribe(Topic::kChannel, "c", alive.client);
  gone.reset();
  unlinked->link.reset();
  killed.client->killed = true;
  EXPECT_EQ(pubsub.Publish("c", "hi"), 1);
  EXPECT_EQ(pubsub.SubscriberCount(Topic::kChannel, "c"), 1u);
  EXPECT_EQ(pubsub.NameCount(Topic::kPattern), 0u);
  EXPECT_EQ(killed.link->text(), "");
}

TEST(PubSubTest, NamesAreThoseThatMatch) {
  PubSub pubsub;
  Listener a(1), b(2);
  pubsub.Subscribe(Topic::kChannel, "one", a.client);
  pubsub.Subscribe(Topic::kChannel, "two", a.client);
  pubsub.Subscribe(Topic::kChannel, "two", b.client);
  EXPECT_THAT(pubsub.Names(Topic::kChannel, std::nullopt), UnorderedElementsAre("one", "two"));
  EXPECT_THAT(pubsub.Names(Topic::kChannel, "t*"), ElementsAre("two"));
  EXPECT_THAT(pubsub.Names(Topic::kShardChannel, std::nullopt), IsEmpty());
  EXPECT_EQ(pubsub.SubscriberCount(Topic::kChannel, "two"), 2u);
  EXPECT_EQ(pubsub.SubscriberCount(Topic::kChannel, "three"), 0u);
}

TEST(PubSubTest, PublishersAndSubscribersOnManyThreads) {
  PubSub pubsub;
  std::vector<std::thread> threads;
  for (uint64_t id = 1; id <= 3; ++id) {
    threads.emplace_back([&pubsub, id] {
      Listener listener(id);
      for (int i = 0; i < 300; ++i) {
        pubsub.Subscribe(Topic::kChannel, "c", listener.client);
        pubsub.Subscribe(Topic::kPattern, "?", listener.client);
        pubsub.Publish("c", "hi");
        // Its own message is there, whatever other threads published.
        EXPECT_NE(listener.link->text().find("message"), std::string::npos);
        pubsub.Unsubscribe(Topic::kChannel, "c", *listener.client);
        pubsub.RemoveClient(*listener.client);
        EXPECT_EQ(listener.link->text(), "");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(pubsub.NameCount(Topic::kChannel), 0u);
  EXPECT_EQ(pubsub.NameCount(Topic::kPattern), 0u);
}

}  // namespace
}  // namespace cloakroom
