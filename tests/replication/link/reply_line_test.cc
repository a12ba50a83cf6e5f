#include "replication/link/reply_line.h"

#include <gtest/gtest.h>

#include <vector>

namespace cloakroom {
namespace {

using Status = ReplyLine::Status;

TEST(ReplyLineTest, TakesOneLineAndLeavesTheRest) {
  ReplyLine line;
  std::string_view bytes = "+OK\r\n+FULL\n\n$5\r\nREDIS";
  std::vector<std::string> lines;
  while (line.Take(bytes) == Status::kLine) lines.emplace_back(line.text());
  EXPECT_EQ(lines, (std::vector<std::string>{"+OK", "+FULL", "", "$5"}));
  EXPECT_EQ(bytes, "");
  bytes = "\r\nrest";
  EXPECT_EQ(line.Take(bytes), Status::kLine);
  EXPECT_EQ(line.text(), "REDIS");
  EXPECT_EQ(bytes, "rest");
}

TEST(ReplyLineTest, ALineMayComeByteByByte) {
  ReplyLine line;
  for (char c : std::string("+CONTINUE\r")) {
    std::string_view byte(&c, 1);
    EXPECT_EQ(line.Take(byte), Status::kNeedMore);
    EXPECT_EQ(byte, "");
  }
  std::string_view end = "\n";
  EXPECT_EQ(line.Take(end), Status::kLine);
  EXPECT_EQ(line.text(), "+CONTINUE");
}

TEST(ReplyLineTest, OnlyTheLastCarriageReturnIsTheEnd) {
  ReplyLine line;
  std::string_view bytes = "a\rb\r\r\n";
  EXPECT_EQ(line.Take(bytes), Status::kLine);
  EXPECT_EQ(line.text(), "a\rb\r");
}

TEST(ReplyLineTest, MoreThanAKilobyteIsTooLongHoweverItComes) {
  const std::string most(ReplyLine::kMax, 'x');
  ReplyLine line;
  std::string_view bytes = most;
  EXPECT_EQ(line.Take(bytes), Status::kNeedMore);
  bytes = "\n";
  EXPECT_EQ(line.Take(bytes), Status::kLine);
  EXPECT_EQ(line.text(), most);
  for (size_t cut = 0; cut <= most.size(); cut += 64) {
    ReplyLine other;
    const std::string longer = most + "x\n";
    bytes = std::string_view(longer).substr(0, cut);
    EXPECT_EQ(other.Take(bytes), Status::kNeedMore);
    bytes = std::string_view(longer).substr(cut);
    EXPECT_EQ(other.Take(bytes), Status::kTooLong);
  }
}

TEST(ReplyLineTest, ClearForgetsWhatWasGathered) {
  ReplyLine line;
  std::string_view bytes = "half a li";
  EXPECT_EQ(line.Take(bytes), Status::kNeedMore);
  line.Clear();
  bytes = "whole\n";
  EXPECT_EQ(line.Take(bytes), Status::kLine);
  EXPECT_EQ(line.text(), "whole");
}

}  // namespace
}  // namespace cloakroom
