#include "server/metrics/latency_monitor.h"

#include "gtest/gtest.h"

namespace cloakroom {
namespace {

TEST(LatencyMonitorTest, OfOneSecondTheLongestIsKept) {
  LatencyMonitor monitor;
  monitor.Add("command", 1, 5);
  monitor.Add("command", 1, 9);
  monitor.Add("command", 1, 7);
  auto event = monitor.Find("command");
  ASSERT_EQ(event.samples.size(), 1u);
  EXPECT_EQ(event.samples[0].duration_ms, 9);
  EXPECT_EQ(event.longest_ms, 9);
}

TEST(LatencyMonitorTest, TheLongestEverOutlivesItsSample) {
  LatencyMonitor monitor;
  monitor.Add("command", 0, 1000);
  for (int64_t i = 1; i <= static_cast<int64_t>(LatencyMonitor::kSamples); ++i) {
    monitor.Add("command", i, 1);
  }
  auto event = monitor.Find("command");
  EXPECT_EQ(event.samples.size(), LatencyMonitor::kSamples);
  EXPECT_EQ(event.samples[0].unix_seconds, 1);
  EXPECT_EQ(event.longest_ms, 1000);
}

TEST(LatencyMonitorTest, EventsAreSortedAndResetOneByOne) {
  LatencyMonitor monitor;
  monitor.Add("fast-command", 1, 5);
  monitor.Add("command", 1, 5);
  ASSERT_EQ(monitor.Events().size(), 2u);
  EXPECT_EQ(monitor.Events()[0].name, "command");
  EXPECT_TRUE(monitor.Reset("command"));
  EXPECT_FALSE(monitor.Reset("command"));
  EXPECT_EQ(monitor.Events().size(), 1u);
  EXPECT_TRUE(monitor.Find("command").samples.empty());
}

}  // namespace
}  // namespace cloakroom
