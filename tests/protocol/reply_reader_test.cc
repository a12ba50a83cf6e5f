#include "protocol/reply_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace cloakroom {
namespace {

using ::testing::ElementsAre;
using Kind = ReplyValue::Kind;
using Status = ReplyReader::Status;

struct Outcome {
  std::vector<ReplyValue> replies;
  std::string error;
  std::string rest;
};

Outcome ReadInPieces(std::string_view bytes, size_t piece, const ReplyLimits& limits) {
  ReplyReader reader(limits);
  Outcome outcome;
  while (!bytes.empty() && outcome.error.empty()) {
    outcome.rest += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
    Status status = reader.Read(outcome.rest);
    for (; status == Status::kReply; status = reader.Read(outcome.rest)) {
      outcome.replies.push_back(reader.TakeReply());
    }
    if (status == Status::kError) outcome.error = reader.error();
    outcome.rest.erase(0, reader.TakeConsumed());
  }
  return outcome;
}

/// Reads the bytes at once and byte by byte, which must not differ.
Outcome ReadAll(std::string_view bytes, const ReplyLimits& limits = {}) {
  Outcome whole = ReadInPieces(bytes, std::max<size_t>(bytes.size(), 1), limits);
  Outcome dribbled = ReadInPieces(bytes, 1, limits);
  EXPECT_EQ(whole.replies, dribbled.replies);
  EXPECT_EQ(whole.error, dribbled.error);
  return whole;
}

/// REQUIRES: `bytes` are exactly one reply.
ReplyValue ReadOne(std::string_view bytes) {
  Outcome outcome = ReadAll(bytes);
  EXPECT_EQ(outcome.error, "") << bytes;
  EXPECT_EQ(outcome.rest, "") << bytes;
  return outcome.replies.size() == 1 ? outcome.replies[0] : ReplyValue::Error("not one reply");
}

TEST(ReplyReaderTest, ReadsResp2Scalars) {
  EXPECT_EQ(ReadOne("+OK\r\n"), ReplyValue::Simple("OK"));
  EXPECT_EQ(ReadOne("+\r\n"), ReplyValue::Simple(""));
  EXPECT_EQ(ReadOne("-ERR no\r\n"), ReplyValue::Error("ERR no"));
  EXPECT_EQ(ReadOne(":-12\r\n"), ReplyValue::Integer(-12));
  EXPECT_EQ(ReadOne("$4\r\na\r\nb\r\n"), ReplyValue::Bulk("a\r\nb"));
  EXPECT_EQ(ReadOne("$0\r\n\r\n"), ReplyValue::Bulk(""));
}

TEST(ReplyReaderTest, TellsTheNullsApart) {
  EXPECT_EQ(ReadOne("$-1\r\n").kind, Kind::kNull);
  EXPECT_EQ(ReadOne("*-1\r\n").kind, Kind::kNullArray);
  EXPECT_EQ(ReadOne("_\r\n").kind, Kind::kNull);
  EXPECT_TRUE(ReadOne("*-1\r\n").is_null());
  EXPECT_FALSE(ReadOne("*0\r\n").is_null());
}

TEST(ReplyReaderTest, ReadsResp3Scalars) {
  EXPECT_EQ(ReadOne(",1.5\r\n").number, 1.5);
  EXPECT_EQ(ReadOne(",-inf\r\n").number, -std::numeric_limits<double>::infinity());
  EXPECT_EQ(ReadOne("#t\r\n").integer, 1);
  EXPECT_EQ(ReadOne("#f\r\n").kind, Kind::kBool);
  EXPECT_EQ(ReadOne("(-123\r\n"), ReplyValue::Text(Kind::kBigNumber, "-123"));
  EXPECT_EQ(ReadOne("=7\r\ntxt:abc\r\n"), ReplyValue::Text(Kind::kVerbatim, "txt:abc"));
  EXPECT_EQ(ReadOne("!6\r\nERR\r\na\r\n"), ReplyValue::Error("ERR\r\na"));
}

TEST(ReplyReaderTest, ReadsNanWhichEqualsNothing) {
  ReplyReader reader;
  ASSERT_EQ(reader.Read(",nan\r\n"), Status::kReply);
  EXPECT_TRUE(std::isnan(reader.TakeReply().number));
}

TEST(ReplyReaderTest, ReadsNestedArrays) {
  EXPECT_EQ(ReadOne("*3\r\n:1\r\n*2\r\n+a\r\n*0\r\n$1\r\nb\r\n"),
            ReplyValue::Array({ReplyValue::Integer(1),
                               ReplyValue::Array({ReplyValue::Simple("a"), ReplyValue::Array({})}),
                               ReplyValue::Bulk("b")}));
}

TEST(ReplyReaderTest, ReadsMapsSetsAndPushes) {
  EXPECT_EQ(
      ReadOne("%1\r\n+k\r\n~1\r\n:1\r\n"),
      ReplyValue::Items(Kind::kMap, {ReplyValue::Simple("k"),
                                     ReplyValue::Items(Kind::kSet, {ReplyValue::Integer(1)})}));
  EXPECT_EQ(ReadOne(">1\r\n+a\r\n").kind, Kind::kPush);
  EXPECT_EQ(ReadOne("%0\r\n").kind, Kind::kMap);
}

TEST(ReplyReaderTest, AttributesAnnotateTheNextValue) {
  ReplyValue value = ReadOne("|1\r\n+ttl\r\n:5\r\n*2\r\n|1\r\n+a\r\n*1\r\n+b\r\n:1\r\n:2\r\n");
  EXPECT_THAT(value.attributes, ElementsAre(ReplyValue::Simple("ttl"), ReplyValue::Integer(5)));
  ASSERT_EQ(value.items.size(), 2u);
  EXPECT_THAT(value.items[0].attributes,
              ElementsAre(ReplyValue::Simple("a"), ReplyValue::Array({ReplyValue::Simple("b")})));
  EXPECT_TRUE(value.items[1].attributes.empty());
  EXPECT_TRUE(ReadOne("|0\r\n:1\r\n").attributes.empty());
}

TEST(ReplyReaderTest, ReadsRepliesOneByOne) {
  Outcome outcome = ReadAll("+a\r\n:1\r\n*1\r\n+b\r\n$5\r\nab");
  EXPECT_THAT(outcome.replies, ElementsAre(ReplyValue::Simple("a"), ReplyValue::Integer(1),
                                           ReplyValue::Array({ReplyValue::Simple("b")})));
  EXPECT_EQ(outcome.rest, "ab");
  EXPECT_EQ(outcome.error, "");
}

TEST(ReplyReaderTest, SaysHowManyBytesALargeStringWants) {
  ReplyReader reader;
  EXPECT_EQ(reader.Read("$100\r\nabc"), Status::kNeedMore);
  EXPECT_EQ(reader.bytes_wanted(), 99u);
}

TEST(ReplyReaderTest, RefusesWhatIsMalformed) {
  for (const char* bytes : {"\r\n",    "x\r\n",   "+OK\n",    ":\r\n",         ":1a\r\n",
                            ":01\r\n", "$x\r\n",  "$-2\r\n",  "$2\r\nabcd",    "*-2\r\n",
                            "*x\r\n",  "_x\r\n",  ",abc\r\n", "#\r\n",         "#x\r\n",
                            "(\r\n",   "(-\r\n",  "(12a\r\n", "=3\r\ntxt\r\n", "=4\r\ntxt.\r\n",
                            "%-1\r\n", "~-1\r\n", "=-1\r\n",  "$?\r\n",        "*?\r\n"}) {
    EXPECT_THAT(ReadAll(bytes).error, ::testing::StartsWith("Protocol error: ")) << bytes;
  }
}

TEST(ReplyReaderTest, ErrorIsForGood) {
  ReplyReader reader;
  EXPECT_EQ(reader.Read("x\r\n"), Status::kError);
  EXPECT_EQ(reader.Read("+OK\r\n+OK\r\n"), Status::kError);
}

TEST(ReplyReaderTest, DepthIsLimited) {
  ReplyLimits limits;
  limits.max_depth = 3;
  EXPECT_EQ(ReadAll("*1\r\n*1\r\n*1\r\n:1\r\n", limits).replies.size(), 1u);
  EXPECT_EQ(ReadAll("*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", limits).error,
            "Protocol error: a reply is nested too deeply");
}

TEST(ReplyReaderTest, NumberOfValuesIsLimitedPerReply) {
  ReplyLimits limits;
  limits.max_values = 3;
  EXPECT_EQ(ReadAll("*2\r\n:1\r\n:2\r\n*2\r\n:1\r\n:2\r\n", limits).replies.size(), 2u);
  EXPECT_EQ(ReadAll("*3\r\n:1\r\n:2\r\n:3\r\n", limits).error,
            "Protocol error: a reply has too many values");
  EXPECT_EQ(ReadAll("*4\r\n", limits).error, "Protocol error: a reply has too many values");
}

TEST(ReplyReaderTest, StringsAndLinesAreLimited) {
  ReplyLimits limits;
  limits.max_bulk = 3;
  limits.max_line = 10;
  EXPECT_EQ(ReadAll("$3\r\nabc\r\n", limits).replies.size(), 1u);
  EXPECT_EQ(ReadAll("$4\r\n", limits).error, "Protocol error: a string is too long");
  EXPECT_EQ(ReadAll("+12345678\r\n", limits).replies.size(), 1u);
  EXPECT_EQ(ReadAll("+1234567890\r\n", limits).error, "Protocol error: a line is too long");
}

// A length without its bytes costs no memory.
TEST(ReplyReaderTest, LengthAloneReservesNothing) {
  std::string bytes;
  for (int i = 0; i < 500; ++i) bytes += "*60000000\r\n";
  EXPECT_EQ(ReadAll(bytes).error, "");
}

}  // namespace
}  // namespace cloakroom
