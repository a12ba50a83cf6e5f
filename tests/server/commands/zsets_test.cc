#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/server/support/key_event_log.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

constexpr char kWrongTypeReply[] =
    "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

class ZsetsTest : public ServerTest {
 protected:
  void SetUp() override { ASSERT_EQ(Run("ZADD z 1 a 2 b 3 c"), ":3\r\n"); }

  KeyEventLog events_{server_.keyspace()};
};

TEST_F(ZsetsTest, EveryCommandRefusesAHash) {
  Run("HSET h a 1");
  for (const char* line :
       {"ZADD h 1 a", "ZINCRBY h 1 a", "ZCARD h", "ZSCORE h a", "ZMSCORE h a", "ZRANK h a",
        "ZREVRANK h a", "ZREM h a", "ZRANDMEMBER h", "ZRANDMEMBER h 1", "ZSCAN h 0 FOO"}) {
    EXPECT_EQ(Run(line), kWrongTypeReply) << line;
  }
}

TEST_F(ZsetsTest, AbsentKeysAreEmpty) {
  EXPECT_EQ(Run("ZCARD x"), ":0\r\n");
  EXPECT_EQ(Run("ZSCORE x a"), "$-1\r\n");
  EXPECT_EQ(Run("ZMSCORE x a b"), "*2\r\n$-1\r\n$-1\r\n");
  EXPECT_EQ(Run("ZRANK x a"), "$-1\r\n");
  EXPECT_EQ(Run("ZRANK x a WITHSCORE"), "*-1\r\n");
  EXPECT_EQ(Run("ZREM x a"), ":0\r\n");
  EXPECT_EQ(Run("ZRANDMEMBER x"), "$-1\r\n");
  EXPECT_EQ(Run("ZRANDMEMBER x 5"), "*0\r\n");
  EXPECT_EQ(Run("ZSCAN x 0 FOO"), "*2\r\n$1\r\n0\r\n*0\r\n");
}

TEST_F(ZsetsTest, ZAddCountsNewMembersOrWithChChangedOnes) {
  EXPECT_EQ(Run("ZADD z 9 a 4 d 3 c"), ":1\r\n");
  EXPECT_EQ(Run("ZADD z CH 8 a 5 e 3 c"), ":2\r\n");
  EXPECT_EQ(Run("ZCARD z"), ":5\r\n");
}

TEST_F(ZsetsTest, ZAddTakesOnlyWhatItsOptionsAllow) {
  EXPECT_EQ(Run("ZADD z NX 9 a 4 d"), ":1\r\n");
  EXPECT_EQ(Run("ZSCORE z a"), "$1\r\n1\r\n");
  EXPECT_EQ(Run("ZADD z XX CH 9 a 4 e"), ":1\r\n");
  EXPECT_EQ(Run("ZSCORE z e"), "$-1\r\n");
  EXPECT_EQ(Run("ZADD z GT CH 1 a 5 b"), ":1\r\n");
  EXPECT_EQ(Run("ZADD z LT CH 1 a 6 b"), ":1\r\n");
  EXPECT_EQ(Run("ZMSCORE z a b"), "*2\r\n$1\r\n1\r\n$1\r\n5\r\n");
  EXPECT_EQ(Run("ZADD new XX 1 a"), ":0\r\n");
  EXPECT_EQ(Run("EXISTS new"), ":0\r\n");
}

TEST_F(ZsetsTest, ZAddRefusesOptionsThatExcludeEachOther) {
  EXPECT_EQ(Run("ZADD z NX XX 1 a"),
            "-ERR XX and NX options at the same time are not compatible\r\n");
  for (const char* line : {"ZADD z NX GT 1 a", "ZADD z LT NX 1 a", "ZADD z GT LT 1 a"}) {
    EXPECT_EQ(Run(line), "-ERR GT, LT, and/or NX options at the same time are not compatible\r\n");
  }
  EXPECT_EQ(Run("ZADD z INCR 1 a 2 b"),
            "-ERR INCR option supports a single increment-element pair\r\n");
  EXPECT_EQ(Run("ZADD z NX XX 1"), "-ERR syntax error\r\n");
}

TEST_F(ZsetsTest, ZAddWithABadScoreChangesNothing) {
  EXPECT_EQ(Run("ZADD z 7 a x b"), "-ERR value is not a valid float\r\n");
  EXPECT_EQ(Run("ZADD z nan a"), "-ERR value is not a valid float\r\n");
  EXPECT_EQ(Run("ZSCORE z a"), "$1\r\n1\r\n");
}

TEST_F(ZsetsTest, ZIncrByAddsToTheScore) {
  EXPECT_EQ(Run("ZINCRBY z 0.5 a"), "$3\r\n1.5\r\n");
  EXPECT_EQ(Run("ZINCRBY z -2 new"), "$2\r\n-2\r\n");
  EXPECT_EQ(Run("ZADD z XX INCR 1 absent"), "$-1\r\n");
  EXPECT_EQ(Run("ZADD z GT INCR -1 a"), "$-1\r\n");
  Run("ZADD z inf a");
  EXPECT_EQ(Run("ZINCRBY z -inf a"), "-ERR resulting score is not a number (NaN)\r\n");
  EXPECT_EQ(Run("ZSCORE z a"), "$3\r\ninf\r\n");
}

TEST_F(ZsetsTest, RanksCountFromEitherEnd) {
  EXPECT_EQ(Run("ZRANK z b"), ":1\r\n");
  EXPECT_EQ(Run("ZREVRANK z a"), ":2\r\n");
  EXPECT_EQ(Run("ZRANK z b WITHSCORE"), "*2\r\n:1\r\n$1\r\n2\r\n");
  EXPECT_EQ(Run("ZRANK z x"), "$-1\r\n");
  EXPECT_EQ(Run("ZRANK z b SCORE"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("ZRANK z b WITHSCORE x"), "-ERR wrong number of arguments for 'zrank' command\r\n");
}

TEST_F(ZsetsTest, AChangeIsToldOnce) {
  events_.Take();
  Run("ZADD z 1 a");
  Run("ZADD z 5 a 6 d");
  Run("ZINCRBY z 1 a");
  Run("ZINCRBY z 0 a");
  Run("ZREM z a x");
  Run("ZREM z b c d");
  EXPECT_EQ(events_.Take(), "zadd z; zincr z; zrem z; zrem z; del z; ");
}

TEST_F(ZsetsTest, ZRandMemberDrawsDistinctOrRepeatedMembers) {
  EXPECT_EQ(Run("ZRANDMEMBER z 0"), "*0\r\n");
  EXPECT_EQ(Run("ZRANDMEMBER z 10 WITHSCORES"),
            "*6\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n$1\r\n3\r\n");
  EXPECT_EQ(Run("ZRANDMEMBER z -10").substr(0, 5), "*10\r\n");
  EXPECT_EQ(Run("ZRANDMEMBER z 1 x"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("ZRANDMEMBER z 9223372036854775807 WITHSCORES"), "-ERR value is out of range\r\n");
}

TEST_F(ZsetsTest, Resp3HasDoublesAndPairs) {
  Run("HELLO 3");
  EXPECT_EQ(Run("ZSCORE z a"), ",1\r\n");
  EXPECT_EQ(Run("ZINCRBY z 0.5 a"), ",1.5\r\n");
  EXPECT_EQ(Run("ZRANDMEMBER z -1 WITHSCORES").substr(0, 10), "*1\r\n*2\r\n$1");
  EXPECT_EQ(Run("ZSCAN z 0 MATCH a"), "*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$3\r\n1.5\r\n");
}

TEST_F(ZsetsTest, ObjectEncodingFollowsTheLimits) {
  EXPECT_EQ(Run("OBJECT ENCODING z"), "$8\r\nlistpack\r\n");
  Run({"ZADD", "z", "1", std::string(65, 'x')});
  EXPECT_EQ(Run("OBJECT ENCODING z"), "$8\r\nskiplist\r\n");
  Run("CONFIG SET zset-max-listpack-entries 2");
  Run("ZADD small 1 a 2 b");
  EXPECT_EQ(Run("OBJECT ENCODING small"), "$8\r\nlistpack\r\n");
  Run("ZADD small 3 c");
  EXPECT_EQ(Run("OBJECT ENCODING small"), "$8\r\nskiplist\r\n");
  EXPECT_EQ(Run("TYPE small"), "+zset\r\n");
}

TEST_F(ZsetsTest, ZScanPrintsLargeIntegersAsAListpackKeepsThem) {
  Run("ZADD large 1e17 a");
  EXPECT_EQ(Run("ZSCAN large 0"),
            "*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$18\r\n100000000000000000\r\n");
  Run("ZADD large 1 " + std::string(100, 'x'));
  EXPECT_EQ(Run("ZSCAN large 0 MATCH a"), "*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$5\r\n1e+17\r\n");
}

}  // namespace
}  // namespace cloakroom
