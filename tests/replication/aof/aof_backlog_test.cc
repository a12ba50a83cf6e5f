#include "replication/aof/aof_backlog.h"

#include <gtest/gtest.h>

#include <string>

#include "replication/aof/aof_reader.h"

namespace cloakroom {
namespace {

const std::string kId(40, 'a');
const std::string kOther(40, 'b');
const std::string kSet = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";
const std::string kMulti = "*1\r\n$5\r\nMULTI\r\n";
const std::string kExec = "*1\r\n$4\r\nEXEC\r\n";
constexpr auto kSetSize = int64_t{27};

std::string Select(char db) { return std::string("*2\r\n$6\r\nSELECT\r\n$1\r\n") + db + "\r\n"; }
std::string Repl(const std::string& id, int64_t offset) {
  return "#REPL:" + id + ":" + std::to_string(offset) + "\r\n";
}
std::string Off(int64_t offset) { return "#OFF:" + std::to_string(offset) + "\r\n"; }

class AofBacklogTest : public ::testing::Test {
 protected:
  /// The next file of the log, as far as it is whole.
  void Read(const std::string& text) {
    backlog_.BeginFile();
    ReadOn(text);
  }
  /// What follows its RDB.
  void ReadOn(const std::string& text) {
    StringSource source(text);
    AofReader reader(source);
    reader.OnAnnotation([this](std::string_view line) { backlog_.NoteAnnotation(line); });
    while (reader.Next() == AofReader::Status::kCommand) {
      backlog_.NoteCommand(reader.arguments(), reader.bytes(), reader.in_transaction());
    }
  }
  void Base(int64_t offset) {
    backlog_.BeginFile();
    backlog_.NoteField("repl-stream-db", "3");
    backlog_.NoteField("repl-id", kId);
    backlog_.NoteField("repl-offset", std::to_string(offset));
  }

  /// -1: it is not known.
  int64_t Offset() { return backlog_.place() ? backlog_.place()->offset : -1; }
  std::string PutBack() {
    std::string text;
    stream_.Read(backlog_.place()->begin, stream_.tail(),
                 [&](std::string_view piece) { text += piece; });
    return text;
  }

  ChangeStream stream_{0};
  AofBacklog backlog_{stream_, 1 << 20};
};

TEST_F(AofBacklogTest, TheOffsetIsTheStatedOneAndTheBytesOfTheCommandsSince) {
  Read(Select('2') + Repl(kId, 1000) + kSet + "#TS:5\r\n" + kSet);
  ASSERT_TRUE(backlog_.place());
  EXPECT_EQ(backlog_.place()->id, kId);
  EXPECT_EQ(Offset(), 1000 + 2 * kSetSize);
  EXPECT_EQ(backlog_.place()->db, 2);
  EXPECT_EQ(PutBack(), kSet + kSet);
}

TEST_F(AofBacklogTest, ALogWithoutStatementsSaysNothing) {
  Read(Select('0') + "#TS:5\r\n" + kSet);
  EXPECT_EQ(Offset(), -1);
  EXPECT_FALSE(backlog_.makes_statements());
  EXPECT_EQ(stream_.tail(), 0);
}

TEST_F(AofBacklogTest, BeforeTheFirstStatementNothingIsKnown) {
  Read(kSet + Off(5) + kSet);
  EXPECT_EQ(Offset(), -1);
  EXPECT_TRUE(backlog_.makes_statements());
  Read(kSet + Repl(kId, 7));
  EXPECT_EQ(Offset(), 7);
  EXPECT_EQ(PutBack(), "");
}

TEST_F(AofBacklogTest, InThePlaceOfBytesThatWereLeftOutAreEmptyLines) {
  Read(Repl(kId, 0) + kSet + Off(kSetSize + 14) + kSet);
  EXPECT_EQ(Offset(), 2 * kSetSize + 14);
  EXPECT_EQ(PutBack(), kSet + std::string(14, '\n') + kSet);
  Read(Repl(kId, 2 * kSetSize + 14) + Off(10'000));
  EXPECT_EQ(Offset(), 10'000);
  EXPECT_EQ(PutBack().size(), 10'000U);
}

TEST_F(AofBacklogTest, MoreThanTheBacklogIsNotFilledUp) {
  Read(Repl(kId, 0) + kSet + Off(int64_t{1} << 60) + kSet);
  EXPECT_EQ(Offset(), (int64_t{1} << 60) + kSetSize);
  EXPECT_EQ(PutBack(), kSet);
}

TEST_F(AofBacklogTest, AStatementOfWhatIsKnownChangesNothing) {
  Read(Repl(kId, 0) + kSet + Off(kSetSize) + kSet + Repl(kId, 2 * kSetSize));
  EXPECT_EQ(Offset(), 2 * kSetSize);
  EXPECT_EQ(PutBack(), kSet + kSet);
}

TEST_F(AofBacklogTest, AnOffsetThatGoesBackMakesNoSense) {
  Read(Repl(kId, 0) + kSet + Off(kSetSize - 1) + kSet);
  EXPECT_EQ(Offset(), -1);
}

TEST_F(AofBacklogTest, NothingIsKnownBehindAStatementThatSaysSo) {
  Read(Repl(kId, 0) + kSet + "#REPL:-\r\n" + kSet + Off(100) + kSet);
  EXPECT_EQ(Offset(), -1);
  Read(Select('0'));
  EXPECT_EQ(Offset(), -1);
}

TEST_F(AofBacklogTest, ACommandThatIsNotTheHistorysStandsBetweenStatements) {
  Read(Repl(kId, 0) + kSet + "#REPL:-\r\n" + kSet + Repl(kId, 500) + kSet);
  EXPECT_EQ(Offset(), 500 + kSetSize);
  EXPECT_EQ(PutBack(), kSet);
}

TEST_F(AofBacklogTest, ThePastOfAPromotedServerIsAlsoThatOfItsNewName) {
  Read(Repl(kId, 0) + kSet + Repl(kOther, kSetSize) + kSet);
  EXPECT_EQ(backlog_.place()->id, kOther);
  EXPECT_EQ(Offset(), 2 * kSetSize);
  EXPECT_EQ(PutBack(), kSet + kSet);
}

TEST_F(AofBacklogTest, AnotherHistoryHasAnotherBacklog) {
  Read(Repl(kId, 0) + kSet + Repl(kOther, 7000) + kSet);
  EXPECT_EQ(PutBack(), kSet);
}

TEST_F(AofBacklogTest, ATransactionCountsWhenItIsWhole) {
  Read(Repl(kId, 0) + kSet + kMulti + kSet + Select('5') + kSet);
  EXPECT_EQ(Offset(), kSetSize);
  EXPECT_EQ(PutBack(), kSet);
  EXPECT_EQ(backlog_.place()->db, 0);
  const std::string record = kMulti + kSet + Select('5') + kSet + kExec;
  Read(Repl(kId, kSetSize) + record);
  EXPECT_EQ(Offset(), kSetSize + static_cast<int64_t>(record.size()));
  EXPECT_EQ(PutBack(), kSet + record);
  EXPECT_EQ(backlog_.place()->db, 5);
}

TEST_F(AofBacklogTest, NothingIsStatedWithinATransaction) {
  Read(Repl(kId, 0) + kMulti + kSet + Off(7000) + kExec + kSet);
  EXPECT_EQ(Offset(), -1);
}

// ---- more than one file

TEST_F(AofBacklogTest, AFileThatContinuesTheOneBeforeKeepsTheBacklog) {
  Read(Select('1') + Repl(kId, 1000) + kSet);
  Read(Select('1') + Repl(kId, 1000 + kSetSize) + kSet);
  EXPECT_EQ(Offset(), 1000 + 2 * kSetSize);
  EXPECT_EQ(PutBack(), kSet + kSet);
}

TEST_F(AofBacklogTest, AFileThatSaysNothingYetChangesNothing) {
  Read(Select('1') + Repl(kId, 1000) + kSet);
  Read("");
  EXPECT_EQ(Offset(), 1000 + kSetSize);
  Read(Select('1'));
  EXPECT_EQ(Offset(), 1000 + kSetSize) << "its first statement was torn off";
  EXPECT_EQ(backlog_.place()->db, 1);
  EXPECT_EQ(PutBack(), kSet);
}

TEST_F(AofBacklogTest, AFileOfAServerThatMakesNoStatementsIsNotContinued) {
  Read(Repl(kId, 1000) + kSet);
  Read(Select('0') + kSet);
  EXPECT_EQ(Offset(), -1);
  Read("");
  EXPECT_EQ(Offset(), -1);
}

TEST_F(AofBacklogTest, AFileThatDoesNotSelectFirstIsNotContinuedEither) {
  Read(Repl(kId, 1000) + kSet);
  Read(kSet);
  EXPECT_EQ(Offset(), -1);
}

TEST_F(AofBacklogTest, AGapBetweenFilesEndsTheBacklog) {
  Read(Repl(kId, 1000) + kSet);
  Read(Select('0') + Repl(kId, 2000) + kSet);
  EXPECT_EQ(Offset(), 2000 + kSetSize);
  EXPECT_EQ(PutBack(), kSet);
}

// ---- the base

TEST_F(AofBacklogTest, ABaseWithoutALogSaysItsPlace) {
  Base(700);
  EXPECT_EQ(Offset(), 700);
  EXPECT_EQ(backlog_.place()->db, 3);
  EXPECT_EQ(PutBack(), "");
  Read("");
  EXPECT_EQ(Offset(), 700);
  Read(Select('3') + Repl(kId, 700) + kSet);
  EXPECT_EQ(Offset(), 700 + kSetSize);
  EXPECT_EQ(PutBack(), kSet);
}

TEST_F(AofBacklogTest, CommandsThatMayBeAnybodysEndTheBasesPlace) {
  Base(700);
  ReadOn(kSet);
  EXPECT_EQ(Offset(), -1);
}

TEST_F(AofBacklogTest, ABaseWithBadFieldsSaysNothing) {
  backlog_.BeginFile();
  backlog_.NoteField("repl-id", kId);
  backlog_.NoteField("repl-offset", "-1");
  EXPECT_EQ(Offset(), -1);
  backlog_.BeginFile();
  backlog_.NoteField("repl-offset", "5");
  EXPECT_EQ(Offset(), -1);
}

// ---- memory

TEST_F(AofBacklogTest, TheStreamKeepsOnlyTheBacklog) {
  std::string text = Repl(kId, 0);
  for (int i = 0; i < 200'000; ++i) text += kSet;
  Read(text);
  EXPECT_EQ(Offset(), 200'000 * kSetSize);
  const int64_t bytes = stream_.tail() - backlog_.place()->begin;
  EXPECT_GE(bytes, 1 << 20);
  EXPECT_LT(bytes, (1 << 20) + 128 * 1024);
  EXPECT_LT(stream_.memory(), 2 << 20);
}

}  // namespace
}  // namespace cloakroom
