#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/server/support/key_event_log.h"
#include "tests/server/support/replies.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

constexpr char kWrongTypeReply[] =
    "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

class ZsetRangesTest : public ServerTest {
 protected:
  void SetUp() override {
    Run("ZADD z 1 a 2 b 3 c 4 d");
    Run("ZADD l 0 a 0 b 0 c 0 d");
  }
  /// Adds m0, m1 … with scores 0, 1 …
  void Fill(const std::string& key, int members) {
    std::vector<std::string> args = {"ZADD", key};
    for (int i = 0; i < members; ++i) {
      args.push_back(std::to_string(i));
      args.push_back("m" + std::to_string(i));
    }
    Run(args);
  }

  KeyEventLog events_{server_.keyspace()};
};

TEST_F(ZsetRangesTest, ByRank) {
  EXPECT_EQ(Run("ZRANGE z 0 -1"), Bulks({"a", "b", "c", "d"}));
  EXPECT_EQ(Run("ZRANGE z 1 2 WITHSCORES"), Bulks({"b", "2", "c", "3"}));
  EXPECT_EQ(Run("ZRANGE z -2 100 REV"), Bulks({"b", "a"}));
  EXPECT_EQ(Run("ZREVRANGE z 0 1"), Bulks({"d", "c"}));
  EXPECT_EQ(Run("ZRANGE z 3 1"), "*0\r\n");
  EXPECT_EQ(Run("ZRANGE z 9 12"), "*0\r\n");
  EXPECT_EQ(Run("ZRANGE absent 0 -1"), "*0\r\n");
  EXPECT_EQ(Run("ZRANGE z -9223372036854775808 9223372036854775807"), Bulks({"a", "b", "c", "d"}));
}

TEST_F(ZsetRangesTest, ByScore) {
  EXPECT_EQ(Run("ZRANGEBYSCORE z 2 3"), Bulks({"b", "c"}));
  EXPECT_EQ(Run("ZRANGEBYSCORE z (2 inf WITHSCORES"), Bulks({"c", "3", "d", "4"}));
  EXPECT_EQ(Run("ZREVRANGEBYSCORE z (4 -inf LIMIT 1 1"), Bulks({"b"}));
  EXPECT_EQ(Run("ZRANGE z 3 1 BYSCORE REV"), Bulks({"c", "b", "a"}));
  EXPECT_EQ(Run("ZRANGE z -inf inf BYSCORE LIMIT 1 -5"), Bulks({"b", "c", "d"}));
  EXPECT_EQ(Run("ZRANGEBYSCORE z -inf inf LIMIT -1 5"), "*0\r\n");
  EXPECT_EQ(Run("ZRANGEBYSCORE z -inf inf LIMIT 0 0"), "*0\r\n");
  EXPECT_EQ(Run("ZCOUNT z (1 3"), ":2\r\n");
  EXPECT_EQ(Run("ZCOUNT z 3 1"), ":0\r\n");
}

TEST_F(ZsetRangesTest, ByMember) {
  EXPECT_EQ(Run("ZRANGEBYLEX l - +"), Bulks({"a", "b", "c", "d"}));
  EXPECT_EQ(Run("ZRANGEBYLEX l (a [c"), Bulks({"b", "c"}));
  EXPECT_EQ(Run("ZREVRANGEBYLEX l [c - LIMIT 0 2"), Bulks({"c", "b"}));
  EXPECT_EQ(Run("ZRANGE l [bb + BYLEX"), Bulks({"c", "d"}));
  EXPECT_EQ(Run("ZRANGEBYLEX l + -"), "*0\r\n");
  EXPECT_EQ(Run("ZLEXCOUNT l [b (d"), ":2\r\n");
}

TEST_F(ZsetRangesTest, RefusesBadEndsBeforeItLooksAtTheKey) {
  Run("SET s x");
  EXPECT_EQ(Run("ZRANGE s a 1"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("ZRANGEBYSCORE s x 1"), "-ERR min or max is not a float\r\n");
  EXPECT_EQ(Run("ZCOUNT s 1 nan"), "-ERR min or max is not a float\r\n");
  EXPECT_EQ(Run("ZRANGEBYLEX s a +"), "-ERR min or max not valid string range item\r\n");
  EXPECT_EQ(Run("ZREMRANGEBYLEX s - ++"), "-ERR min or max not valid string range item\r\n");
  for (const char* line : {"ZRANGE s 0 1", "ZRANGEBYSCORE s 0 1", "ZRANGEBYLEX s - +",
                           "ZCOUNT s 0 1", "ZLEXCOUNT s - +", "ZRANGESTORE d s 0 1",
                           "ZREMRANGEBYRANK s 0 1", "ZREMRANGEBYSCORE s 0 1"}) {
    EXPECT_EQ(Run(line), kWrongTypeReply) << line;
  }
}

TEST_F(ZsetRangesTest, RefusesOptionsThatDoNotFit) {
  EXPECT_EQ(Run("ZRANGE z 0 1 LIMIT 0 1"),
            "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or "
            "BYLEX\r\n");
  EXPECT_EQ(Run("ZRANGE z - + BYLEX WITHSCORES"),
            "-ERR syntax error, WITHSCORES not supported in combination with BYLEX\r\n");
  for (const char* line :
       {"ZRANGE z 0 1 REV REV", "ZRANGE z 0 1 BYLEX BYSCORE", "ZREVRANGE z 0 1 REV",
        "ZRANGEBYSCORE z 0 1 BYLEX", "ZRANGESTORE d z 0 1 WITHSCORES", "ZRANGE z 0 1 LIMIT 1"}) {
    EXPECT_EQ(Run(line), "-ERR syntax error\r\n") << line;
  }
}

TEST_F(ZsetRangesTest, AnEmptyEndIsZeroAsInRedis) {
  EXPECT_EQ(Run({"ZCOUNT", "z", "", "inf"}), ":4\r\n");
  EXPECT_EQ(Run({"ZCOUNT", "z", "(", "2"}), ":2\r\n");
}

TEST_F(ZsetRangesTest, StoresARange) {
  events_.Take();
  EXPECT_EQ(Run("ZRANGESTORE d z 1 2"), ":2\r\n");
  EXPECT_EQ(Run("ZRANGE d 0 -1 WITHSCORES"), Bulks({"b", "2", "c", "3"}));
  EXPECT_EQ(Run("ZRANGESTORE z z 1 2 REV"), ":2\r\n");
  EXPECT_EQ(Run("ZRANGE z 0 -1"), Bulks({"b", "c"}));
  EXPECT_EQ(Run("ZRANGESTORE d z 7 8"), ":0\r\n");
  EXPECT_EQ(Run("ZRANGESTORE d absent 7 8"), ":0\r\n");
  EXPECT_EQ(events_.Take(), "zrangestore d; zrangestore z; del d; ");
}

TEST_F(ZsetRangesTest, RemovesARange) {
  events_.Take();
  EXPECT_EQ(Run("ZREMRANGEBYRANK z 0 0"), ":1\r\n");
  EXPECT_EQ(Run("ZREMRANGEBYSCORE z (2 3"), ":1\r\n");
  EXPECT_EQ(Run("ZRANGE z 0 -1"), Bulks({"b", "d"}));
  EXPECT_EQ(Run("ZREMRANGEBYSCORE z 10 20"), ":0\r\n");
  EXPECT_EQ(Run("ZREMRANGEBYRANK z 0 -1"), ":2\r\n");
  EXPECT_EQ(Run("ZREMRANGEBYLEX l - [b"), ":2\r\n");
  EXPECT_EQ(events_.Take(),
            "zremrangebyrank z; zremrangebyscore z; zremrangebyrank z; del z; zremrangebylex l; ");
}

TEST_F(ZsetRangesTest, ALargeRangeIsRepliedFromASharedCopy) {
  Fill("big", 25'000);
  const std::string reply = Run("ZRANGE big 0 -1");
  EXPECT_EQ(reply.substr(0, 15), "*25000\r\n$2\r\nm0\r");
}

TEST_F(ZsetRangesTest, ALargeRangeIsRemovedOutsideTheEventLoop) {
  Fill("big", 25'000);
  Run("PEXPIRE big 100000");
  bool prepared = false;
  after_preparing_ = [&] { prepared = true; };
  events_.Take();
  EXPECT_EQ(Run("ZREMRANGEBYSCORE big 10 24989"), ":24980\r\n");
  EXPECT_TRUE(prepared);
  EXPECT_EQ(events_.Take(), "zremrangebyscore big; ");
  EXPECT_EQ(Run("ZRANGE big 9 10"), Bulks({"m9", "m24990"}));
  EXPECT_EQ(Run("ZSCORE big m500"), "$-1\r\n");
  EXPECT_EQ(Run("PTTL big"), ":100000\r\n");
}

TEST_F(ZsetRangesTest, ALargeRemovalSeesWhatHasChangedMeanwhile) {
  Fill("big", 25'000);
  after_preparing_ = [&] {
    Run("ZADD big 20 new");
    after_preparing_ = nullptr;
  };
  EXPECT_EQ(Run("ZREMRANGEBYSCORE big 10 24989"), ":24981\r\n");
  EXPECT_EQ(Run("ZSCORE big new"), "$-1\r\n");
}

TEST_F(ZsetRangesTest, ALargeRangeIsStoredOutsideTheEventLoop) {
  Fill("big", 25'000);
  bool prepared = false;
  after_preparing_ = [&] { prepared = true; };
  EXPECT_EQ(Run("ZRANGESTORE d big 100 24999"), ":24900\r\n");
  EXPECT_TRUE(prepared);
  EXPECT_EQ(Run("ZRANGE d 0 0"), Bulks({"m100"}));
}

}  // namespace
}  // namespace cloakroom
