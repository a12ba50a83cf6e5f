#include <string>
#include <string_view>

#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

constexpr std::string_view kWrongTypeReply =
    "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
constexpr std::string_view kSyntax = "-ERR syntax error\r\n";

class BitFieldsTest : public ServerTest {
 protected:
  BitFieldsTest() {
    Run("SET s foobar");
    Run("HSET h f v");
  }
  /// The reply to one step.
  std::string Step(std::string step) {
    std::string reply = Run("BITFIELD k " + step);
    return reply.starts_with("*1\r\n") ? reply.substr(4, reply.size() - 6) : reply;
  }
};

TEST_F(BitFieldsTest, GetReadsAnyWidth) {
  EXPECT_EQ(Run("BITFIELD s GET u8 0 GET u8 #1 GET i64 0 GET u8 4294967295"),
            "*4\r\n:102\r\n:111\r\n:7381240782615871488\r\n:0\r\n");
  EXPECT_EQ(Run("BITFIELD_RO s GET u8 0"), "*1\r\n:102\r\n");
  EXPECT_EQ(Run("BITFIELD none GET u8 0"), "*1\r\n:0\r\n");
  EXPECT_EQ(Run("GET none"), "$-1\r\n");
  EXPECT_EQ(Run("BITFIELD none"), "*0\r\n");
}

TEST_F(BitFieldsTest, SetReturnsTheOldNumberAndIncrByTheNewOne) {
  EXPECT_EQ(Step("SET u8 0 200"), ":0");
  EXPECT_EQ(Step("SET i8 0 -1"), ":-56");
  EXPECT_EQ(Step("INCRBY u8 0 1"), ":0");
  EXPECT_EQ(Step("INCRBY i5 100 1"), ":1");
  EXPECT_EQ(Run("STRLEN k"), ":14\r\n");
}

TEST_F(BitFieldsTest, WrapSaturateAndFail) {
  Run("BITFIELD k SET u8 0 200");
  EXPECT_EQ(Step("INCRBY u8 0 500"), ":188");
  EXPECT_EQ(Step("OVERFLOW FAIL INCRBY u8 0 500"), "$-1");
  EXPECT_EQ(Step("OVERFLOW SAT INCRBY u8 0 500"), ":255");
  EXPECT_EQ(Step("OVERFLOW sat INCRBY u8 0 -500"), ":0");
  EXPECT_EQ(Step("INCRBY u8 0 -1"), ":255");
  EXPECT_EQ(Step("OVERFLOW FAIL INCRBY u8 0 -256"), "$-1");
  Run("BITFIELD k SET i8 0 100");
  EXPECT_EQ(Step("INCRBY i8 0 100"), ":-56");
  EXPECT_EQ(Step("OVERFLOW SAT INCRBY i8 0 -100"), ":-128");
  EXPECT_EQ(Step("OVERFLOW SAT INCRBY i8 0 300"), ":127");
}

TEST_F(BitFieldsTest, SetObeysTheOverflowToo) {
  EXPECT_EQ(Run("BITFIELD k OVERFLOW SAT SET i8 0 200 GET i8 0"), "*2\r\n:0\r\n:127\r\n");
  EXPECT_EQ(Run("BITFIELD k OVERFLOW SAT SET i8 0 -200 GET i8 0"), "*2\r\n:127\r\n:-128\r\n");
  EXPECT_EQ(Run("BITFIELD k OVERFLOW SAT SET u8 0 -200 GET u8 0"), "*2\r\n:128\r\n:255\r\n");
  EXPECT_EQ(Run("BITFIELD k OVERFLOW FAIL SET u8 0 -1 GET u8 0"), "*2\r\n$-1\r\n:255\r\n");
}

TEST_F(BitFieldsTest, WidestFieldsReachTheirBounds) {
  EXPECT_EQ(Run("BITFIELD k SET i64 0 9223372036854775807 INCRBY i64 0 1"),
            "*2\r\n:0\r\n:-9223372036854775808\r\n");
  EXPECT_EQ(Step("OVERFLOW SAT INCRBY i64 0 -1"), ":-9223372036854775808");
  EXPECT_EQ(Step("OVERFLOW FAIL INCRBY i64 0 -1"), "$-1");
  EXPECT_EQ(Run("BITFIELD k SET u63 0 9223372036854775807 INCRBY u63 0 1 OVERFLOW SAT INCRBY u63 "
                "0 -9223372036854775808"),
            "*3\r\n:4611686018427387904\r\n:0\r\n:0\r\n");
  EXPECT_EQ(Run("BITFIELD k SET i1 0 1 GET i1 0 INCRBY i1 0 1 OVERFLOW SAT INCRBY i1 0 -1 INCRBY "
                "i1 0 -1"),
            "*5\r\n:0\r\n:-1\r\n:0\r\n:-1\r\n:-1\r\n");
}

TEST_F(BitFieldsTest, AFailedWriteStillMakesRoom) {
  EXPECT_EQ(Step("OVERFLOW FAIL INCRBY u8 0 500"), "$-1");
  EXPECT_EQ(Run("STRLEN k"), ":1\r\n");
}

TEST_F(BitFieldsTest, RefusesBadTypesOffsetsAndWords) {
  const std::string bad_type =
      "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but "
      "i64 is.\r\n";
  for (const char* type : {"u64", "i65", "u0", "x8", "u", "U8", "u08", "u+8", "i-8"}) {
    EXPECT_EQ(Run(std::string("BITFIELD s GET ") + type + " 0"), bad_type) << type;
  }
  for (const char* offset : {"-1", "#", "#-1", "x", "#536870912", "#9223372036854775807"}) {
    EXPECT_EQ(Run(std::string("BITFIELD h GET u8 ") + offset),
              "-ERR bit offset is not an integer or out of range\r\n")
        << offset;
  }
  for (const char* words : {"GET", "GET u8", "FOO u8 0 1", "SET u8 0", "OVERFLOW", "GET u8 0 x",
                            "OVERFLOW SAT SET u8"}) {
    EXPECT_EQ(Run(std::string("BITFIELD s ") + words), kSyntax) << words;
  }
  EXPECT_EQ(Run("BITFIELD s OVERFLOW foo"), "-ERR Invalid OVERFLOW type specified\r\n");
  EXPECT_EQ(Run("BITFIELD h SET u8 0 x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("BITFIELD h SET u8 0 1"), kWrongTypeReply);
  EXPECT_EQ(Run("BITFIELD h"), kWrongTypeReply);
  EXPECT_EQ(Run("GET s"), "$6\r\nfoobar\r\n");
}

TEST_F(BitFieldsTest, ReadOnlyFormOnlyReads) {
  const std::string only_get = "-ERR BITFIELD_RO only supports the GET subcommand\r\n";
  EXPECT_EQ(Run("BITFIELD_RO s SET u8 0 1"), only_get);
  EXPECT_EQ(Run("BITFIELD_RO h INCRBY u8 0 1"), only_get);
  EXPECT_EQ(Run("BITFIELD_RO s OVERFLOW SAT GET u8 0"), "*1\r\n:102\r\n");
  EXPECT_EQ(Run("BITFIELD_RO s INCRBY u8 0 x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("BITFIELD_RO h GET u8 0"), kWrongTypeReply);
}

}  // namespace
}  // namespace cloakroom
