#include "storage/sessions/session_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace cloakroom {
namespace {

class SessionQueueTest : public testing::Test {
 protected:
  ~SessionQueueTest() override {
    while (!queue_.empty()) queue_.Remove(*queue_.head());
  }
  std::string Order() const {
    std::string order;
    queue_.ForEach([&order](const SessionWaiter& waiter) { order += waiter.client().owner; });
    return order;
  }

  SessionQueue queue_;
  SessionWaiter a_{{1, "a", ""}, 10};
  SessionWaiter b_{{2, "b", ""}, 10};
  SessionWaiter c_{{3, "c", ""}, 10};
};

TEST_F(SessionQueueTest, KeepsTheOrderOfArrival) {
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(queue_.head(), nullptr);
  for (SessionWaiter* waiter : {&a_, &b_, &c_}) queue_.PushBack(*waiter);
  EXPECT_EQ(Order(), "abc");
  EXPECT_EQ(queue_.size(), 3u);
  EXPECT_EQ(queue_.head(), &a_);
}

TEST_F(SessionQueueTest, WhoLeavesLeavesTheOthersInOrder) {
  for (SessionWaiter* waiter : {&a_, &b_, &c_}) queue_.PushBack(*waiter);
  queue_.Remove(b_);
  EXPECT_EQ(Order(), "ac");
  queue_.Remove(c_);
  EXPECT_EQ(Order(), "a");
  queue_.PushBack(b_);
  EXPECT_EQ(Order(), "ab");
  queue_.Remove(a_);
  EXPECT_EQ(Order(), "b");
  EXPECT_EQ(queue_.head(), &b_);
  queue_.Remove(b_);
  EXPECT_TRUE(queue_.empty());
}

TEST_F(SessionQueueTest, WhoComesBackIsTheHeadAgain) {
  queue_.PushFront(a_);
  queue_.PushBack(b_);
  queue_.PushFront(c_);
  EXPECT_EQ(Order(), "cab");
  queue_.Remove(b_);
  queue_.PushBack(b_);
  EXPECT_EQ(Order(), "cab");
}

TEST_F(SessionQueueTest, CountsWhoIsAhead) {
  for (SessionWaiter* waiter : {&a_, &b_, &c_}) queue_.PushBack(*waiter);
  EXPECT_EQ(queue_.Ahead(a_), 0u);
  EXPECT_EQ(queue_.Ahead(c_), 2u);
  queue_.Remove(a_);
  EXPECT_EQ(queue_.Ahead(c_), 1u);
}

TEST_F(SessionQueueTest, AWaiterKnowsWhetherItIsQueued) {
  EXPECT_FALSE(a_.placed());
  queue_.PushBack(a_);
  EXPECT_TRUE(a_.queued());
  EXPECT_TRUE(a_.placed());
  EXPECT_FALSE(a_.granted());
  queue_.Remove(a_);
  EXPECT_FALSE(a_.placed());
}

}  // namespace
}  // namespace cloakroom
