#include "server/context/relay.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace cloakroom {
namespace {

using Items = std::vector<int>;

TEST(RelayTest, ItemsAreHandedOnInTheirOrderInChunks) {
  Relay<int> relay;
  for (int i = 0; i < 150; ++i) relay.Add(i);
  Items all;
  std::vector<size_t> chunks;
  relay.HandOn([&](Items& items) {
    chunks.push_back(items.size());
    all.insert(all.end(), items.begin(), items.end());
  });
  EXPECT_EQ(chunks, (std::vector<size_t>{64, 64, 22}));
  for (int i = 0; i < 150; ++i) EXPECT_EQ(all[static_cast<size_t>(i)], i);
  EXPECT_EQ(relay.size(), 0u);
}

TEST(RelayTest, WhatIsAddedMeanwhileIsHandedOnToo) {
  Relay<int> relay;
  relay.Add(1);
  Items all;
  relay.HandOn([&](Items& items) {
    if (items[0] < 3) relay.Add(items[0] + 1);
    all.push_back(items[0]);
  });
  EXPECT_EQ(all, (Items{1, 2, 3}));
}

TEST(RelayTest, AThreadLeavesItsItemsToTheOneThatHandsOn) {
  Relay<int> relay;
  relay.Add(1);
  Items all;
  relay.HandOn([&](Items& items) {
    all.push_back(items[0]);
    if (items[0] != 1) return;
    std::thread([&] {
      relay.Add(2);
      relay.HandOn([](Items&) { FAIL() << "two threads at once"; });
    }).join();
  });
  EXPECT_EQ(all, (Items{1, 2}));
}

TEST(RelayTest, NothingIsLostAndEachThreadsItemsKeepTheirOrder) {
  constexpr int kThreads = 4;
  constexpr int kEach = 20000;
  Relay<int> relay;
  std::array<int, kThreads> next = {};  // The chunks are handed on one after the other.
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kEach; ++i) {
        relay.Add(thread * kEach + i);
        relay.HandOn([&](Items& items) {
          for (const int item : items) {
            EXPECT_EQ(item % kEach, next[static_cast<size_t>(item / kEach)]++);
          }
        });
        EXPECT_LT(relay.size(), Relay<int>::kLong + kThreads + 1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : next) EXPECT_EQ(count, kEach);
}

}  // namespace
}  // namespace cloakroom
