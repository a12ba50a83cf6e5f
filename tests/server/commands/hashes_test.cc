#include <set>
#include <string>

#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

constexpr char kWrongTypeReply[] =
    "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

class HashesTest : public ServerTest {
 protected:
  void SetUp() override { ASSERT_EQ(Run("HSET h a 1 b 2"), ":2\r\n"); }

  /// Fills a hash with fields f0, f1 … of value v.
  void Fill(const std::string& key, int fields) {
    std::vector<std::string> args = {"HSET", key};
    for (int i = 0; i < fields; ++i) {
      args.push_back("f" + std::to_string(i));
      args.push_back("v");
    }
    Run(args);
  }
};

TEST_F(HashesTest, HSetCountsOnlyNewFields) {
  EXPECT_EQ(Run("HSET h a 9 c 3"), ":1\r\n");
  EXPECT_EQ(Run("HGET h a"), "$1\r\n9\r\n");
}

TEST_F(HashesTest, HSetRefusesAFieldWithoutValueAndChangesNothing) {
  EXPECT_EQ(Run("HSET h a 9 b"), "-ERR wrong number of arguments for 'hset' command\r\n");
  EXPECT_EQ(Run("HMSET h a 9 b"), "-ERR wrong number of arguments for 'hmset' command\r\n");
  EXPECT_EQ(Run("HGET h a"), "$1\r\n1\r\n");
}

TEST_F(HashesTest, EveryCommandRefusesASet) {
  Run("SADD s x");
  for (const char* line :
       {"HSET s a 1", "HMSET s a 1", "HSETNX s a 1", "HGET s a", "HMGET s a", "HGETALL s",
        "HDEL s a", "HLEN s", "HEXISTS s a", "HSTRLEN s a", "HKEYS s", "HVALS s", "HINCRBY s a 1",
        "HINCRBYFLOAT s a 1", "HSCAN s 0", "HRANDFIELD s", "HRANDFIELD s 2"}) {
    EXPECT_EQ(Run(line), kWrongTypeReply) << line;
  }
}

TEST_F(HashesTest, HMSetRepliesOk) { EXPECT_EQ(Run("HMSET n a 1 b 2"), "+OK\r\n"); }

TEST_F(HashesTest, HSetNxKeepsWhatIsThere) {
  EXPECT_EQ(Run("HSETNX h a 9"), ":0\r\n");
  EXPECT_EQ(Run("HGET h a"), "$1\r\n1\r\n");
  EXPECT_EQ(Run("HSETNX h z 9"), ":1\r\n");
  EXPECT_EQ(Run("HGET h z"), "$1\r\n9\r\n");
}

TEST_F(HashesTest, HMGetTellsAbsentFieldsInPlace) {
  EXPECT_EQ(Run("HMGET h b x a"), "*3\r\n$1\r\n2\r\n$-1\r\n$1\r\n1\r\n");
  EXPECT_EQ(Run("HMGET absent a b"), "*2\r\n$-1\r\n$-1\r\n");
}

TEST_F(HashesTest, HGetAllIsAMapInResp3) {
  EXPECT_EQ(Run("HGETALL h"), "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n");
  ClientNamed("").resp = 3;
  EXPECT_EQ(Run("HGETALL h"), "%2\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n");
  EXPECT_EQ(Run("HGETALL absent"), "%0\r\n");
  EXPECT_EQ(Run("HKEYS h"), "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  EXPECT_EQ(Run("HVALS absent"), "*0\r\n");
}

TEST_F(HashesTest, AHashOfManyFieldsComesWhole) {
  Fill("big", 25'000);
  std::string all = Run("HGETALL big");
  EXPECT_TRUE(all.starts_with("*50000\r\n"));
  EXPECT_NE(all.find("$6\r\nf24999\r\n$1\r\nv\r\n"), std::string::npos);
  EXPECT_TRUE(Run("HKEYS big").starts_with("*25000\r\n"));
}

TEST_F(HashesTest, AHashOfManyFieldsComesWholeInsideATransaction) {
  Fill("big", 25'000);
  Run("MULTI");
  Run("HVALS big");
  Run("HLEN big");
  std::string reply = Run("EXEC");
  EXPECT_TRUE(reply.starts_with("*2\r\n*25000\r\n"));
  EXPECT_TRUE(reply.ends_with("$1\r\nv\r\n:25000\r\n"));
}

TEST_F(HashesTest, LargeValuesComeBackWhole) {
  std::string value(100'000, 'x');
  Run({"HSET", "h", "large", value});
  EXPECT_EQ(Run("HGET h large"), "$100000\r\n" + value + "\r\n");
  EXPECT_EQ(Run("HSTRLEN h large"), ":100000\r\n");
}

TEST_F(HashesTest, HDelOfTheLastFieldRemovesTheKey) {
  EXPECT_EQ(Run("HDEL h a b a x"), ":2\r\n");
  EXPECT_EQ(Run("HLEN h"), ":0\r\n");
  EXPECT_EQ(server_.keyspace().db(0).size(), 0u);
}

TEST_F(HashesTest, HDelOfNothingLeavesNoTrace) {
  EXPECT_EQ(Run("HDEL absent a"), ":0\r\n");
  EXPECT_EQ(Run("WATCH h"), "+OK\r\n");
  EXPECT_EQ(RunAs("other", "HDEL h x"), ":0\r\n");
  Run("MULTI");
  EXPECT_EQ(Run("EXEC"), "*0\r\n");
}

TEST_F(HashesTest, HIncrByAddsAndMakesFields) {
  EXPECT_EQ(Run("HINCRBY h a 41"), ":42\r\n");
  EXPECT_EQ(Run("HINCRBY new f -3"), ":-3\r\n");
  EXPECT_EQ(Run("HGET new f"), "$2\r\n-3\r\n");
}

TEST_F(HashesTest, HIncrByRefusesWhatIsNoInteger) {
  Run("HSET h t text max 9223372036854775807 min -9223372036854775808");
  EXPECT_EQ(Run("HINCRBY h t 1"), "-ERR hash value is not an integer\r\n");
  EXPECT_EQ(Run("HINCRBY h a x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("HINCRBY h max 1"), "-ERR increment or decrement would overflow\r\n");
  EXPECT_EQ(Run("HINCRBY h min -1"), "-ERR increment or decrement would overflow\r\n");
  EXPECT_EQ(Run("HGET h max"), "$19\r\n9223372036854775807\r\n");
}

TEST_F(HashesTest, HIncrByChecksItsNumberBeforeTheType) {
  Run("SADD s x");
  EXPECT_EQ(Run("HINCRBY s a x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("HINCRBYFLOAT s a x"), "-ERR value is not a valid float\r\n");
}

TEST_F(HashesTest, HIncrByFloatWritesNoExponent) {
  EXPECT_EQ(Run("HINCRBYFLOAT h a 1.5"), "$3\r\n2.5\r\n");
  EXPECT_EQ(Run("HINCRBYFLOAT h a -2.5"), "$1\r\n0\r\n");
  EXPECT_EQ(Run("HINCRBYFLOAT h e 5.0e3"), "$4\r\n5000\r\n");
}

TEST_F(HashesTest, HIncrByFloatRefusesWhatIsNoFiniteNumber) {
  Run("HSET h t text");
  EXPECT_EQ(Run("HINCRBYFLOAT h t 1"), "-ERR hash value is not a float\r\n");
  EXPECT_EQ(Run("HINCRBYFLOAT h a inf"), "-ERR value is NaN or Infinity\r\n");
  EXPECT_EQ(Run("HINCRBYFLOAT h a nan"), "-ERR value is not a valid float\r\n");
  Run("HSET h m 1e4932");
  EXPECT_EQ(Run("HINCRBYFLOAT h m 1e4932"), "-ERR increment would produce NaN or Infinity\r\n");
}

TEST_F(HashesTest, HScanOfASmallHashComesWhole) {
  EXPECT_EQ(Run("HSCAN h 0"),
            "*2\r\n$1\r\n0\r\n*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n");
  EXPECT_EQ(Run("HSCAN h 0 MATCH b*"), "*2\r\n$1\r\n0\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n");
  EXPECT_EQ(Run("HSCAN h 0 NOVALUES"), "*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n");
}

TEST_F(HashesTest, HScanLooksAtItsOptionsAfterTheKey) {
  EXPECT_EQ(Run("HSCAN absent 0 FOO"), "*2\r\n$1\r\n0\r\n*0\r\n");
  EXPECT_EQ(Run("HSCAN absent x FOO"), "-ERR invalid cursor\r\n");
  Run("SADD s x");
  EXPECT_EQ(Run("HSCAN s 0 FOO"), kWrongTypeReply);
}

TEST_F(HashesTest, HScanRefusesBadOptions) {
  EXPECT_EQ(Run("HSCAN h 0 FOO"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("HSCAN h 0 COUNT"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("HSCAN h 0 COUNT 0"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("HSCAN h 0 COUNT x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("HSCAN h 0 TYPE hash"), "-ERR syntax error\r\n");
}

TEST_F(HashesTest, HScanByStepsFindsEveryFieldOnce) {
  Fill("big", 1000);
  std::set<std::string> seen;
  std::string cursor = "0";
  do {
    std::string reply = Run("HSCAN big " + cursor + " COUNT 50 NOVALUES");
    size_t at = reply.find("\r\n", 4) + 2;
    cursor = reply.substr(at, reply.find("\r\n", at) - at);
    for (size_t f = reply.find("\r\nf"); f != std::string::npos; f = reply.find("\r\nf", f + 1)) {
      EXPECT_TRUE(seen.insert(reply.substr(f + 2, reply.find("\r\n", f + 2) - f - 2)).second);
    }
  } while (cursor != "0");
  EXPECT_EQ(seen.size(), 1000u);
}

TEST_F(HashesTest, HRandFieldReturnsAFieldThatIsThere) {
  std::string field = Run("HRANDFIELD h");
  EXPECT_TRUE(field == "$1\r\na\r\n" || field == "$1\r\nb\r\n") << field;
  EXPECT_EQ(Run("HRANDFIELD absent"), "$-1\r\n");
  EXPECT_EQ(Run("HRANDFIELD absent 3 WITHVALUES"), "*0\r\n");
}

TEST_F(HashesTest, HRandFieldWithCountNeverRepeats) {
  EXPECT_EQ(Run("HRANDFIELD h 5"), "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  Fill("big", 1000);
  for (int count : {10, 900}) {
    std::string reply = Run("HRANDFIELD big " + std::to_string(count));
    std::set<std::string> seen;
    for (size_t f = reply.find("\r\nf"); f != std::string::npos; f = reply.find("\r\nf", f + 1)) {
      seen.insert(reply.substr(f + 2, reply.find("\r\n", f + 2) - f - 2));
    }
    EXPECT_EQ(seen.size(), static_cast<size_t>(count));
  }
}

TEST_F(HashesTest, HRandFieldWithNegativeCountReturnsThatMany) {
  EXPECT_TRUE(Run("HRANDFIELD h -50").starts_with("*50\r\n"));
  EXPECT_TRUE(Run("HRANDFIELD h -50 WITHVALUES").starts_with("*100\r\n"));
}

TEST_F(HashesTest, HRandFieldWithValuesNestsPairsInResp3) {
  ClientNamed("").resp = 3;
  EXPECT_EQ(Run("HRANDFIELD h 5 WITHVALUES"),
            "*2\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n");
}

TEST_F(HashesTest, HRandFieldRefusesBadArguments) {
  EXPECT_EQ(Run("HRANDFIELD h x FOO"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("HRANDFIELD h 1 FOO"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("HRANDFIELD h 1 WITHVALUES FOO"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("HRANDFIELD h -9223372036854775808"),
            "-ERR value is out of range, value must between -9223372036854775807 and "
            "9223372036854775807\r\n");
  EXPECT_EQ(Run("HRANDFIELD h 9223372036854775807 WITHVALUES"), "-ERR value is out of range\r\n");
}

}  // namespace
}  // namespace cloakroom
