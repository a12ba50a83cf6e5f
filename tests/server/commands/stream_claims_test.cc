#include <string>

#include "tests/server/support/key_event_log.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

/// Three entries are pending for a, for 100 ms.
class StreamClaimsTest : public ServerTest {
 protected:
  void SetUp() override {
    for (const char* id : {"1-0", "2-0", "3-0"}) {
      Run(std::vector<std::string>{"XADD", "s", id, "f", "v"});
    }
    Run("XGROUP CREATE s g 0");
    Run("XREADGROUP GROUP g a STREAMS s >");
    Advance(100);
    events_.Take();
  }
  std::string PendingOf(const std::string& id) {
    return Run("XPENDING s g " + id + " " + id + " 1");
  }

  KeyEventLog events_{server_.keyspace()};
};

TEST_F(StreamClaimsTest, AClaimedEntryIsPendingForItsNewConsumer) {
  EXPECT_EQ(Run("XCLAIM s g b 100 1-0"), "*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n");
  EXPECT_EQ(events_.Take(), "xgroup-createconsumer s; ");
  EXPECT_EQ(PendingOf("1-0"), "*1\r\n*4\r\n$3\r\n1-0\r\n$1\r\nb\r\n:0\r\n:2\r\n");
}

TEST_F(StreamClaimsTest, WhatIsNotIdleForLongEnoughStays) {
  EXPECT_EQ(Run("XCLAIM s g b 101 1-0"), "*0\r\n");
  EXPECT_EQ(events_.Take(), "") << "so b is not created either";
  EXPECT_EQ(Run("XAUTOCLAIM s g b 101 0"), "*3\r\n$3\r\n0-0\r\n*0\r\n*0\r\n");
}

TEST_F(StreamClaimsTest, OptionsSetTheTimeAndTheCount) {
  EXPECT_EQ(Run("XCLAIM s g b 0 1-0 IDLE 30 RETRYCOUNT 7 JUSTID"), "*1\r\n$3\r\n1-0\r\n");
  EXPECT_EQ(PendingOf("1-0"), "*1\r\n*4\r\n$3\r\n1-0\r\n$1\r\nb\r\n:30\r\n:7\r\n");
  Run("XCLAIM s g b 0 1-0 JUSTID");
  EXPECT_EQ(PendingOf("1-0"), "*1\r\n*4\r\n$3\r\n1-0\r\n$1\r\nb\r\n:0\r\n:7\r\n");
  Run("XCLAIM s g b 0 1-0 TIME " + std::to_string(now_ms() + 1000));
  EXPECT_EQ(PendingOf("1-0"), "*1\r\n*4\r\n$3\r\n1-0\r\n$1\r\nb\r\n:0\r\n:8\r\n");
}

TEST_F(StreamClaimsTest, ForceMakesAnEntryPending) {
  Run("XACK s g 1-0");
  EXPECT_EQ(Run("XCLAIM s g b 0 1-0"), "*0\r\n");
  EXPECT_EQ(Run("XCLAIM s g b 0 9-0 FORCE JUSTID"), "*0\r\n") << "there is no such entry";
  EXPECT_EQ(Run("XCLAIM s g b 0 1-0 FORCE JUSTID"), "*1\r\n$3\r\n1-0\r\n");
  EXPECT_EQ(PendingOf("1-0"), "*1\r\n*4\r\n$3\r\n1-0\r\n$1\r\nb\r\n:0\r\n:1\r\n");
}

TEST_F(StreamClaimsTest, LastIdOnlyMovesForward) {
  Run("XADD s 4-0 f v");
  Run("XCLAIM s g b 0 1-0 LASTID 4-0");
  EXPECT_EQ(Run("XREADGROUP GROUP g b STREAMS s >"), "*-1\r\n");
  Run("XCLAIM s g b 0 1-0 LASTID 1-0");
  EXPECT_EQ(Run("XREADGROUP GROUP g b STREAMS s >"), "*-1\r\n");
}

TEST_F(StreamClaimsTest, WhatTheStreamHasNoLongerIsForgotten) {
  Run("XDEL s 1-0 2-0");
  EXPECT_EQ(Run("XCLAIM s g b 0 1-0"), "*0\r\n");
  EXPECT_EQ(PendingOf("1-0"), "*0\r\n");
  EXPECT_EQ(Run("XAUTOCLAIM s g b 0 0 JUSTID"),
            "*3\r\n$3\r\n0-0\r\n*1\r\n$3\r\n3-0\r\n*1\r\n$3\r\n2-0\r\n");
}

TEST_F(StreamClaimsTest, XAutoClaimContinuesWhereItStopped) {
  EXPECT_EQ(Run("XAUTOCLAIM s g b 0 - COUNT 2 JUSTID"),
            "*3\r\n$3\r\n3-0\r\n*2\r\n$3\r\n1-0\r\n$3\r\n2-0\r\n*0\r\n");
  EXPECT_EQ(Run("XAUTOCLAIM s g b 0 3-0 COUNT 2 JUSTID"),
            "*3\r\n$3\r\n0-0\r\n*1\r\n$3\r\n3-0\r\n*0\r\n");
}

TEST_F(StreamClaimsTest, ArgumentsAreChecked) {
  EXPECT_EQ(Run("XCLAIM s x b 0 1-0"), "-NOGROUP No such key 's' or consumer group 'x'\r\n");
  EXPECT_EQ(Run("XCLAIM s g b x 1-0"), "-ERR Invalid min-idle-time argument for XCLAIM\r\n");
  EXPECT_EQ(Run("XCLAIM s g b 0 1-0 BAD"), "-ERR Unrecognized XCLAIM option 'BAD'\r\n");
  EXPECT_EQ(Run("XCLAIM s g b 0 1-0 IDLE x"), "-ERR Invalid IDLE option argument for XCLAIM\r\n");
  EXPECT_EQ(Run("XAUTOCLAIM s g b x 0"), "-ERR Invalid min-idle-time argument for XAUTOCLAIM\r\n");
  EXPECT_EQ(Run("XAUTOCLAIM s g b 0 0 COUNT 0"), "-ERR COUNT must be > 0\r\n");
  EXPECT_EQ(Run("XAUTOCLAIM s g b 0 0 COUNT 576460752303423487"),
            "-ERR Insufficient memory, failed allocating transient memory, COUNT too high.\r\n");
  EXPECT_EQ(Run("XAUTOCLAIM s g b 0 0 BAD"), "-ERR syntax error\r\n");
}

}  // namespace
}  // namespace cloakroom
