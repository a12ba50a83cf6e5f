#include "protocol/reply_writer.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <memory>
#include <string>

namespace cloakroom {
namespace {

/// What `write` encodes, in RESP2 or RESP3.
template <typename Write>
std::string Encode(int resp, Write write) {
  OutputBuffer out;
  ReplyWriter writer(out, resp);
  write(writer);
  std::array<std::string_view, 16> spans;
  std::string encoded;
  for (size_t i = 0, n = out.Gather(spans); i < n; ++i) encoded += spans[i];
  return encoded;
}

#define ENCODED(resp, call) Encode(resp, [](ReplyWriter& w) { w.call; })

TEST(ReplyWriterTest, StatusIsALine) {
  EXPECT_EQ(ENCODED(2, Ok()), "+OK\r\n");
  EXPECT_EQ(ENCODED(2, Simple("PONG")), "+PONG\r\n");
  EXPECT_EQ(ENCODED(2, Simple("")), "+\r\n");
}

TEST(ReplyWriterTest, StatusCannotSmuggleASecondReply) {
  EXPECT_EQ(ENCODED(2, Simple("a\r\n:1")), "+a  :1\r\n");
}

TEST(ReplyWriterTest, ErrorLosesItsNewlines) {
  EXPECT_EQ(ENCODED(2, Error("ERR no such key")), "-ERR no such key\r\n");
  EXPECT_EQ(ENCODED(2, Error("ERR a\r\n+OK")), "-ERR a  +OK\r\n");
  EXPECT_EQ(ENCODED(2, Error("ERR a\r\n\n")), "-ERR a\r\n");
  EXPECT_EQ(ENCODED(2, Error("")), "-\r\n");
}

TEST(ReplyWriterTest, IntegersCoverTheWholeRange) {
  EXPECT_EQ(ENCODED(2, Integer(0)), ":0\r\n");
  EXPECT_EQ(ENCODED(2, Integer(-1)), ":-1\r\n");
  EXPECT_EQ(ENCODED(2, Integer(std::numeric_limits<int64_t>::min())), ":-9223372036854775808\r\n");
  EXPECT_EQ(ENCODED(2, BulkInteger(-12)), "$3\r\n-12\r\n");
}

TEST(ReplyWriterTest, BulkHoldsAnyBytes) {
  EXPECT_EQ(ENCODED(2, Bulk("value")), "$5\r\nvalue\r\n");
  EXPECT_EQ(ENCODED(2, Bulk("")), "$0\r\n\r\n");
  EXPECT_EQ(ENCODED(2, Bulk("a\r\nb")), "$4\r\na\r\nb\r\n");
  std::string large(100'000, 'x');
  EXPECT_EQ(Encode(2, [&](ReplyWriter& w) { w.Bulk(large); }), "$100000\r\n" + large + "\r\n");
}

TEST(ReplyWriterTest, SharedBulkIsNotCopied) {
  auto owner = std::make_shared<const std::string>("shared value");
  OutputBuffer out;
  ReplyWriter(out).Bulk(SharedBytes{owner, *owner});
  std::array<std::string_view, 4> spans;
  ASSERT_EQ(out.Gather(spans), 3u);
  EXPECT_EQ(spans[0], "$12\r\n");
  EXPECT_EQ(spans[1].data(), owner->data());
  EXPECT_EQ(spans[2], "\r\n");
}

TEST(ReplyWriterTest, OptionalBulkIsNullWhenEmpty) {
  EXPECT_EQ(ENCODED(2, Bulk(std::optional<std::string_view>("a"))), "$1\r\na\r\n");
  EXPECT_EQ(ENCODED(2, Bulk(std::optional<std::string_view>())), "$-1\r\n");
  EXPECT_EQ(ENCODED(3, Bulk(std::optional<std::string>())), "_\r\n");
}

TEST(ReplyWriterTest, NullsDifferInResp2Only) {
  EXPECT_EQ(ENCODED(2, Null()), "$-1\r\n");
  EXPECT_EQ(ENCODED(2, NullArray()), "*-1\r\n");
  EXPECT_EQ(ENCODED(3, Null()), "_\r\n");
  EXPECT_EQ(ENCODED(3, NullArray()), "_\r\n");
}

TEST(ReplyWriterTest, AggregatesAreArraysInResp2) {
  EXPECT_EQ(ENCODED(2, Array(12)), "*12\r\n");
  EXPECT_EQ(ENCODED(2, Map(3)), "*6\r\n");
  EXPECT_EQ(ENCODED(2, Set(3)), "*3\r\n");
  EXPECT_EQ(ENCODED(2, Push(3)), "*3\r\n");
}

TEST(ReplyWriterTest, AggregatesHaveTheirTypeInResp3) {
  EXPECT_EQ(ENCODED(3, Array(12)), "*12\r\n");
  EXPECT_EQ(ENCODED(3, Map(3)), "%3\r\n");
  EXPECT_EQ(ENCODED(3, Set(3)), "~3\r\n");
  EXPECT_EQ(ENCODED(3, Push(3)), ">3\r\n");
  EXPECT_EQ(ENCODED(3, Attribute(1)), "|1\r\n");
}

TEST(ReplyWriterTest, DoublesAreBulksInResp2) {
  EXPECT_EQ(ENCODED(2, Double(0.1)), "$19\r\n0.10000000000000001\r\n");
  EXPECT_EQ(ENCODED(3, Double(0.1)), ",0.10000000000000001\r\n");
  EXPECT_EQ(ENCODED(3, Double(3)), ",3\r\n");
  EXPECT_EQ(ENCODED(2, Double(-std::numeric_limits<double>::infinity())), "$4\r\n-inf\r\n");
  EXPECT_EQ(ENCODED(3, Double(std::numeric_limits<double>::infinity())), ",inf\r\n");
}

TEST(ReplyWriterTest, BooleansAreIntegersInResp2) {
  EXPECT_EQ(ENCODED(2, Bool(true)), ":1\r\n");
  EXPECT_EQ(ENCODED(2, Bool(false)), ":0\r\n");
  EXPECT_EQ(ENCODED(3, Bool(true)), "#t\r\n");
  EXPECT_EQ(ENCODED(3, Bool(false)), "#f\r\n");
}

TEST(ReplyWriterTest, BigNumbersAreBulksInResp2) {
  EXPECT_EQ(ENCODED(2, BigNumber("123")), "$3\r\n123\r\n");
  EXPECT_EQ(ENCODED(3, BigNumber("123")), "(123\r\n");
}

TEST(ReplyWriterTest, VerbatimNamesItsFormatInResp3Only) {
  EXPECT_EQ(ENCODED(2, Verbatim("txt", "a\nb")), "$3\r\na\nb\r\n");
  EXPECT_EQ(ENCODED(3, Verbatim("txt", "a\nb")), "=7\r\ntxt:a\nb\r\n");
}

TEST(ReplyWriterTest, DeferredCountsStandInFront) {
  auto write = [](ReplyWriter& w) {
    w.Ok();
    size_t outer = w.BeginArray();
    w.Bulk("a");
    size_t inner = w.BeginArray();
    w.Integer(1);
    w.Integer(2);
    w.EndSet(inner, 2);
    size_t map = w.BeginArray();
    w.EndMap(map, 0);
    w.EndArray(outer, 3);
  };
  EXPECT_EQ(Encode(2, write), "+OK\r\n*3\r\n$1\r\na\r\n*2\r\n:1\r\n:2\r\n*0\r\n");
  EXPECT_EQ(Encode(3, write), "+OK\r\n*3\r\n$1\r\na\r\n~2\r\n:1\r\n:2\r\n%0\r\n");
}

TEST(ReplyWriterTest, DeferredMapCountsPairsInResp2) {
  auto write = [](ReplyWriter& w) {
    size_t map = w.BeginArray();
    w.Raw(":1\r\n:2\r\n");
    w.EndMap(map, 1);
  };
  EXPECT_EQ(Encode(2, write), "*2\r\n:1\r\n:2\r\n");
  EXPECT_EQ(Encode(3, write), "%1\r\n:1\r\n:2\r\n");
}

TEST(ReplyWriterTest, VersionMayChangeBetweenReplies) {
  EXPECT_EQ(Encode(2,
                   [](ReplyWriter& w) {
                     w.Null();
                     w.set_resp(3);
                     w.Null();
                   }),
            "$-1\r\n_\r\n");
}

}  // namespace
}  // namespace cloakroom
