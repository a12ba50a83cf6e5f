#include "replication/aof/aof_history.h"

#include <gtest/gtest.h>

#include <string>

namespace cloakroom {
namespace {

using Kind = AofStatement::Kind;

const std::string kId(40, 'a');

Kind KindOf(const std::string& line) { return AofStatement::Of(line).value().kind; }

TEST(AofHistoryTest, ALineSaysTheOffsetOfAPosition) {
  const AofHistory history = {.id = kId, .bias = 1000};
  EXPECT_EQ(history.Line(5), "#REPL:" + kId + ":1005\r\n");
  EXPECT_EQ(history.OffsetLine(6), "#OFF:1006\r\n");
  EXPECT_EQ(AofHistory().Line(5), "#REPL:-\r\n");
}

TEST(AofHistoryTest, WhatWasWrittenCanBeRead) {
  const std::string line = "#REPL:" + kId + ":1005";
  const AofStatement statement = AofStatement::Of(line).value();
  EXPECT_EQ(statement.kind, Kind::kHistory);
  EXPECT_EQ(statement.id, kId);
  EXPECT_EQ(statement.offset, 1005);
  const AofStatement offset = AofStatement::Of("#OFF:0").value();
  EXPECT_EQ(offset.kind, Kind::kOffset);
  EXPECT_EQ(offset.offset, 0);
  EXPECT_EQ(KindOf("#REPL:-"), Kind::kUnknown);
}

TEST(AofHistoryTest, OtherAnnotationsAreNotItsBusiness) {
  EXPECT_FALSE(AofStatement::Of("#TS:1700000000"));
  EXPECT_FALSE(AofStatement::Of("#"));
  EXPECT_FALSE(AofStatement::Of("# REPL:-"));
}

TEST(AofHistoryTest, AStatementThatMakesNoSenseSaysThatNothingIsKnown) {
  for (const std::string& line :
       {std::string("#REPL:"), "#REPL:" + kId, "#REPL:" + kId + ":", "#REPL:" + kId + ":x",
        "#REPL:" + kId + ":-1", "#REPL:" + kId + " 5", "#REPL:" + std::string(39, 'a') + ":5",
        "#REPL:" + std::string(40, 'g') + ":5", "#REPL:" + kId + "a:5",
        "#REPL:" + kId + ":9223372036854775807", std::string("#OFF:"), std::string("#OFF:-1"),
        std::string("#OFF:5 "), std::string("#OFF:99999999999999999999")}) {
    EXPECT_EQ(KindOf(line), Kind::kUnknown) << line;
  }
}

}  // namespace
}  // namespace cloakroom
