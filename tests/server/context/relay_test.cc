#include "server/context/relay.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
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
  EXPECT_EQ(chunks, (std::vector<size_t>{32, 32, 32, 32, 22}));
  for (int i = 0; i < 150; ++i) EXPECT_EQ(all[static_cast<size_t>(i)], i);
  EXPECT_EQ(relay.size(), 0u);
}

TEST(RelayTest, WhatAThreadHasAddedIsHandedOnWhenItReturns) {
  Relay<int> relay;
  relay.Add(1);
  std::atomic<int> handed_on = 0;
  std::thread other;
  relay.HandOn([&](Items& items) {
    handed_on += static_cast<int>(items.size());
    if (other.joinable()) return;
    other = std::thread([&] {
      relay.Add(2);
      relay.HandOn([&](Items& more) { handed_on += static_cast<int>(more.size()); });
      EXPECT_EQ(handed_on, 2);
    });
    while (relay.size() == 0) std::this_thread::yield();
  });
  other.join();
  EXPECT_EQ(handed_on, 2);
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
        EXPECT_LT(relay.size(), kThreads + 0u);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : next) EXPECT_EQ(count, kEach);
}

}  // namespace
}  // namespace cloakroom
