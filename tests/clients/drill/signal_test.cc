#include "clients/drill/signal.h"

#include <gtest/gtest.h>

#include <thread>

namespace cloakroom::drill {
namespace {

TEST(SignalTest, WakesWhoWaits) {
  Signal signal;
  std::thread waiter([&] { EXPECT_TRUE(signal.WaitFor(std::chrono::hours(1))); });
  signal.Raise();
  waiter.join();
  EXPECT_TRUE(signal.raised());
}

TEST(SignalTest, AWaitEndsWithItsTime) {
  const Signal signal;
  EXPECT_FALSE(signal.WaitFor(std::chrono::milliseconds(1)));
  EXPECT_FALSE(signal.WaitUntil(std::chrono::steady_clock::now() - std::chrono::hours(1)));
}

}  // namespace
}  // namespace cloakroom::drill
