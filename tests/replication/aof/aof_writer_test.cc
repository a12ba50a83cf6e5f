#include "replication/aof/aof_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "replication/files/file_status.h"
#include "tests/replication/support/faulty_files.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_clock.h"

namespace cloakroom {
namespace {

using Call = FaultyFiles::Call;
using ::testing::ElementsAre;

constexpr int64_t kMinuteUs = 60'000'000;

class Notes final : public AofObserver {
 public:
  void AofNotice(std::string_view text) override { texts.emplace_back(text); }
  void AofWarning(std::string_view text) override { texts.emplace_back(text); }
  void AofLatency(std::string_view event, int64_t) override {
    events.emplace_back(event);
    if (while_writing) while_writing();
  }

  std::vector<std::string> texts, events;
  std::function<void()> while_writing;
};

class AofWriterTest : public ::testing::Test {
 protected:
  AofWriterTest() {
    pending_.set_logging(true);
    files_.Put("dir/a", "");
    writer_.Open({"dir/a", *files_.OpenForAppend("dir/a")}, 0);
  }

  std::string Content() { return *files_.Content("dir/a"); }
  int64_t Syncs() { return files_.Calls(Call::kSync); }
  void AppendAndStep(std::string_view bytes) {
    pending_.Append(bytes);
    writer_.Step();
  }

  TestClock clock_;
  FaultyFiles files_;
  Notes notes_;
  AofDirectory directory_{files_, "dir", "log"};
  ChangeStream stream_{0};
  AofPending pending_{stream_, clock_};
  AofWriter writer_{files_, clock_, directory_, pending_, AofFsync::kAlways, &notes_};
};

TEST_F(AofWriterTest, WhatWasKeptForAnFsyncIsGivenBackWhenThePolicyPromisesNone) {
  writer_.set_fsync(AofFsync::kEverySec);
  clock_.AdvanceMs(1000);
  AppendAndStep("a");  // its fsync was due
  for (int i = 0; i < 40; i++) AppendAndStep(std::string(AofPending::kFull, 'x'));
  EXPECT_EQ(pending_.appended() - writer_.kept_offset(), 40 * AofPending::kFull);
  EXPECT_GE(stream_.memory(), 40 * AofPending::kFull);
  writer_.set_fsync(AofFsync::kNo);
  writer_.Step();
  EXPECT_EQ(writer_.kept_offset(), pending_.appended());
  EXPECT_LT(stream_.memory(), 1'000'000);
}

TEST_F(AofWriterTest, AwaitDurableWaitsAMomentAtMost) {
  const int64_t offset = pending_.Append("abc");
  EXPECT_FALSE(writer_.AwaitDurable(offset, 1));
  std::thread stepper([this] { writer_.Step(); });
  EXPECT_TRUE(writer_.AwaitDurable(offset, kMinuteUs));
  stepper.join();
  files_.FailFrom(1, Call::kSync);
  AppendAndStep("d");
  EXPECT_FALSE(writer_.AwaitDurable(offset + 1, kMinuteUs)) << "it may take for ever";
}

TEST_F(AofWriterTest, AlwaysSyncsAGroupOnce) {
  pending_.Append("abc");
  pending_.Append("def");
  AofWriter::Wait wait = writer_.Step();
  EXPECT_EQ(Content(), "abcdef");
  EXPECT_EQ(Syncs(), 1);
  EXPECT_EQ(writer_.durable_offset(), 6);
  EXPECT_TRUE(wait.for_bytes);
  EXPECT_EQ(wait.gather_us, 0);
  writer_.Step();
  EXPECT_EQ(Syncs(), 1) << "nothing new";
}

TEST_F(AofWriterTest, WhoWaitsIsWokenWhenItsOffsetIsDurable) {
  std::vector<int> woken;
  int64_t first = pending_.Append("abc");
  EXPECT_FALSE(writer_.WhenDurable(first, [&] { woken.push_back(1); }));
  EXPECT_FALSE(writer_.WhenDurable(first + 1, [&] { woken.push_back(2); }));
  EXPECT_THAT(woken, ElementsAre());
  writer_.Step();
  EXPECT_THAT(woken, ElementsAre(1));
  EXPECT_TRUE(writer_.WhenDurable(first, [&] { woken.push_back(3); }));
  AppendAndStep("d");
  EXPECT_THAT(woken, ElementsAre(1, 2));
}

TEST_F(AofWriterTest, EverySecWritesAtOnceAndSyncsOnceASecond) {
  writer_.set_fsync(AofFsync::kEverySec);
  AppendAndStep("a");
  EXPECT_EQ(Syncs(), 1) << "the last one was long ago";
  pending_.Append("b");
  AofWriter::Wait wait = writer_.Step();
  EXPECT_EQ(Content(), "ab");
  EXPECT_EQ(writer_.durable_offset(), 2);
  EXPECT_EQ(writer_.synced_offset(), 1);
  EXPECT_EQ(wait.us, AofWriter::kFsyncEveryUs);
  EXPECT_EQ(wait.gather_us, AofPending::kGatherUs);
  clock_.AdvanceMs(999);
  EXPECT_EQ(writer_.Step().us, 1000);
  clock_.AdvanceMs(1);
  EXPECT_EQ(writer_.Step().us, AofWriter::kForever);
  EXPECT_EQ(writer_.synced_offset(), 2);
  EXPECT_EQ(Syncs(), 2);
}

TEST_F(AofWriterTest, NoSyncsOnlyAtTheEnd) {
  writer_.set_fsync(AofFsync::kNo);
  AppendAndStep("a");
  clock_.AdvanceMs(60'000);
  AppendAndStep("b");
  EXPECT_EQ(Syncs(), 0);
  EXPECT_EQ(writer_.durable_offset(), 2);
  EXPECT_OK(writer_.Finish());
  EXPECT_EQ(Syncs(), 1);
}

TEST_F(AofWriterTest, APauseMakesEveryPolicyNo) {
  writer_.set_fsync_paused(true);
  AppendAndStep("a");
  EXPECT_EQ(Syncs(), 0);
  EXPECT_EQ(writer_.durable_offset(), 1);
  writer_.set_fsync_paused(false);
  EXPECT_EQ(writer_.durable_offset(), 1) << "who has looked may look again";
  pending_.Append("b");
  EXPECT_FALSE(writer_.WhenDurable(2, [] {}));
  writer_.Step();
  EXPECT_EQ(Syncs(), 1);
  EXPECT_EQ(writer_.durable_offset(), 2);
}

TEST_F(AofWriterTest, AFailedWriteIsCutBackAndTriedAgain) {
  AppendAndStep("abc");
  files_.FailNth(1, Call::kWrite, ENOSPC);
  pending_.Append("defg");
  AofWriter::Wait wait = writer_.Step();
  EXPECT_TRUE(writer_.failing());
  EXPECT_EQ(writer_.last_error(), "No space left on device");
  EXPECT_EQ(wait.us, AofWriter::kRetryUs);
  EXPECT_FALSE(wait.for_bytes);
  EXPECT_EQ(writer_.durable_offset(), 3);
  pending_.Append("h");
  writer_.Step();
  EXPECT_FALSE(writer_.failing());
  EXPECT_EQ(Content(), "abcdefgh");
  EXPECT_EQ(writer_.durable_offset(), 8);
  EXPECT_EQ(notes_.texts.size(), 2u) << "one when it began, one when it ended";
}

TEST_F(AofWriterTest, WhileTheDiskIsFullTheFileEndsWithAWholeRecord) {
  files_.SetCapacity(5);
  AppendAndStep("abc");
  AppendAndStep("defg");
  writer_.Step();
  EXPECT_EQ(Content(), "abcde") << "the last attempt's, before the next cuts it";
  files_.FailFrom(1, Call::kOpen);
  writer_.Step();
  EXPECT_EQ(Content(), "abc");
  files_.Heal();
  files_.SetCapacity(100);
  writer_.Step();
  EXPECT_EQ(Content(), "abcdefg");
  EXPECT_FALSE(writer_.failing());
}

TEST_F(AofWriterTest, BytesOfAFailedSyncAreWrittenOnceMoreInTheirPlace) {
  AppendAndStep("abc");
  files_.FailNth(1, Call::kSync);
  AppendAndStep("def");
  EXPECT_TRUE(writer_.failing());
  EXPECT_EQ(writer_.durable_offset(), 3);
  writer_.Step();
  EXPECT_FALSE(writer_.failing());
  EXPECT_EQ(writer_.durable_offset(), 6);
  files_.Crash();
  EXPECT_EQ(Content(), "abcdef") << "a second fsync alone would have saved nothing";
}

TEST_F(AofWriterTest, EverySecKeepsAllBytesSinceTheLastSync) {
  writer_.set_fsync(AofFsync::kEverySec);
  AppendAndStep("a");
  for (const char* bytes : {"b", "c", "d"}) AppendAndStep(bytes);
  files_.FailNth(1, Call::kSync);
  clock_.AdvanceMs(1000);
  writer_.Step();
  EXPECT_TRUE(writer_.failing());
  files_.FailNth(1, Call::kWrite);
  writer_.Step();
  EXPECT_TRUE(writer_.failing()) << "the second writing failed too";
  writer_.Step();
  EXPECT_FALSE(writer_.failing());
  files_.Crash();
  EXPECT_EQ(Content(), "abcd");
}

TEST_F(AofWriterTest, ASyncIsDueBeforeMoreIsUnsyncedThanIsKept) {
  writer_.set_fsync(AofFsync::kEverySec);
  AppendAndStep("a");
  std::string large(AofWriter::kMaxUnsynced / 4, 'x');
  for (int i = 0; i < 4; i++) AppendAndStep(large);
  EXPECT_EQ(Syncs(), 2);
  EXPECT_EQ(writer_.synced_offset(), pending_.appended());
}

TEST_F(AofWriterTest, MovesOnWhenTheOldFileIsSynced) {
  writer_.set_fsync(AofFsync::kNo);
  AppendAndStep("old");
  pending_.Switch({"dir/b", *files_.Create("dir/b")});
  files_.FailNth(1, Call::kSync);
  AppendAndStep("new");
  EXPECT_TRUE(writer_.failing());
  EXPECT_EQ(writer_.moves(), 0);
  EXPECT_EQ(ErrnoOf(writer_.AwaitMove(1)), EIO);
  EXPECT_EQ(files_.Content("dir/b"), "");
  writer_.Step();
  EXPECT_OK(writer_.AwaitMove(1));
  EXPECT_EQ(files_.Content("dir/b"), "new");
  EXPECT_EQ(writer_.file_size(), 3);
  EXPECT_EQ(writer_.other_bytes(), 3);
}

TEST_F(AofWriterTest, ALongGroupThatFailsIsRepeatedFromItsLastWholeRecord) {
  std::string expected;
  for (char c = 'a'; c < 'k'; c++) {
    const std::string record(100'000, c);
    expected += record;
    pending_.Append(record);
  }
  files_.FailNth(12, Call::kWrite, ENOSPC);
  writer_.Step();
  EXPECT_TRUE(writer_.failing());
  files_.FailFrom(1, Call::kOpen);
  writer_.Step();
  EXPECT_GT(Content().size(), 0U);
  EXPECT_EQ(Content().size() % 100'000, 0U);
  files_.Heal();
  writer_.Step();
  EXPECT_EQ(Content(), expected);
}

TEST_F(AofWriterTest, TimestampsAreWrittenOnceMoreWithTheBytesOfAFailedSync) {
  pending_.set_timestamps(true);
  AppendAndStep("a");
  clock_.AdvanceMs(1000);
  pending_.Append("b");
  clock_.AdvanceMs(1000);
  pending_.Append("c");
  files_.FailNth(1, Call::kSync);
  writer_.Step();
  EXPECT_TRUE(writer_.failing());
  writer_.Step();
  files_.Crash();
  EXPECT_EQ(Content(), "#TS:1800000000\r\na#TS:1800000001\r\nb#TS:1800000002\r\nc");
  EXPECT_EQ(writer_.durable_offset(), 3) << "the stream has no timestamps";
  EXPECT_EQ(writer_.file_size(), static_cast<int64_t>(Content().size()));
}

TEST_F(AofWriterTest, WhatIsOnlyForOthersIsDurableWithoutAnFsync) {
  AppendAndStep("a");
  const int64_t offset = pending_.AppendUnlogged("ping");
  writer_.Step();
  EXPECT_EQ(writer_.durable_offset(), offset);
  EXPECT_EQ(Syncs(), 1);
  EXPECT_EQ(Content(), "a");
}

TEST_F(AofWriterTest, WhatIsOnlyForOthersIsLeftOutAlsoWhenBytesAreWrittenOnceMore) {
  AppendAndStep("a");
  pending_.Append("b");
  pending_.AppendUnlogged("ping");
  pending_.Append("c");
  pending_.AppendUnlogged("ping");
  files_.FailNth(1, Call::kSync);
  writer_.Step();
  EXPECT_TRUE(writer_.failing());
  writer_.Step();
  files_.Crash();
  EXPECT_EQ(Content(), "abc");
  EXPECT_EQ(writer_.durable_offset(), pending_.appended());
}

// ---- what it states of the history

class AofStatementsTest : public AofWriterTest {
 protected:
  AofStatementsTest() {
    writer_.set_fsync(AofFsync::kEverySec);
    pending_.SetHistory({.id = kId, .bias = 1000});
    writer_.Step();
    EXPECT_EQ(Content(), kStart);
  }

  void Extend(std::string_view bytes, std::optional<std::string> instead) {
    const int64_t begin = stream_.tail();
    bytes.copy(stream_.Room(begin).data(), bytes.size());
    pending_.Extend(begin + static_cast<int64_t>(bytes.size()), 0, std::move(instead));
  }

  const std::string kId = std::string(40, 'a');
  const std::string kStart = "#REPL:" + kId + ":1000\r\n";
};

TEST_F(AofStatementsTest, AnOffsetStandsBeforeTheRecordBehindWhatIsLeftOut) {
  pending_.Append("a");
  pending_.AppendUnlogged("ping");
  pending_.AppendUnlogged("publish");
  AppendAndStep("b");
  EXPECT_EQ(Content(), kStart + "a#OFF:1012\r\nb");
  AppendAndStep("c");
  EXPECT_EQ(Content(), kStart + "a#OFF:1012\r\nbc");
  EXPECT_EQ(writer_.file_size(), static_cast<int64_t>(Content().size()));
}

TEST_F(AofStatementsTest, AtTheEndAnOffsetIsStatedOnceASecond) {
  pending_.AppendUnlogged("ping");
  EXPECT_TRUE(pending_.Await(true, 0, 0)) << "the writer is woken";
  EXPECT_EQ(writer_.Step().us, AofWriter::kStateEveryUs);
  EXPECT_EQ(Content(), kStart + "#OFF:1004\r\n");
  clock_.AdvanceMs(400);
  pending_.AppendUnlogged("ping");
  EXPECT_FALSE(pending_.Await(true, 0, 0)) << "it looks by itself";
  EXPECT_EQ(writer_.Step().us, AofWriter::kStateEveryUs - 400'000);
  EXPECT_EQ(Content(), kStart + "#OFF:1004\r\n");
  clock_.AdvanceMs(600);
  writer_.Step();
  EXPECT_EQ(Content(), kStart + "#OFF:1004\r\n#OFF:1008\r\n");
  clock_.AdvanceMs(1000);
  EXPECT_EQ(writer_.Step().us, AofWriter::kForever) << "and then it sleeps";
  EXPECT_EQ(Content(), kStart + "#OFF:1004\r\n#OFF:1008\r\n");
  pending_.AppendUnlogged("ping");
  EXPECT_TRUE(pending_.Await(true, 0, 0));
}

TEST_F(AofStatementsTest, AnOffsetThatBecomesDueDuringAStepIsStatedByTheNext) {
  pending_.AppendUnlogged("ping");
  writer_.Step();
  clock_.AdvanceMs(999);
  pending_.AppendUnlogged("ping");
  notes_.while_writing = [this] { clock_.AdvanceMs(5); };
  EXPECT_EQ(writer_.Step().us, 0);
  writer_.Step();
  EXPECT_EQ(Content(), kStart + "#OFF:1004\r\n#OFF:1008\r\n");
}

TEST_F(AofStatementsTest, TheEndOfTheLogStatesItsOffset) {
  for (int i = 0; i < 2; i++) {
    pending_.AppendUnlogged("ping");
    writer_.Step();
  }
  EXPECT_OK(writer_.Finish());
  EXPECT_EQ(Content(), kStart + "#OFF:1004\r\n#OFF:1008\r\n");
}

TEST_F(AofStatementsTest, WhatIsNotTheStreamsStandsBetweenTwoStatements) {
  Extend("a", std::nullopt);
  Extend("PING", "");
  Extend("foreign", "f");
  Extend("b", std::nullopt);
  writer_.Step();
  EXPECT_EQ(Content(), kStart + "a#REPL:-\r\nf#REPL:" + kId + ":1012\r\nb");
}

TEST_F(AofStatementsTest, AFileStatesTheHistoryAndNotTheOffsetOfTheOneBefore) {
  pending_.AppendChanges([] {
    ChangeBatch batch;
    batch.Add(3, ChangeKind::kCommand, {"PING"});
    return batch;
  }());
  pending_.AppendUnlogged("ping");
  pending_.Switch({"dir/b", *files_.Create("dir/b")});
  AppendAndStep("new");
  const std::string select = "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n";
  EXPECT_EQ(Content(), kStart + select + "*1\r\n$4\r\nPING\r\n");
  EXPECT_EQ(files_.Content("dir/b"), select + "#REPL:" + kId + ":1041\r\nnew");
}

TEST_F(AofStatementsTest, ANewHistoryNeedsNoOffset) {
  pending_.Append("a");
  pending_.AppendUnlogged("ping");
  pending_.SetHistory({.id = kId, .bias = 7000});
  pending_.Append("b");
  pending_.SetHistory({});
  pending_.AppendUnlogged("ping");
  AppendAndStep("c");
  EXPECT_EQ(Content(), kStart + "a#REPL:" + kId + ":7005\r\nb#REPL:-\r\nc");
}

TEST_F(AofStatementsTest, StatementsAreWrittenOnceMoreWithTheBytesOfAFailedSync) {
  clock_.AdvanceMs(5000);
  pending_.Append("a");
  pending_.AppendUnlogged("ping");
  pending_.Append("b");
  Extend("foreign", "f");
  pending_.AppendUnlogged("ping");
  files_.FailNth(1, Call::kSync);
  writer_.Step();
  EXPECT_TRUE(writer_.failing());
  writer_.Step();
  files_.Crash();
  EXPECT_EQ(Content(),
            kStart + "a#OFF:1005\r\nb#REPL:-\r\nf#REPL:" + kId + ":1013\r\n#OFF:1017\r\n");
  EXPECT_EQ(writer_.file_size(), static_cast<int64_t>(Content().size()));
}

/// Whichever call fails, each statement is there once.
TEST_F(AofStatementsTest, EveryFaultIsRecoveredFromWithTheSameStatements) {
  std::string expected = kStart;
  int64_t offset = 1000;
  for (int n = 1; n < 12; n++) {
    files_.FailNth(n);
    pending_.AppendUnlogged("ping");
    pending_.Append("x");
    Extend("foreign", "f");
    offset += 12;
    expected += "#OFF:" + std::to_string(offset - 8) + "\r\nx#REPL:-\r\nf#REPL:" + kId + ":" +
                std::to_string(offset) + "\r\n";
    do {
      clock_.AdvanceMs(1000);
      writer_.Step();
    } while (writer_.failing());
    files_.Heal();
    writer_.Step();
    EXPECT_EQ(Content(), expected) << "call " << n;
  }
}

TEST_F(AofWriterTest, WhatIsAppendedBetweenTwoLogsIsInNeither) {
  AppendAndStep("old");
  EXPECT_OK(writer_.Finish());
  stream_.Append("between");
  writer_.Restart();
  writer_.Step();
  stream_.Append("between");
  pending_.Switch({"dir/b", *files_.Create("dir/b")});
  AppendAndStep("new");
  EXPECT_EQ(Content(), "old");
  EXPECT_EQ(files_.Content("dir/b"), "new");
  EXPECT_EQ(writer_.durable_offset(), stream_.tail());
}

TEST_F(AofWriterTest, FinishWakesAllWhateverTheDiskSays) {
  bool woken = false;
  int64_t offset = pending_.Append("abc");
  EXPECT_FALSE(writer_.WhenDurable(offset, [&] { woken = true; }));
  files_.FailFrom(1, Call::kSync);
  EXPECT_EQ(ErrnoOf(writer_.Finish()), EIO);
  EXPECT_TRUE(woken);
  EXPECT_FALSE(writer_.failing());
}

TEST_F(AofWriterTest, LatencyIsReported) {
  AppendAndStep("a");
  EXPECT_THAT(notes_.events, ElementsAre("aof-write", "aof-fsync-always"));
}

/// Whichever single call fails, durable bytes are on the disk, and all bytes get there once.
TEST_F(AofWriterTest, EveryFaultIsRecoveredFrom) {
  int64_t begin = 0;
  std::string expected;
  for (int n = 1; n < 30; n++) {
    files_.FailNth(n);
    for (char c = 'a'; c < 'f'; c++) {
      std::string bytes(3, c);
      expected += bytes;
      AppendAndStep(bytes);
      EXPECT_LE(writer_.durable_offset(), static_cast<int64_t>(Content().size()));
    }
    for (int i = 0; i < 3; i++) writer_.Step();
    EXPECT_FALSE(writer_.failing()) << n;
    ASSERT_EQ(Content(), expected) << n;
    begin = pending_.appended();
    EXPECT_EQ(writer_.durable_offset(), begin) << n;
    files_.Heal();
  }
  files_.Crash();
  EXPECT_EQ(Content(), expected);
}

}  // namespace
}  // namespace cloakroom
