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

class ZsetAlgebraTest : public ServerTest {
 protected:
  void SetUp() override {
    Run("ZADD one 1 a 2 b 3 c");
    Run("ZADD two 10 b 20 c 30 d");
    Run("SADD set c d e");
  }
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

TEST_F(ZsetAlgebraTest, UnionAddsScores) {
  EXPECT_EQ(Run("ZUNION 2 one two WITHSCORES"), Bulks({"a", "1", "b", "12", "c", "23", "d", "30"}));
  EXPECT_EQ(Run("ZUNION 2 one absent"), Bulks({"a", "b", "c"}));
  EXPECT_EQ(Run("ZUNION 1 absent"), "*0\r\n");
}

TEST_F(ZsetAlgebraTest, WeightsAndAggregates) {
  EXPECT_EQ(Run("ZUNION 2 one two WEIGHTS 10 1 AGGREGATE MAX WITHSCORES"),
            Bulks({"a", "10", "b", "20", "c", "30", "d", "30"}));
  EXPECT_EQ(Run("ZINTER 2 one two AGGREGATE MIN WITHSCORES"), Bulks({"b", "2", "c", "3"}));
  Run("ZADD inf inf a");
  Run("ZADD minf -inf a");
  EXPECT_EQ(Run("ZINTER 2 inf minf WITHSCORES"), Bulks({"a", "0"}));
  EXPECT_EQ(Run("ZUNION 1 inf WEIGHTS 0 WITHSCORES"), Bulks({"a", "0"}));
}

TEST_F(ZsetAlgebraTest, SetsCountAsScoreOne) {
  EXPECT_EQ(Run("ZINTER 2 two set WITHSCORES"), Bulks({"c", "21", "d", "31"}));
  EXPECT_EQ(Run("ZUNION 1 set WEIGHTS 3 WITHSCORES"), Bulks({"c", "3", "d", "3", "e", "3"}));
  EXPECT_EQ(Run("ZDIFF 2 one set"), Bulks({"a", "b"}));
}

TEST_F(ZsetAlgebraTest, DifferenceKeepsTheScoresOfTheFirst) {
  EXPECT_EQ(Run("ZDIFF 2 one two WITHSCORES"), Bulks({"a", "1"}));
  EXPECT_EQ(Run("ZDIFF 2 absent one"), "*0\r\n");
  EXPECT_EQ(Run("ZDIFF 1 one WEIGHTS 1"), "-ERR syntax error\r\n");
}

TEST_F(ZsetAlgebraTest, InterCardStopsAtItsLimit) {
  EXPECT_EQ(Run("ZINTERCARD 2 one two"), ":2\r\n");
  EXPECT_EQ(Run("ZINTERCARD 2 one two LIMIT 1"), ":1\r\n");
  EXPECT_EQ(Run("ZINTERCARD 2 one two LIMIT 0"), ":2\r\n");
  EXPECT_EQ(Run("ZINTERCARD 2 one two LIMIT -1"), "-ERR LIMIT can't be negative\r\n");
}

TEST_F(ZsetAlgebraTest, RefusesInTheOrderOfRedis) {
  Run("SET s x");
  EXPECT_EQ(Run("ZUNION x one"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("ZUNION 0 one"), "-ERR at least 1 input key is needed for 'zunion' command\r\n");
  EXPECT_EQ(Run("ZINTERSTORE d 0 one"),
            "-ERR at least 1 input key is needed for 'zinterstore' command\r\n");
  EXPECT_EQ(Run("ZUNION 3 one two"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("ZUNION 1 s FOO"), kWrongTypeReply);
  EXPECT_EQ(Run("ZUNION 1 one FOO"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("ZUNION 2 one two WEIGHTS 1"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("ZUNION 2 one two WEIGHTS 1 x"), "-ERR weight value is not a float\r\n");
  EXPECT_EQ(Run("ZUNIONSTORE d 1 one WITHSCORES"), "-ERR syntax error\r\n");
}

TEST_F(ZsetAlgebraTest, StoresAndTellsIt) {
  events_.Take();
  Run("SET d old");
  EXPECT_EQ(Run("ZUNIONSTORE d 2 one two"), ":4\r\n");
  EXPECT_EQ(Run("ZINTERSTORE one 2 one two"), ":2\r\n");
  EXPECT_EQ(Run("ZDIFFSTORE d 2 one one"), ":0\r\n");
  EXPECT_EQ(Run("ZDIFFSTORE d 2 one one"), ":0\r\n");
  EXPECT_EQ(events_.Take(), "set d; zunionstore d; zinterstore one; del d; ");
  EXPECT_EQ(Run("ZRANGE one 0 -1 WITHSCORES"), Bulks({"b", "12", "c", "23"}));
}

TEST_F(ZsetAlgebraTest, ALargeUnionIsComputedOutsideTheEventLoop) {
  Fill("big", 10'000);
  bool prepared = false;
  after_preparing_ = [&] { prepared = true; };
  EXPECT_EQ(Run("ZUNIONSTORE d 2 big big"), ":10000\r\n");
  EXPECT_TRUE(prepared);
  EXPECT_EQ(Run("ZSCORE d m7"), "$2\r\n14\r\n");
  EXPECT_EQ(Run("ZUNION 2 big one").substr(0, 8), "*10003\r\n");
}

TEST_F(ZsetAlgebraTest, AResultFromSourcesThatHaveChangedIsComputedAgain) {
  Fill("big", 10'000);
  after_preparing_ = [&] {
    Run("ZADD big 100 m0");
    after_preparing_ = nullptr;
  };
  EXPECT_EQ(Run("ZUNIONSTORE d 1 big"), ":10000\r\n");
  EXPECT_EQ(Run("ZSCORE d m0"), "$3\r\n100\r\n");
}

}  // namespace
}  // namespace cloakroom
