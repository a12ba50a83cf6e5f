#include "server/net/timer_queue.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace cloakroom {
namespace {

using std::chrono::milliseconds;
using Time = TimerQueue::Time;

class TimerQueueTest : public testing::Test {
 protected:
  const Time start_ = Time() + milliseconds(1000);
  TimerQueue queue_;
  std::string called_;
  TimerQueue::Timer a_{queue_, [this] { called_ += "a"; }};
  TimerQueue::Timer b_{queue_, [this] { called_ += "b"; }};
};

TEST_F(TimerQueueTest, CallsThoseThatAreDueInTheOrderOfTheirTimes) {
  a_.Set(start_ + milliseconds(20));
  b_.Set(start_ + milliseconds(10));
  EXPECT_EQ(queue_.next(), start_ + milliseconds(10));
  queue_.Run(start_ + milliseconds(9));
  EXPECT_EQ(called_, "");
  queue_.Run(start_ + milliseconds(20));
  EXPECT_EQ(called_, "ba");
  EXPECT_EQ(queue_.next(), Time::max());
}

TEST_F(TimerQueueTest, OneOfTheSameTimeHidesNoOther) {
  a_.Set(start_);
  b_.Set(start_);
  queue_.Run(start_);
  EXPECT_EQ(called_.size(), 2U);
}

TEST_F(TimerQueueTest, IsCalledOnce) {
  a_.Set(start_);
  queue_.Run(start_);
  queue_.Run(start_);
  EXPECT_EQ(called_, "a");
}

TEST_F(TimerQueueTest, ANewTimeReplacesTheOld) {
  a_.Set(start_);
  a_.Set(start_ + milliseconds(5));
  queue_.Run(start_);
  EXPECT_EQ(called_, "");
  queue_.Run(start_ + milliseconds(5));
  EXPECT_EQ(called_, "a");
}

TEST_F(TimerQueueTest, WhatIsCancelledOrGoneIsNotCalled) {
  a_.Set(start_);
  a_.Cancel();
  a_.Cancel();
  {
    const std::string unused;
    TimerQueue::Timer gone(queue_, [this] { called_ += "gone"; });
    gone.Set(start_);
  }
  queue_.Run(start_);
  EXPECT_EQ(called_, "");
}

TEST_F(TimerQueueTest, WhoIsCalledMaySetItselfAndCancelOthers) {
  std::optional<TimerQueue::Timer> again;
  again.emplace(queue_, [&] {
    called_ += "c";
    b_.Cancel();
    again->Set(start_ + milliseconds(10));
  });
  again->Set(start_);
  b_.Set(start_ + milliseconds(1));
  queue_.Run(start_ + milliseconds(5));
  EXPECT_EQ(called_, "c");
  EXPECT_EQ(queue_.next(), start_ + milliseconds(10));
}

}  // namespace
}  // namespace cloakroom
