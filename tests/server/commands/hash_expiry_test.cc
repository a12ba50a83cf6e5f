#include <string>

#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

constexpr char kWrongTypeReply[] =
    "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

class HashExpiryTest : public ServerTest {
 protected:
  void SetUp() override { ASSERT_EQ(Run("HSET h a 1 b 2"), ":2\r\n"); }
  std::string In(int64_t ms) const { return std::to_string(now_ms() + ms); }
};

TEST_F(HashExpiryTest, AFieldIsGoneWhenItsTimeHasCome) {
  EXPECT_EQ(Run("HEXPIRE h 10 FIELDS 1 a"), "*1\r\n:1\r\n");
  Advance(9'999);
  EXPECT_EQ(Run("HGET h a"), "$1\r\n1\r\n");
  Advance(1);
  EXPECT_EQ(Run("HGET h a"), "$-1\r\n");
  EXPECT_EQ(Run("HLEN h"), ":1\r\n");
  EXPECT_EQ(Run("HGETALL h"), "*2\r\n$1\r\nb\r\n$1\r\n2\r\n");
}

TEST_F(HashExpiryTest, EachFieldIsAnsweredInItsPlace) {
  EXPECT_EQ(Run("HPEXPIRE h 500 FIELDS 3 a x b"), "*3\r\n:1\r\n:-2\r\n:1\r\n");
  EXPECT_EQ(Run("HPEXPIRE absent 500 FIELDS 2 a b"), "*2\r\n:-2\r\n:-2\r\n");
}

TEST_F(HashExpiryTest, ATimeThatHasPassedRemovesTheField) {
  EXPECT_EQ(Run("HEXPIREAT h 1 FIELDS 1 a"), "*1\r\n:2\r\n");
  EXPECT_EQ(Run("HEXISTS h a"), ":0\r\n");
  EXPECT_EQ(Run("HPEXPIRE h 0 FIELDS 1 b"), "*1\r\n:2\r\n");
  EXPECT_EQ(server_.keyspace().db(0).size(), 0u);
}

TEST_F(HashExpiryTest, ConditionsLookAtTheExpiryThatIsThere) {
  EXPECT_EQ(Run("HPEXPIRE h 500 XX FIELDS 1 a"), "*1\r\n:0\r\n");
  EXPECT_EQ(Run("HPEXPIRE h 500 GT FIELDS 1 a"), "*1\r\n:0\r\n");
  EXPECT_EQ(Run("HPEXPIRE h 500 NX FIELDS 1 a"), "*1\r\n:1\r\n");
  EXPECT_EQ(Run("HPEXPIRE h 600 NX FIELDS 1 a"), "*1\r\n:0\r\n");
  EXPECT_EQ(Run("HPEXPIRE h 500 GT FIELDS 1 a"), "*1\r\n:0\r\n");
  EXPECT_EQ(Run("HPEXPIRE h 600 GT FIELDS 1 a"), "*1\r\n:1\r\n");
  EXPECT_EQ(Run("HPEXPIRE h 600 LT FIELDS 1 a"), "*1\r\n:0\r\n");
  EXPECT_EQ(Run("HPEXPIRE h 400 LT FIELDS 2 a b"), "*2\r\n:1\r\n:1\r\n");
  EXPECT_EQ(Run("HPEXPIRE h 700 XX FIELDS 1 a"), "*1\r\n:1\r\n");
  EXPECT_EQ(Run("HPTTL h FIELDS 2 a b"), "*2\r\n:700\r\n:400\r\n");
}

TEST_F(HashExpiryTest, TimesAreToldRoundedUpToSeconds) {
  Run({"HPEXPIREAT", "h", In(1'001), "FIELDS", "1", "a"});
  EXPECT_EQ(Run("HTTL h FIELDS 3 a b x"), "*3\r\n:2\r\n:-1\r\n:-2\r\n");
  EXPECT_EQ(Run("HPTTL h FIELDS 1 a"), "*1\r\n:1001\r\n");
  EXPECT_EQ(Run("HEXPIRETIME h FIELDS 1 a"), "*1\r\n:1800000002\r\n");
  EXPECT_EQ(Run("HPEXPIRETIME h FIELDS 1 a"), "*1\r\n:1800000001001\r\n");
  EXPECT_EQ(Run("HTTL absent FIELDS 1 a"), "*1\r\n:-2\r\n");
}

TEST_F(HashExpiryTest, HPersistKeepsTheField) {
  Run("HEXPIRE h 10 FIELDS 1 a");
  EXPECT_EQ(Run("HPERSIST h FIELDS 3 a b x"), "*3\r\n:1\r\n:-1\r\n:-2\r\n");
  Advance(20'000);
  EXPECT_EQ(Run("HGET h a"), "$1\r\n1\r\n");
}

TEST_F(HashExpiryTest, HSetForgetsTheExpiryAndHIncrByKeepsIt) {
  Run("HEXPIRE h 10 FIELDS 2 a b");
  Run("HSET h a 5");
  Run("HINCRBY h b 5");
  EXPECT_EQ(Run("HTTL h FIELDS 2 a b"), "*2\r\n:-1\r\n:10\r\n");
}

TEST_F(HashExpiryTest, AnExpiredFieldIsNewToHSetNx) {
  Run("HPEXPIRE h 5 FIELDS 1 a");
  Advance(5);
  EXPECT_EQ(Run("HSETNX h a 7"), ":1\r\n");
  EXPECT_EQ(Run("HTTL h FIELDS 1 a"), "*1\r\n:-1\r\n");
}

TEST_F(HashExpiryTest, BadTimesAreRefused) {
  EXPECT_EQ(Run("HEXPIRE h x FIELDS 1 a"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("HEXPIRE h -1 FIELDS 1 a"), "-ERR invalid expire time, must be >= 0\r\n");
  EXPECT_EQ(Run("HEXPIRE h 70368744178 FIELDS 1 a"),
            "-ERR invalid expire time in 'hexpire' command\r\n");
  EXPECT_EQ(Run("HPEXPIREAT h 70368744177664 FIELDS 1 a"),
            "-ERR invalid expire time in 'hpexpireat' command\r\n");
  EXPECT_EQ(Run("HPEXPIREAT h 70368744177663 FIELDS 1 a"), "*1\r\n:1\r\n");
  EXPECT_EQ(Run("HPEXPIRE h 70368744177663 FIELDS 1 a"),
            "-ERR invalid expire time in 'hpexpire' command\r\n");
}

TEST_F(HashExpiryTest, BadFieldListsAreRefused) {
  constexpr char kMissing[] =
      "-ERR Mandatory argument FIELDS is missing or not at the right position\r\n";
  constexpr char kMismatch[] =
      "-ERR The `numfields` parameter must match the number of arguments\r\n";
  EXPECT_EQ(Run("HEXPIRE h 1 FOO 1 a"), kMissing);
  EXPECT_EQ(Run("HEXPIRE h 1 NX FOO 1 a"), kMissing);
  EXPECT_EQ(Run("HEXPIRE h 1 FIELDS 2 a"), kMismatch);
  EXPECT_EQ(Run("HEXPIRE h 1 FIELDS 0 a"),
            "-ERR Parameter `numFields` should be greater than 0\r\n");
  EXPECT_EQ(Run("HTTL h FOO 1 a"), kMissing);
  EXPECT_EQ(Run("HTTL h FIELDS x a"), "-ERR Number of fields must be a positive integer\r\n");
  EXPECT_EQ(Run("HPERSIST h FIELDS 2 a"), kMismatch);
  EXPECT_EQ(Run("HGETDEL h FIELDS 0 a"), "-ERR Number of fields must be a positive integer\r\n");
  EXPECT_EQ(Run("HGETEX h EX 10 FIELDS"), kMismatch);
  EXPECT_EQ(Run("HEXPIRE h 1 FIELDS 1"),
            "-ERR wrong number of arguments for 'hexpire' command\r\n");
}

TEST_F(HashExpiryTest, TheTypeIsCheckedBeforeTheArguments) {
  Run("SADD s x");
  EXPECT_EQ(Run("HEXPIRE s x FIELDS 1 a"), kWrongTypeReply);
  EXPECT_EQ(Run("HTTL s FOO 1 a"), kWrongTypeReply);
  EXPECT_EQ(Run("HPERSIST s FOO 1 a"), kWrongTypeReply);
  EXPECT_EQ(Run("HGETDEL s FOO 1 a"), kWrongTypeReply);
  EXPECT_EQ(Run("HGETEX s FOO 1 a"), kWrongTypeReply);
  EXPECT_EQ(Run("HSETEX s FOO 1 a 1"), "-ERR unknown argument: FOO\r\n");
  EXPECT_EQ(Run("HSETEX s FIELDS 1 a 1"), kWrongTypeReply);
}

TEST_F(HashExpiryTest, HGetDelReturnsAndRemoves) {
  EXPECT_EQ(Run("HGETDEL h FIELDS 2 a x"), "*2\r\n$1\r\n1\r\n$-1\r\n");
  EXPECT_EQ(Run("HKEYS h"), "*1\r\n$1\r\nb\r\n");
  EXPECT_EQ(Run("HGETDEL h FIELDS 2 b b"), "*2\r\n$1\r\n2\r\n$-1\r\n");
  EXPECT_EQ(server_.keyspace().db(0).size(), 0u);
  EXPECT_EQ(Run("HGETDEL h FIELDS 1 a"), "*1\r\n$-1\r\n");
}

TEST_F(HashExpiryTest, HGetExReturnsAndSetsTheExpiry) {
  EXPECT_EQ(Run("HGETEX h EX 10 FIELDS 2 a x"), "*2\r\n$1\r\n1\r\n$-1\r\n");
  EXPECT_EQ(Run("HTTL h FIELDS 2 a b"), "*2\r\n:10\r\n:-1\r\n");
  EXPECT_EQ(Run("HGETEX h FIELDS 1 a"), "*1\r\n$1\r\n1\r\n");
  EXPECT_EQ(Run("HTTL h FIELDS 1 a"), "*1\r\n:10\r\n");
  EXPECT_EQ(Run("HGETEX h PERSIST FIELDS 1 a"), "*1\r\n$1\r\n1\r\n");
  EXPECT_EQ(Run("HTTL h FIELDS 1 a"), "*1\r\n:-1\r\n");
}

TEST_F(HashExpiryTest, HGetExWithAPassedTimeReturnsTheValueALastTime) {
  EXPECT_EQ(Run("HGETEX h PXAT 1 FIELDS 1 a"), "*1\r\n$1\r\n1\r\n");
  EXPECT_EQ(Run("HEXISTS h a"), ":0\r\n");
}

TEST_F(HashExpiryTest, HSetExSetsFieldsThatExpire) {
  EXPECT_EQ(Run("HSETEX h EX 10 FIELDS 2 a 7 c 8"), ":1\r\n");
  EXPECT_EQ(Run("HTTL h FIELDS 3 a b c"), "*3\r\n:10\r\n:-1\r\n:10\r\n");
  EXPECT_EQ(Run("HSETEX h KEEPTTL FIELDS 1 a 9"), ":1\r\n");
  EXPECT_EQ(Run("HTTL h FIELDS 1 a"), "*1\r\n:10\r\n");
  EXPECT_EQ(Run("HSETEX h FIELDS 1 a 9"), ":1\r\n");
  EXPECT_EQ(Run("HTTL h FIELDS 1 a"), "*1\r\n:-1\r\n");
}

TEST_F(HashExpiryTest, HSetExSetsAllOrNothing) {
  EXPECT_EQ(Run("HSETEX h FNX FIELDS 2 c 7 a 7"), ":0\r\n");
  EXPECT_EQ(Run("HSETEX h FXX FIELDS 2 a 7 c 7"), ":0\r\n");
  EXPECT_EQ(Run("HGETALL h"), "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n");
  EXPECT_EQ(Run("HSETEX h FNX PX 10 FIELDS 1 c 7"), ":1\r\n");
  EXPECT_EQ(Run("HSETEX h FXX FIELDS 2 a 7 b 7"), ":1\r\n");
  EXPECT_EQ(Run("HSETEX absent FXX FIELDS 1 a 7"), ":0\r\n");
  EXPECT_EQ(server_.keyspace().db(0).size(), 1u);
}

TEST_F(HashExpiryTest, HSetExWithAPassedTimeLeavesNoField) {
  EXPECT_EQ(Run("HSETEX h EXAT 1 FIELDS 2 a 7 c 8"), ":1\r\n");
  EXPECT_EQ(Run("HKEYS h"), "*1\r\n$1\r\nb\r\n");
  EXPECT_EQ(Run("HSETEX absent PXAT 1 FIELDS 1 a 7"), ":1\r\n");
  EXPECT_EQ(server_.keyspace().db(0).size(), 1u);
}

TEST_F(HashExpiryTest, HSetExRefusesBadOptions) {
  EXPECT_EQ(Run("HSETEX h EX 1 PX 1 FIELDS 1 a 1"),
            "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified\r\n");
  EXPECT_EQ(Run("HSETEX h FNX FXX FIELDS 1 a 1"),
            "-ERR Only one of FXX or FNX arguments can be specified\r\n");
  EXPECT_EQ(Run("HSETEX h FNX KEEPTTL FOO EX"), "-ERR unknown argument: FOO\r\n");
  EXPECT_EQ(Run("HSETEX h FNX FIELDS 1 a"),
            "-ERR wrong number of arguments for 'hsetex' command\r\n");
  EXPECT_EQ(Run("HSETEX h FIELDS 2 a 1"),
            "-ERR wrong number of arguments for 'hsetex' command\r\n");
  EXPECT_EQ(Run("HSETEX h FIELDS 0 a 1"), "-ERR invalid number of fields\r\n");
  EXPECT_EQ(Run("HSETEX h EX -1 FIELDS 1 a 1"), "-ERR invalid expire time, must be >= 0\r\n");
}

TEST_F(HashExpiryTest, OfSeveralErrorsTheFirstIsTold) {
  const std::string not_integer = "-ERR value is not an integer or out of range\r\n";
  const std::string no_fields =
      "-ERR Mandatory argument FIELDS is missing or not at the right position\r\n";
  EXPECT_EQ(Run("HEXPIRE h abc FOO FIELDS 0"), not_integer);
  EXPECT_EQ(Run("HEXPIRE h -1 FOO 1 f"), "-ERR invalid expire time, must be >= 0\r\n");
  EXPECT_EQ(Run("HPEXPIRE h 70368744177663 FOO 1 f"),
            "-ERR invalid expire time in 'hpexpire' command\r\n");
  EXPECT_EQ(Run("HEXPIRE h 10 FOO FIELDS 0"), no_fields);
  EXPECT_EQ(Run("HGETEX h EX abc FOO 1"), not_integer);
  EXPECT_EQ(Run("HGETEX h EX 10 PERSIST FIELDS"), no_fields);
  EXPECT_EQ(Run("HSETEX h EX abc PX 10 FOO"), not_integer);
  EXPECT_EQ(Run("HSETEX h EX 10 PX abc"),
            "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified\r\n");
  EXPECT_EQ(Run("HSETEX h FXX FNX EX abc"),
            "-ERR Only one of FXX or FNX arguments can be specified\r\n");
  EXPECT_EQ(Run("HSETEX h FOO FIELDS 0 f"), "-ERR unknown argument: FOO\r\n");
  EXPECT_EQ(Run("HSETEX h FNX FNX FOO EX"),
            "-ERR Only one of FXX or FNX arguments can be specified\r\n");
  EXPECT_EQ(Run("HSETEX h FNX FXX KEEPTTL EX"),
            "-ERR Only one of FXX or FNX arguments can be specified\r\n");
  EXPECT_EQ(Run("HSETEX h FIELDS 0 f"), "-ERR wrong number of arguments for 'hsetex' command\r\n");
  EXPECT_EQ(Run("HSETEX h KEEPTTL KEEPTTL FIELDS 0"),
            "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified\r\n");
}

}  // namespace
}  // namespace cloakroom
