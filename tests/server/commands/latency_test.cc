#include "server/metrics/latency_monitor.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

class LatencyTest : public ServerTest {
 protected:
  void Delay(int64_t second, int64_t ms) { server_.latency().Add("command", second, ms); }
};

TEST_F(LatencyTest, HistoryListsSamplesOldestFirst) {
  Delay(100, 7);
  Delay(101, 5);
  EXPECT_EQ(Run("LATENCY HISTORY command"), "*2\r\n*2\r\n:100\r\n:7\r\n*2\r\n:101\r\n:5\r\n");
  EXPECT_EQ(Run("LATENCY HISTORY nosuch"), "*0\r\n");
}

TEST_F(LatencyTest, LatestTellsTheLastAndTheLongest) {
  Delay(100, 7);
  Delay(101, 5);
  EXPECT_EQ(Run("LATENCY LATEST"), "*1\r\n*4\r\n$7\r\ncommand\r\n:101\r\n:5\r\n:7\r\n");
}

TEST_F(LatencyTest, ResetForgetsWhatIsNamedOrAll) {
  Delay(100, 7);
  EXPECT_EQ(Run("LATENCY RESET nosuch"), ":0\r\n");
  EXPECT_EQ(Run("LATENCY RESET"), ":1\r\n");
  EXPECT_EQ(Run("LATENCY LATEST"), "*0\r\n");
}

TEST_F(LatencyTest, GraphNeedsSamples) {
  EXPECT_EQ(Run("LATENCY GRAPH command"), "-ERR No samples available for event 'command'\r\n");
  Delay(100, 7);
  EXPECT_NE(Run("LATENCY GRAPH command").find("longest ever 7 ms"), std::string::npos);
}

TEST_F(LatencyTest, DoctorSaysWhenNobodyWatches) {
  EXPECT_NE(Run("LATENCY DOCTOR").find("latency-monitor-threshold is 0"), std::string::npos);
  Run("CONFIG SET latency-monitor-threshold 5");
  EXPECT_NE(Run("LATENCY DOCTOR").find("All is well"), std::string::npos);
  Delay(100, 7);
  EXPECT_NE(Run("LATENCY DOCTOR").find("command: 1 delays, 7 ms"), std::string::npos);
}

TEST_F(LatencyTest, HistogramCumulatesTheCallsOfACommand) {
  Run("PING");
  Run("PING");
  EXPECT_EQ(Run("LATENCY HISTOGRAM ping nosuch"),
            "*2\r\n$4\r\nping\r\n*4\r\n$5\r\ncalls\r\n:2\r\n$14\r\nhistogram_usec\r\n*2\r\n:2\r\n"
            ":2\r\n");
  EXPECT_EQ(Run("LATENCY HISTOGRAM get"), "*0\r\n");
  EXPECT_NE(Run("LATENCY HISTOGRAM latency").find("latency|histogram"), std::string::npos);
}

}  // namespace
}  // namespace cloakroom
