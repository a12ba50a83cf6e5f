#include "server/net/push_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "storage/base/memory_meter.h"

namespace cloakroom {
namespace {

class PushQueueTest : public testing::Test {
 protected:
  static Pushed Text(std::string text, std::shared_ptr<const PushOffset> offset = nullptr) {
    auto owner = std::make_shared<const std::string>(std::move(text));
    return {{owner, *owner}, nullptr, std::move(offset)};
  }
  std::string TakeAll() {
    std::string all;
    for (const Pushed& pushed : queue_.Take()) all += pushed.bytes.bytes;
    return all;
  }

  Relaxed<int64_t> bytes_;
  PushQueue queue_{bytes_};
};

TEST_F(PushQueueTest, TheFirstOfManyAsksForTheLoop) {
  EXPECT_TRUE(queue_.empty());
  EXPECT_TRUE(queue_.Add(Text("a")));
  EXPECT_FALSE(queue_.Add(Text("b")));
  EXPECT_FALSE(queue_.empty());
  EXPECT_EQ(TakeAll(), "ab");
  EXPECT_TRUE(queue_.empty());
  EXPECT_TRUE(queue_.Add(Text("c")));
}

TEST_F(PushQueueTest, CountsWhatWaits) {
  queue_.Add(Text(std::string(1000, 'x')));
  EXPECT_GE(bytes_, 1000);
  TakeAll();
  EXPECT_EQ(bytes_, 0);
}

TEST_F(PushQueueTest, WhatHasNoKnownTicketStaysWithAllBehindIt) {
  auto offset = std::make_shared<PushOffset>();
  queue_.Add(Text("a"));
  queue_.Add(Text("b", offset));
  queue_.Add(Text("c"));
  EXPECT_EQ(TakeAll(), "a");
  EXPECT_TRUE(queue_.Add(Text("d"))) << "it was taken in between";
  EXPECT_EQ(TakeAll(), "");
  EXPECT_GT(bytes_, 0);
  offset->durable_from = 7;
  EXPECT_TRUE(queue_.Remind());
  EXPECT_FALSE(queue_.Remind()) << "one who takes is enough";
  EXPECT_EQ(TakeAll(), "bcd");
  EXPECT_EQ(bytes_, 0);
  EXPECT_FALSE(queue_.Remind());
}

TEST_F(PushQueueTest, OnceClosedItKeepsNothing) {
  auto offset = std::make_shared<PushOffset>();
  queue_.Add(Text("a", offset));
  TakeAll();
  queue_.Add(Text("b"));
  EXPECT_TRUE(queue_.Close());
  EXPECT_FALSE(queue_.Close());
  EXPECT_EQ(bytes_, 0);
  EXPECT_FALSE(queue_.Add(Text("c")));
  offset->durable_from = 1;
  TakeAll();
  EXPECT_EQ(bytes_, 0);
  EXPECT_TRUE(queue_.empty());
}

TEST_F(PushQueueTest, NothingIsLostBetweenThreads) {
  constexpr int kEach = 10'000;
  MemoryMeter::RegisterThread();
  std::atomic<int> asked = 0;
  auto add = [&] {
    MemoryMeter::RegisterThread();
    for (int i = 0; i < kEach; ++i) asked += queue_.Add(Text("x")) ? 1 : 0;
  };
  std::thread one(add);
  std::thread other(add);
  size_t taken = 0;
  while (taken < 2 * kEach) {
    // Takes only when Add asked for it; if Add failed to ask, this would never end.
    if (asked.exchange(0) > 0) taken += TakeAll().size();
  }
  one.join();
  other.join();
  EXPECT_EQ(bytes_, 0);
}

}  // namespace
}  // namespace cloakroom
