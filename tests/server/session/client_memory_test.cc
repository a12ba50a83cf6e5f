#include "server/session/client_memory.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace cloakroom {
namespace {

class ClientMemoryTest : public ::testing::Test {
 protected:
  std::shared_ptr<Client> Add(int64_t bytes) {
    auto client = std::make_shared<Client>(registry_.NextId(), 0);
    client->query_capacity = bytes;
    registry_.Add(client);
    memory_.Note(*client);
    return client;
  }

  ClientRegistry registry_;
  ClientMemory memory_{registry_};
};

TEST_F(ClientMemoryTest, NothingCountsWithoutALimit) {
  Add(1'000'000);
  EXPECT_FALSE(memory_.over());
  EXPECT_TRUE(memory_.TakeLargest().empty());
}

TEST_F(ClientMemoryTest, TakesTheLargestUntilTheRestIsWithinTheLimit) {
  memory_.set_limit(500'000);
  const auto small = Add(100'000);
  const auto largest = Add(400'000);
  EXPECT_TRUE(memory_.over());
  const auto large = Add(300'000);
  const std::vector<std::shared_ptr<Client>> taken = memory_.TakeLargest();
  EXPECT_EQ(taken, std::vector{largest});
  EXPECT_TRUE(largest->killed);
  EXPECT_FALSE(large->killed);
  EXPECT_FALSE(memory_.over());
  EXPECT_EQ(memory_.evicted(), 1);
}

TEST_F(ClientMemoryTest, WhoWasTakenCountsNoMore) {
  memory_.set_limit(500'000);
  const auto client = Add(1'000'000);
  EXPECT_EQ(memory_.TakeLargest().size(), 1u);
  memory_.Note(*client);
  EXPECT_FALSE(memory_.over());
  EXPECT_TRUE(memory_.TakeLargest().empty());
}

TEST_F(ClientMemoryTest, WhoIsExemptDoesNotCount) {
  memory_.set_limit(500'000);
  Add(1'000'000)->no_evict = true;
  const auto client = registry_.Find(1);
  memory_.Note(*client);
  EXPECT_FALSE(memory_.over());
  client->no_evict = false;
  memory_.Note(*client);
  EXPECT_TRUE(memory_.over());
  client->replica = true;
  EXPECT_TRUE(memory_.TakeLargest().empty());
  EXPECT_FALSE(memory_.over());
}

TEST_F(ClientMemoryTest, WhoLeftCountsNoMore) {
  memory_.set_limit(500'000);
  const auto client = Add(1'000'000);
  registry_.Remove(client->id);
  memory_.Forget(*client);
  EXPECT_FALSE(memory_.over());
}

TEST_F(ClientMemoryTest, AClientThatHasChangedCountsAsItIsNow) {
  memory_.set_limit(500'000);
  const auto client = Add(1'000'000);
  client->query_capacity = 0;
  client->output_bytes = 300'000;
  memory_.Note(*client);
  EXPECT_FALSE(memory_.over());
  EXPECT_EQ(TotalMemoryOf(*client), MemoryOf(*client) + 300'000);
}

TEST_F(ClientMemoryTest, TwoThreadsTakeNoClientTwice) {
  memory_.set_limit(1);
  for (int i = 0; i < 500; ++i) Add(1000);
  std::vector<size_t> taken(2);
  std::vector<std::thread> threads;
  for (size_t& count : taken) {
    threads.emplace_back([this, &count] { count = memory_.TakeLargest().size(); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken[0] + taken[1], 500u);
  EXPECT_EQ(memory_.evicted(), 500);
  EXPECT_FALSE(memory_.over());
}

}  // namespace
}  // namespace cloakroom
