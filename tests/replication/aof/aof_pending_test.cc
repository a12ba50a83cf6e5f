#include "replication/aof/aof_pending.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/support/test_clock.h"

namespace cloakroom {
namespace {

class AofPendingTest : public ::testing::Test {
 protected:
  AofPendingTest() {
    pending_.set_logging(true);
    pending_.KeepFrom(0);
  }

  /// What the writer would write, with the names of new files in angle brackets.
  std::string TakeAll() {
    std::string text;
    const int64_t claimed = pending_.Claim();
    pending_.TakeMarks(marks_);
    for (; !marks_.empty(); marks_.pop_front()) {
      const AofMark& mark = marks_.front();
      ReadUpTo(mark.position, text);
      if (mark.new_file) text += "<" + mark.new_file->path + ">";
      text += mark.text;
      if (mark.history) text += Statement(mark);
      read_ += mark.skipped;
    }
    ReadUpTo(claimed, text);
    return text;
  }

  const AofHistory kHistory = {.id = "id", .bias = 10};
  TestClock clock_;
  ChangeStream stream_{0};
  AofPending pending_{stream_, clock_};

 private:
  static std::string Statement(const AofMark& mark) {
    const AofHistory& history = *mark.history;
    return absl::StrCat("[@", mark.position, " ", history.known() ? history.id : "none",
                        history.known() ? absl::StrCat("+", history.bias) : "", "]");
  }
  void ReadUpTo(int64_t end, std::string& text) {
    if (end <= read_) return;
    stream_.Read(read_, end, [&](std::string_view piece) { text += piece; });
    read_ = end;
  }

  std::deque<AofMark> marks_;
  int64_t read_ = 0;
};

TEST_F(AofPendingTest, KeepsOrderAndCountsBytes) {
  EXPECT_EQ(pending_.Append("abc"), 3);
  EXPECT_EQ(pending_.Append("de"), 5);
  EXPECT_EQ(pending_.appended(), 5);
  EXPECT_EQ(TakeAll(), "abcde");
  EXPECT_EQ(TakeAll(), "");
  EXPECT_EQ(pending_.Append("f"), 6);
}

TEST_F(AofPendingTest, TheLogLeavesOutWhatIsOnlyForOthers) {
  pending_.Append("a");
  EXPECT_EQ(pending_.AppendUnlogged("ping"), 5);
  pending_.Append("b");
  EXPECT_EQ(TakeAll(), "ab");
  pending_.AppendUnlogged("ping");
  EXPECT_FALSE(pending_.Await(true, 0, 0)) << "it wakes no writer";
}

TEST_F(AofPendingTest, WhatIsOnlyForOthersWakesAWriterThatAskedForItOnce) {
  pending_.set_unlogged_wakes(true);
  pending_.AppendUnlogged("ping");
  EXPECT_TRUE(pending_.Await(true, 0, 0));
  TakeAll();
  pending_.AppendUnlogged("ping");
  EXPECT_FALSE(pending_.Await(true, 0, 0));
}

TEST_F(AofPendingTest, TheLogOfAReplicaIsThePrimarysStreamWithoutWhatIsOnlyForOthers) {
  const auto follow = [&](std::string_view bytes, std::optional<std::string> instead) {
    const int64_t begin = stream_.tail();
    bytes.copy(stream_.Room(begin).data(), bytes.size());
    pending_.Extend(begin + static_cast<int64_t>(bytes.size()), 0, std::move(instead));
  };
  follow("abc", std::nullopt);
  follow("PING", "");
  follow("de", std::nullopt);
  follow("foreign", "f");
  EXPECT_TRUE(pending_.Await(/*for_bytes=*/true, 1'000'000, 0));
  EXPECT_EQ(TakeAll(), "abcdef");
  EXPECT_EQ(pending_.appended(), 16);
}

TEST_F(AofPendingTest, ASwitchStandsBetweenTheBytesOfTheFiles) {
  pending_.Append("old");
  EXPECT_EQ(pending_.Switch({"next", nullptr}), 3);
  pending_.Append("new");
  EXPECT_EQ(TakeAll(), "old<next>new");
}

// ---- changes

ChangeBatch SetInDatabase3() {
  ChangeBatch batch;
  batch.Add(3, ChangeKind::kCommand, {"SET", "k", "v"});
  return batch;
}

const std::string kSelect3 = "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n";
const std::string kSet = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";

TEST_F(AofPendingTest, EachFileSaysTheDatabaseThatIsSelectedThere) {
  pending_.Switch({"first", nullptr});
  pending_.AppendChanges(SetInDatabase3());
  pending_.AppendChanges(SetInDatabase3());
  pending_.Switch({"next", nullptr});
  pending_.AppendChanges(SetInDatabase3());
  EXPECT_EQ(TakeAll(), "<first>" + kSelect3 + kSet + kSet + "<next>" + kSelect3 + kSet);
}

TEST_F(AofPendingTest, AppendsAndSwitchesAtOnceLeaveEveryFileWithItsDatabase) {
  constexpr int kSets = 20'000;
  const ChangeBatch batch = SetInDatabase3();
  pending_.AppendChanges(batch);
  std::thread appender([&] {
    for (int i = 1; i < kSets; i++) pending_.AppendChanges(batch);
  });
  for (int i = 0; i < 200; i++) pending_.Switch({"next", nullptr});
  appender.join();
  int sets = 0;
  const std::vector<std::string> files = absl::StrSplit(TakeAll(), "<next>");
  for (const std::string& file : files) {
    ASSERT_TRUE(file.starts_with(kSelect3));
    const std::string rest = file.substr(kSelect3.size());
    ASSERT_EQ(rest.find("SELECT"), rest.npos);
    ASSERT_EQ(rest.size() % kSet.size(), 0U);
    sets += static_cast<int>(rest.size() / kSet.size());
  }
  EXPECT_EQ(sets, kSets);
}

TEST_F(AofPendingTest, ATimestampStandsBeforeTheFirstRecordOfASecond) {
  pending_.set_timestamps(true);
  EXPECT_EQ(pending_.Append("a"), 1);
  pending_.Append("b");
  clock_.AdvanceMs(1000);
  pending_.Append("c");
  pending_.Switch({"next", nullptr});
  pending_.Append("d");
  EXPECT_EQ(TakeAll(), "#TS:1800000000\r\nab#TS:1800000001\r\nc<next>#TS:1800000001\r\nd");
}

// ---- the history

TEST_F(AofPendingTest, AHistoryIsAMarkAtTheTail) {
  pending_.Append("a");
  pending_.SetHistory(kHistory);
  pending_.SetHistory(kHistory);
  pending_.Append("b");
  EXPECT_EQ(TakeAll(), "a[@1 id+10]b") << "once";
  pending_.SetHistory({});
  pending_.Append("c");
  EXPECT_EQ(TakeAll(), "[@2 none]c");
}

TEST_F(AofPendingTest, WithoutAHistoryNothingIsStated) {
  pending_.SetHistory({});
  pending_.Switch({"next", nullptr});
  pending_.set_logging(false);
  pending_.Begin(/*is_new=*/true);
  EXPECT_EQ(TakeAll(), "<next>");
}

TEST_F(AofPendingTest, EachFileStatesTheHistory) {
  pending_.set_logging(false);
  pending_.SetHistory(kHistory);
  pending_.AppendChanges(SetInDatabase3());
  pending_.Switch({"first", nullptr});
  EXPECT_EQ(TakeAll(), kSelect3 + kSet + "<first>" + kSelect3 + "[@50 id+10]");
  pending_.set_logging(false);
  pending_.Begin(/*is_new=*/true);
  EXPECT_EQ(TakeAll(), kSelect3 + "[@50 id+10]");
  pending_.set_logging(false);
  pending_.Begin(/*is_new=*/false);
  EXPECT_EQ(TakeAll(), "[@50 id+10]");
}

TEST_F(AofPendingTest, AStatementThatDoesNotHoldAnyMoreIsTakenBack) {
  pending_.set_logging(false);
  pending_.NoteStatements();
  pending_.Begin(/*is_new=*/false);
  EXPECT_EQ(TakeAll(), "[@0 none]");
}

TEST_F(AofPendingTest, ALogThatIsNotTrustedStatesNothingUntilItsNextBase) {
  pending_.Distrust();
  pending_.SetHistory(kHistory);
  EXPECT_EQ(TakeAll(), "");
  pending_.Switch({"first", nullptr});
  EXPECT_EQ(TakeAll(), "<first>[@0 id+10]");
  pending_.Distrust();
  pending_.Distrust();
  pending_.SetHistory({.id = "id", .bias = 20});
  EXPECT_EQ(TakeAll(), "[@0 none]");
  pending_.Switch({"next", nullptr});
  EXPECT_EQ(TakeAll(), "<next>[@0 id+20]");
}

TEST_F(AofPendingTest, AMarkIsSetBeforeTheWriterComesThere) {
  const ChangeBatch batch = SetInDatabase3();
  const ChangePlace place = pending_.Reserve(batch, ChangeStream::kNoSlot, AofPending::Due::kNow);
  pending_.Switch({"next", nullptr});
  EXPECT_EQ(TakeAll(), "") << "the record before the switch is not complete";
  EXPECT_FALSE(pending_.Await(true, 0, 0)) << "so there is nothing to do";
  pending_.Complete(batch, place);
  EXPECT_TRUE(pending_.Await(true, INT64_MAX, 0));
  EXPECT_EQ(TakeAll(), kSelect3 + kSet + "<next>" + kSelect3);
}

TEST_F(AofPendingTest, BytesOnDemandAreDueWhenTheyAreNamed) {
  const int64_t first = pending_.Append("a", AofPending::Due::kOnDemand);
  EXPECT_FALSE(pending_.Await(true, 0, 0));
  pending_.Demand(first);
  EXPECT_TRUE(pending_.Await(true, INT64_MAX, 0));
  EXPECT_EQ(TakeAll(), "a");
  pending_.Append("b", AofPending::Due::kOnDemand);
  pending_.Demand(first);
  EXPECT_FALSE(pending_.Await(true, 0, 0)) << "it was taken long since";
  pending_.Append("c");
  EXPECT_TRUE(pending_.Await(true, INT64_MAX, 0));
  EXPECT_EQ(TakeAll(), "bc") << "with what is due";
}

TEST_F(AofPendingTest, ManyBytesWaitForNoDemand) {
  pending_.Append(std::string(AofPending::kFull - 1, 'x'), AofPending::Due::kOnDemand);
  EXPECT_FALSE(pending_.Await(true, 0, 0));
  pending_.Append("x", AofPending::Due::kOnDemand);
  EXPECT_TRUE(pending_.Await(true, INT64_MAX, 0));
}

TEST_F(AofPendingTest, WhatIsDemandedIsDueWhenWhatStandsBeforeItIsComplete) {
  const ChangeBatch batch = SetInDatabase3();
  const ChangePlace place =
      pending_.Reserve(batch, ChangeStream::kNoSlot, AofPending::Due::kOnDemand);
  pending_.Demand(pending_.Append("a", AofPending::Due::kOnDemand));
  EXPECT_FALSE(pending_.Await(true, 0, 0));
  std::thread slow([&] { pending_.Complete(batch, place); });
  EXPECT_TRUE(pending_.Await(true, INT64_MAX, 0));
  slow.join();
}

TEST_F(AofPendingTest, ADemandWakesTheWriter) {
  const int64_t offset = pending_.Append("a", AofPending::Due::kOnDemand);
  std::thread demander([&] { pending_.Demand(offset); });
  EXPECT_TRUE(pending_.Await(true, INT64_MAX, 0));
  demander.join();
}

TEST_F(AofPendingTest, ANewFileIsDueAtOnce) {
  pending_.Switch({"next", nullptr});
  EXPECT_TRUE(pending_.Await(true, INT64_MAX, 0));
}

TEST_F(AofPendingTest, AwaitEndsWhenBytesAreThereOrItIsWoken) {
  pending_.Append("a");
  pending_.Await(true, INT64_MAX, 0);
  pending_.Wake();
  pending_.Await(false, INT64_MAX, 0);
  TakeAll();
  std::thread appender([this] { pending_.Append("b"); });
  pending_.Await(true, INT64_MAX, 1);
  appender.join();
  EXPECT_EQ(TakeAll(), "b");
}

}  // namespace
}  // namespace cloakroom
