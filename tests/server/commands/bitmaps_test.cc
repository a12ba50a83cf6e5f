#include <string>
#include <string_view>

#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

constexpr std::string_view kWrongTypeReply =
    "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
constexpr std::string_view kNotInteger = "-ERR value is not an integer or out of range\r\n";
constexpr std::string_view kSyntax = "-ERR syntax error\r\n";
constexpr std::string_view kBadOffset = "-ERR bit offset is not an integer or out of range\r\n";

class BitmapsTest : public ServerTest {
 protected:
  BitmapsTest() {
    Run("SET s foobar");
    Run("HSET h f v");
  }
};

TEST_F(BitmapsTest, SetBitReturnsTheOldBitAndGrows) {
  EXPECT_EQ(Run("SETBIT k 7 1"), ":0\r\n");
  EXPECT_EQ(Run("SETBIT k 7 0"), ":1\r\n");
  EXPECT_EQ(Run("SETBIT k 80 0"), ":0\r\n");
  EXPECT_EQ(Run("STRLEN k"), ":11\r\n");
  EXPECT_EQ(Run("GETBIT k 7"), ":0\r\n");
  EXPECT_EQ(Run("GETBIT k 4294967295"), ":0\r\n");
  EXPECT_EQ(Run("GETBIT none 0"), ":0\r\n");
  Run("SET n 10");
  EXPECT_EQ(Run("GETBIT n 2"), ":1\r\n");
}

TEST_F(BitmapsTest, SetBitRefusesBadOffsetsThenBitsThenTypes) {
  EXPECT_EQ(Run("SETBIT h -1 2"), kBadOffset);
  EXPECT_EQ(Run("SETBIT s 4294967296 1"), kBadOffset);
  EXPECT_EQ(Run("SETBIT s x 1"), kBadOffset);
  EXPECT_EQ(Run("SETBIT h 0 2"), "-ERR bit is not an integer or out of range\r\n");
  EXPECT_EQ(Run("SETBIT s 0 x"), "-ERR bit is not an integer or out of range\r\n");
  EXPECT_EQ(Run("SETBIT h 0 1"), kWrongTypeReply);
  EXPECT_EQ(Run("GETBIT h -1"), kBadOffset);
  EXPECT_EQ(Run("GETBIT h 0"), kWrongTypeReply);
  EXPECT_EQ(Run("GET s"), "$6\r\nfoobar\r\n");
}

TEST_F(BitmapsTest, BitCountCountsBytesOrBits) {
  EXPECT_EQ(Run("BITCOUNT s"), ":26\r\n");
  EXPECT_EQ(Run("BITCOUNT s 0 0"), ":4\r\n");
  EXPECT_EQ(Run("BITCOUNT s 1 1 byte"), ":6\r\n");
  EXPECT_EQ(Run("BITCOUNT s 5 30 BIT"), ":17\r\n");
  EXPECT_EQ(Run("BITCOUNT s 5 1"), ":0\r\n");
  EXPECT_EQ(Run("BITCOUNT s -1 -3"), ":0\r\n");
  EXPECT_EQ(Run("BITCOUNT s -50 -100"), ":0\r\n");
  EXPECT_EQ(Run("BITCOUNT s -100 -50"), ":4\r\n");
  EXPECT_EQ(Run("BITCOUNT s -9223372036854775808 9223372036854775807 BIT"), ":26\r\n");
  EXPECT_EQ(Run("BITCOUNT none"), ":0\r\n");
  EXPECT_EQ(Run("BITCOUNT none 0 1 BIT"), ":0\r\n");
}

TEST_F(BitmapsTest, BitCountChecksItsArgumentsEvenOfAMissingKey) {
  for (std::string key : {"s", "none"}) {
    EXPECT_EQ(Run("BITCOUNT " + key + " 0"), kSyntax);
    EXPECT_EQ(Run("BITCOUNT " + key + " 0 1 FOO"), kSyntax);
    EXPECT_EQ(Run("BITCOUNT " + key + " 0 1 BIT x"), kSyntax);
    EXPECT_EQ(Run("BITCOUNT " + key + " a b"), kNotInteger);
  }
  EXPECT_EQ(Run("BITCOUNT h"), kWrongTypeReply);
}

TEST_F(BitmapsTest, BitPosFindsBits) {
  EXPECT_EQ(Run("BITPOS s 1"), ":1\r\n");
  EXPECT_EQ(Run("BITPOS s 0"), ":0\r\n");
  EXPECT_EQ(Run("BITPOS s 1 2"), ":17\r\n");
  EXPECT_EQ(Run("BITPOS s 1 5 3"), ":-1\r\n");
  EXPECT_EQ(Run("BITPOS s 1 -50 -100"), ":1\r\n");
  EXPECT_EQ(Run("BITPOS s 1 7 9 bit"), ":9\r\n");
  EXPECT_EQ(Run("BITPOS s 0 7 7 BIT"), ":7\r\n");
  EXPECT_EQ(Run("BITPOS s 1 -1 -1 BIT"), ":-1\r\n");
  EXPECT_EQ(Run("BITPOS s 0 100"), ":-1\r\n");
  EXPECT_EQ(Run("BITPOS none 1"), ":-1\r\n");
  EXPECT_EQ(Run("BITPOS none 0 100 200"), ":0\r\n");
}

TEST_F(BitmapsTest, BitPosFindsAClearBitBehindAFullStringUnlessToldWhereToEnd) {
  Run({"SET", "ones", "\xff\xff\xff"});
  EXPECT_EQ(Run("BITPOS ones 0"), ":24\r\n");
  EXPECT_EQ(Run("BITPOS ones 0 1"), ":24\r\n");
  EXPECT_EQ(Run("BITPOS ones 0 0 -1"), ":-1\r\n");
  EXPECT_EQ(Run("BITPOS ones 0 3"), ":-1\r\n");
  EXPECT_EQ(Run("BITPOS ones 0 3 5 BIT"), ":-1\r\n");
  Run({"SET", "e", ""});
  EXPECT_EQ(Run("BITPOS e 0"), ":-1\r\n");
}

TEST_F(BitmapsTest, BitPosRefuses) {
  EXPECT_EQ(Run("BITPOS h 2"), "-ERR The bit argument must be 1 or 0.\r\n");
  EXPECT_EQ(Run("BITPOS h x"), kNotInteger);
  EXPECT_EQ(Run("BITPOS h 1"), kWrongTypeReply);
  EXPECT_EQ(Run("BITPOS s 1 a"), kNotInteger);
  EXPECT_EQ(Run("BITPOS s 1 0 x FOO"), kSyntax);
  EXPECT_EQ(Run("BITPOS s 1 0 x"), kNotInteger);
  EXPECT_EQ(Run("BITPOS s 1 0 5 BIT FOO"), kSyntax);
}

TEST_F(BitmapsTest, LongBitmapsAreReadOutsideTheLoop) {
  Run("SETBIT big 20000000 1");
  EXPECT_EQ(Run("BITCOUNT big"), ":1\r\n");
  EXPECT_EQ(Run("BITPOS big 1"), ":20000000\r\n");
  EXPECT_EQ(Run("BITPOS big 1 20000001 -1 BIT"), ":-1\r\n");
}

TEST_F(BitmapsTest, BitOpCombines) {
  Run("SET n 10");
  EXPECT_EQ(Run("BITOP OR d s n"), ":6\r\n");
  EXPECT_EQ(Run("GET d"), "$6\r\nw\x7fobar\r\n");
  EXPECT_EQ(Run("BITOP not d s"), ":6\r\n");
  EXPECT_EQ(Run("BITOP XOR d d s"), ":6\r\n");
  EXPECT_EQ(Run("GET d"), "$6\r\n\xff\xff\xff\xff\xff\xff\r\n");
  EXPECT_EQ(Run("BITOP AND d d none"), ":6\r\n");
  EXPECT_EQ(Run("GET d"), std::string("$6\r\n\0\0\0\0\0\0\r\n", 12));
}

TEST_F(BitmapsTest, BitOpReplacesItsTarget) {
  Run("SET d old EX 100");
  EXPECT_EQ(Run("BITOP AND d none none"), ":0\r\n");
  EXPECT_EQ(Run("GET d"), "$-1\r\n");
  EXPECT_EQ(Run("BITOP OR h s"), ":6\r\n");
  EXPECT_EQ(Run("GET h"), "$6\r\nfoobar\r\n");
}

TEST_F(BitmapsTest, BitOpRefuses) {
  EXPECT_EQ(Run("BITOP FOO d h"), kSyntax);
  EXPECT_EQ(Run("BITOP DIFF d s s"), kSyntax);
  EXPECT_EQ(Run("BITOP NOT d h s"), "-ERR BITOP NOT must be called with a single source key.\r\n");
  EXPECT_EQ(Run("BITOP AND d s h"), kWrongTypeReply);
  EXPECT_EQ(Run("GET d"), "$-1\r\n");
}

TEST_F(BitmapsTest, BitOpOfLongStringsFollowsFromTheMomentInWhichItIsPutInPlace) {
  Run("SETBIT long 8000000 1");
  Run("SETBIT other 16000000 1");
  int prepared = 0;
  after_preparing_ = [&] {
    if (++prepared == 1) RunAs("other", "SETBIT other 7 1");
  };
  EXPECT_EQ(Run("BITOP OR d long other n0 h0"), ":2000001\r\n");
  EXPECT_EQ(prepared, 2);
  EXPECT_EQ(Run("BITCOUNT d"), ":3\r\n");
  EXPECT_EQ(Run("GETBIT d 7"), ":1\r\n");
  EXPECT_EQ(Run("OBJECT ENCODING d"), "$3\r\nraw\r\n");
  after_preparing_ = [&] { RunAs("other", {"SETBIT", "other", std::to_string(++prepared), "1"}); };
  EXPECT_EQ(Run("BITOP NOT d other"), ":2000001\r\n");
  EXPECT_EQ(prepared, 5);
}

}  // namespace
}  // namespace cloakroom
