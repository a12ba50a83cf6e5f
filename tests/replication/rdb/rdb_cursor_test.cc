#include "replication/rdb/rdb_cursor.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/replication/support/rdb_bytes.h"

namespace cloakroom {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

uint64_t LengthIn(std::string_view bytes) {
  RdbCursor cursor(bytes);
  const uint64_t length = cursor.Length();
  EXPECT_TRUE(cursor.ok() && cursor.at_end());
  return length;
}

TEST(RdbCursorTest, ReadsLengthsOfEverySize) {
  EXPECT_EQ(LengthIn("\x00"s), 0u);
  EXPECT_EQ(LengthIn("\x3f"), 63u);
  EXPECT_EQ(LengthIn("\x40\x40"), 64u);
  EXPECT_EQ(LengthIn("\x7f\xff"), 16383u);
  EXPECT_EQ(LengthIn("\x80\x00\x01\x00\x00"s), 65536u);
  EXPECT_EQ(LengthIn("\x81\x00\x00\x00\x01\x00\x00\x00\x02"s), (uint64_t{1} << 32) + 2);
}

TEST(RdbCursorTest, ReadsStringsOfEveryForm) {
  RdbCursor cursor("\x02hi\xc0\xff\xc1\x00\x80\xc2\x00\x00\x00\x80\xc3\x02\x04\x00z"sv);
  EXPECT_EQ(cursor.String().bytes, "hi");
  EXPECT_EQ(cursor.String().integer, -1);
  EXPECT_EQ(cursor.String().integer, -32768);
  EXPECT_EQ(cursor.String().integer, INT32_MIN);
  const RdbString compressed = cursor.String();
  EXPECT_EQ(compressed.kind, RdbString::Kind::kLzf);
  EXPECT_EQ(compressed.bytes, "\x00z"s);
  EXPECT_EQ(compressed.size, 4u);
  EXPECT_TRUE(cursor.ok());
}

TEST(RdbCursorTest, SaysHowMuchIsMissingAndStaysThere) {
  RdbCursor cursor(
      "\x0a"
      "abc");
  EXPECT_EQ(cursor.String().bytes, "");
  EXPECT_FALSE(cursor.ok());
  EXPECT_EQ(cursor.missing(), 7u);
  EXPECT_EQ(cursor.position(), 1u);
  EXPECT_EQ(cursor.Byte(), 0);
  EXPECT_TRUE(absl::IsOutOfRange(cursor.status()));
}

TEST(RdbCursorTest, RefusesUnknownForms) {
  for (const std::string& bytes : {"\xc4\x01"s, "\xff"s, "\x82\x00\x00"s}) {
    RdbCursor cursor(bytes);
    cursor.String();
    EXPECT_FALSE(cursor.ok());
    EXPECT_EQ(cursor.missing(), 0u);
    EXPECT_TRUE(absl::IsDataLoss(cursor.status()));
  }
  RdbCursor cursor("\xc0\x05");
  cursor.Length();
  EXPECT_EQ(cursor.status().message(), "a string where a length should be");
}

TEST(RdbCursorTest, AStringThatCannotBecomeSoLargeIsRefused) {
  RdbCursor cursor("\xc3\x02\x80\x10\x00\x00\x00\x00z"sv);
  cursor.String();
  EXPECT_EQ(cursor.status().message(), "Invalid LZF compressed string");
}

TEST(RdbCursorTest, HugeClaimsAreMerelyMissing) {
  RdbCursor cursor("\x81\xff\xff\xff\xff\xff\xff\xff\xff");
  cursor.String();
  EXPECT_EQ(cursor.missing(), UINT64_MAX);
}

}  // namespace
}  // namespace cloakroom
