#include "replication/aof/append_only_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/replication/support/faulty_files.h"
#include "tests/replication/support/log_content.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_clock.h"

namespace cloakroom {
namespace {

using Call = FaultyFiles::Call;
using Names = FaultyFiles::Names;
using State = AppendOnlyFile::State;
using ::testing::ElementsAre;

AppendOnlyFile::Options Stepped(AofFsync fsync = AofFsync::kAlways) {
  AppendOnlyFile::Options options;
  options.directory = "dir";
  options.name = "a";
  options.fsync = fsync;
  options.start_thread = false;
  return options;
}

AppendOnlyFile::Options Threaded() {
  AppendOnlyFile::Options options = Stepped();
  options.start_thread = true;
  return options;
}

std::string Numbered(int count) {
  std::string text;
  for (int i = 0; i < count; i++) text += Record(i);
  return text;
}

/// A log, and what its appenders were told.
struct Life {
  explicit Life(FaultyFiles& disk, AppendOnlyFile::Options options = Stepped())
      : files(disk), log(stream, disk, clock, std::move(options), nullptr) {}

  absl::Status OpenFresh() {
    files.Put("base", "");
    return log.Open({}, AppendOnlyFile::NewBase{"base", false});
  }
  void Append() { offsets.push_back(log.Append(Record(static_cast<int>(offsets.size())))); }
  void AppendAndStep() {
    Append();
    log.Step();
    NoteAcknowledged();
  }
  void NoteAcknowledged() {
    while (acknowledged < offsets.size() && offsets[acknowledged] <= log.durable_offset()) {
      acknowledged++;
    }
  }
  /// Rewrites, with records between the steps; false when it failed.
  bool Rewrite() {
    if (!log.PrepareSwitch().ok()) return false;
    Append();
    if (!log.Switch()) return false;
    files.Put("base", Numbered(static_cast<int>(offsets.size())));
    AppendAndStep();
    return log.InstallBase({"base", false}).ok();
  }

  FaultyFiles& files;
  TestClock clock;
  ChangeStream stream{0};
  AppendOnlyFile log;
  std::vector<int64_t> offsets;  // of each record
  size_t acknowledged = 0;
};

/// Expects every record once, in order, and at least the acknowledged ones.
void ExpectHolds(FaultyFiles& files, const Life& life, const std::string& context) {
  LogContent content = ReadLog(files, "dir", "a");
  EXPECT_EQ(content.error, "") << context;
  EXPECT_GE(content.records.size(), life.acknowledged) << context;
  for (size_t i = 0; i < content.records.size(); i++) {
    ASSERT_EQ(content.records[i], std::to_string(i)) << context;
  }
}

TEST(AppendOnlyFileTest, AFreshLogHasABaseAndAnIncrFile) {
  FaultyFiles files;
  Life life(files);
  ASSERT_OK(life.OpenFresh());
  EXPECT_EQ(life.log.state(), State::kOn);
  life.AppendAndStep();
  EXPECT_EQ(files.Content("dir/a.1.incr.aof"), Record(0));
  EXPECT_EQ(files.Content("dir/a.manifest"),
            "file a.1.base.aof seq 1 type b\nfile a.1.incr.aof seq 1 type i\n");
  EXPECT_EQ(life.acknowledged, 1u);
}

TEST(AppendOnlyFileTest, FlushWritesWhatNobodyHasDemanded) {
  FaultyFiles files;
  Life life(files, Threaded());
  ASSERT_OK(life.OpenFresh());
  ChangeBatch batch;
  batch.Add(0, ChangeKind::kCommand, {"SET", "k", "v"});
  life.log.AppendChanges(batch, AofPending::Due::kOnDemand);
  EXPECT_OK(life.log.Flush());
  EXPECT_EQ(files.Content("dir/a.1.incr.aof"),
            "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n");
}

TEST(AppendOnlyFileTest, GoesOnInTheLastFileAfterARestart) {
  FaultyFiles files;
  Life first(files);
  ASSERT_OK(first.OpenFresh());
  first.AppendAndStep();
  EXPECT_OK(first.log.Close());
  EXPECT_EQ(first.log.state(), State::kOff);
  Life second(files);
  ASSERT_OK(second.log.Open(AofDirectory::Load(files, "dir", "a")->manifest));
  second.log.Append(Record(1));
  EXPECT_OK(second.log.Close());
  EXPECT_THAT(ReadLog(files, "dir", "a").records, ElementsAre("0", "1"));
}

TEST(AppendOnlyFileTest, WhatAKilledProcessHasWrittenIsSyncedBeforeItCounts) {
  FaultyFiles files;
  {
    Life life(files, Stepped(AofFsync::kNo));
    ASSERT_OK(life.OpenFresh());
    life.AppendAndStep();
    files.Kill();
  }
  Life life(files, Stepped(AofFsync::kNo));
  ASSERT_OK(life.log.Open(AofDirectory::Load(files, "dir", "a")->manifest));
  EXPECT_EQ(life.log.synced_offset(), life.stream.tail());
  files.Crash();
  EXPECT_EQ(files.Content("dir/a.1.incr.aof"), Record(0));
}

TEST(AppendOnlyFileTest, AnEmptyLastFileSaysItsDatabaseAfterARestart) {
  FaultyFiles files;
  {
    Life life(files);
    ASSERT_OK(life.OpenFresh());
  }
  ASSERT_EQ(files.Content("dir/a.1.incr.aof"), "");
  Life life(files);
  life.stream.SetDb(3);
  ASSERT_OK(life.log.Open(AofDirectory::Load(files, "dir", "a")->manifest));
  life.log.Step();
  EXPECT_EQ(files.Content("dir/a.1.incr.aof"), "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n");
}

TEST(AppendOnlyFileTest, ADatabaseThatTheStreamDoesNotSayStandsBetweenTwoStatements) {
  FaultyFiles files;
  Life life(files);
  const std::string id(40, 'a');
  life.log.SetHistory({.id = id, .bias = 100});
  ASSERT_OK(life.OpenFresh());
  life.log.Select(3);
  life.AppendAndStep();
  EXPECT_EQ(files.Content("dir/a.1.incr.aof"), "#REPL:" + id + ":100\r\n#REPL:-\r\n" +
                                                   "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n" +
                                                   "#REPL:" + id + ":100\r\n" + Record(0));
}

TEST(AppendOnlyFileTest, ARewriteReplacesBaseAndFiles) {
  FaultyFiles files;
  Life life(files);
  ASSERT_OK(life.OpenFresh());
  for (int i = 0; i < 3; i++) life.AppendAndStep();
  ASSERT_TRUE(life.Rewrite());
  ASSERT_OK(life.log.RemoveHistory());
  EXPECT_THAT(files.Paths(), ElementsAre("dir/a.2.base.aof", "dir/a.2.incr.aof", "dir/a.manifest"));
  EXPECT_EQ(files.Content("dir/a.2.incr.aof"), Record(4));
  ExpectHolds(files, life, "after the rewrite");
  AppendOnlyFile::Info info = life.log.info();
  EXPECT_EQ(info.current_size, static_cast<int64_t>(Numbered(5).size()));
  EXPECT_EQ(info.base_size, info.current_size);
  EXPECT_FALSE(info.rewriting);
}

TEST(AppendOnlyFileTest, ACancelledRewriteKeepsBaseAndBothFiles) {
  FaultyFiles files;
  Life life(files);
  ASSERT_OK(life.OpenFresh());
  life.AppendAndStep();
  ASSERT_OK(life.log.PrepareSwitch());
  ASSERT_TRUE(life.log.Switch());
  EXPECT_TRUE(life.log.info().rewriting);
  life.AppendAndStep();
  life.log.CancelSwitch();
  EXPECT_FALSE(life.log.info().rewriting);
  life.AppendAndStep();
  EXPECT_EQ(ReadLog(files, "dir", "a").records.size(), 3u);
  EXPECT_EQ(AofDirectory::Load(files, "dir", "a")->manifest.incrs().size(), 2u);
  EXPECT_TRUE(life.Rewrite());
  EXPECT_EQ(AofDirectory::Load(files, "dir", "a")->manifest.incrs().size(), 1u);
  ExpectHolds(files, life, "after the second");
}

TEST(AppendOnlyFileTest, TurnedOnItHasNoManifestBeforeItsFirstBase) {
  FaultyFiles files;
  Life life(files);
  EXPECT_TRUE(life.log.healthy());
  ASSERT_OK(life.log.PrepareSwitch());
  ASSERT_TRUE(life.log.Switch());
  EXPECT_EQ(life.log.state(), State::kWaitForBase);
  life.AppendAndStep();
  EXPECT_EQ(life.acknowledged, 1u);
  EXPECT_FALSE(files.Exists("dir/a.manifest"));
  life.log.CancelSwitch();
  ASSERT_TRUE(life.Rewrite());
  EXPECT_EQ(life.log.state(), State::kOn);
  ASSERT_OK(life.log.RemoveHistory());
  ExpectHolds(files, life, "turned on");
  EXPECT_THAT(files.Paths(), ElementsAre("dir/a.1.base.aof", "dir/a.2.incr.aof", "dir/a.manifest"));
}

TEST(AppendOnlyFileTest, TurnedOffBeforeItsFirstBaseItLeavesNothing) {
  FaultyFiles files;
  Life life(files);
  ASSERT_OK(life.log.PrepareSwitch());
  ASSERT_TRUE(life.log.Switch());
  life.AppendAndStep();
  EXPECT_OK(life.log.Close());
  EXPECT_THAT(files.Paths(), ElementsAre());
  EXPECT_FALSE(life.log.Switch()) << "nothing is prepared";
  EXPECT_TRUE(absl::IsFailedPrecondition(life.log.InstallBase({"base", false})));
}

TEST(AppendOnlyFileTest, OffAndOnAgainReplacesTheOldLog) {
  FaultyFiles files;
  Life life(files);
  ASSERT_OK(life.OpenFresh());
  life.AppendAndStep();
  ASSERT_OK(life.log.Close());
  life.log.Append("for others");
  ASSERT_OK(life.log.PrepareSwitch());
  ASSERT_TRUE(life.log.Switch());
  life.AppendAndStep();
  EXPECT_THAT(ReadLog(files, "dir", "a").records, ElementsAre("0")) << "the old one, until then";
  files.Put("base", Record(0));
  ASSERT_OK(life.log.InstallBase({"base", false}));
  ExpectHolds(files, life, "on again");
  EXPECT_EQ(life.acknowledged, 2u);
}

TEST(AppendOnlyFileTest, IsUnhealthyWhileTheDiskFailsOrTooMuchIsPending) {
  FaultyFiles files;
  AppendOnlyFile::Options options = Stepped();
  options.max_pending_bytes = 100;
  Life life(files, options);
  ASSERT_OK(life.OpenFresh());
  life.log.Append(std::string(100, 'x'));
  EXPECT_TRUE(life.log.healthy());
  life.log.Append("x");
  EXPECT_FALSE(life.log.healthy());
  EXPECT_EQ(life.log.info().pending_bytes, 101);
  life.log.Step();
  EXPECT_TRUE(life.log.healthy());
  files.FailNth(1, Call::kSync, ENOSPC);
  life.AppendAndStep();
  EXPECT_FALSE(life.log.healthy());
  EXPECT_FALSE(life.log.info().last_write_ok);
  EXPECT_EQ(life.log.info().last_error, "No space left on device");
  life.log.Step();
  EXPECT_TRUE(life.log.healthy());
}

TEST(AppendOnlyFileTest, ATornTailIsCutAtEveryByteOfTheLastRecords) {
  std::string text = Numbered(3);
  for (size_t kept = 0; kept <= text.size(); kept++) {
    FaultyFiles files;
    Life life(files, Stepped(AofFsync::kNo));
    ASSERT_OK(life.OpenFresh());
    for (int i = 0; i < 3; i++) life.AppendAndStep();
    files.Crash(kept);
    LogContent content = ReadLog(files, "dir", "a");
    EXPECT_EQ(content.error, "") << kept;
    EXPECT_EQ(content.records.size(), kept / Record(0).size()) << kept;
  }
}

/// The life of a log: opened, written, rewritten, written, closed.
void Live(Life& life, bool fresh) {
  if (fresh && !life.OpenFresh().ok()) return;
  life.AppendAndStep();
  if (life.Rewrite()) (void)life.log.RemoveHistory();
  life.NoteAcknowledged();
  life.AppendAndStep();
  life.AppendAndStep();
}

/// The disk dies at the n-th call and the power fails, for every n.
TEST(AppendOnlyFileTest, WhatWasAcknowledgedIsThereAfterACrashAtEveryCall) {
  for (Names names : {Names::kSynced, Names::kAll}) {
    for (int n = 1;; n++) {
      FaultyFiles files;
      Life life(files);
      files.FailFrom(n);
      Live(life, true);
      bool failed = files.Failed();
      files.Crash(static_cast<size_t>(n % 7), names);
      ExpectHolds(files, life, "call " + std::to_string(n));
      if (!failed) break;
    }
  }
}

/// The n-th call fails and the next ones do not: the log recovers, and nothing is lost or doubled.
TEST(AppendOnlyFileTest, EverySingleFaultIsRecoveredFrom) {
  for (AofFsync fsync : {AofFsync::kAlways, AofFsync::kEverySec, AofFsync::kNo}) {
    for (int n = 1;; n++) {
      FaultyFiles files;
      Life life(files, Stepped(fsync));
      ASSERT_OK(life.OpenFresh());
      files.FailNth(n);
      Live(life, false);
      bool failed = files.Failed();
      std::string context = "call " + std::to_string(n);
      for (int i = 0; i < 3; i++) {
        life.clock.AdvanceMs(1000);
        life.log.Step();
      }
      EXPECT_TRUE(life.log.healthy()) << context;
      life.NoteAcknowledged();
      EXPECT_EQ(life.acknowledged, life.offsets.size()) << context;
      // With "no" nothing was promised that a failed fsync between two files could break.
      if (fsync == AofFsync::kNo) {
        ExpectHolds(files, life, context);
      } else {
        files.Crash();
        ExpectHolds(files, life, context);
      }
      if (!failed) break;
    }
  }
}

TEST(AppendOnlyFileTest, EveryFaultWhileClosingIsReportedAndLosesNothingAcknowledged) {
  for (int n = 1;; n++) {
    FaultyFiles files;
    Life life(files, Stepped(AofFsync::kEverySec));
    ASSERT_OK(life.OpenFresh());
    life.AppendAndStep();
    life.Append();
    files.FailNth(n);
    const bool saved = life.log.Close().ok();
    EXPECT_EQ(saved, !files.Failed()) << n;
    files.Kill();
    ExpectHolds(files, life, "call " + std::to_string(n));
    if (saved) break;
  }
}

TEST(AppendOnlyFileTest, EveryFaultOfTurningOnLeavesTheOldLogOrTheNew) {
  for (int n = 1;; n++) {
    FaultyFiles files;
    files.Put("dir/a.1.base.aof", "");
    files.Put("dir/a.manifest", "file a.1.base.aof seq 1 type b\n");
    Life life(files);
    files.FailFrom(n);
    bool rewritten = life.Rewrite();
    bool failed = files.Failed();
    files.Crash();
    LogContent content = ReadLog(files, "dir", "a");
    EXPECT_EQ(content.error, "") << n;
    if (rewritten) {
      ExpectHolds(files, life, "call " + std::to_string(n));
    }
    if (!failed) break;
  }
}

/// With its thread: many threads append and wait, while the log is rewritten again and again.
TEST(AppendOnlyFileTest, ThreadsAppendWhileTheLogIsRewritten) {
  FaultyFiles files;
  Life life(files, Threaded());
  ASSERT_OK(life.OpenFresh());
  constexpr int kThreads = 3;
  constexpr int kRecords = 200;
  std::atomic<int> woken = 0;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; t++) {
    threads.emplace_back([&] {
      for (int i = 0; i < kRecords; i++) {
        int64_t offset = life.log.Append(Record(i));
        if (life.log.WhenDurable(offset, [&] { woken++; })) woken++;
      }
    });
  }
  for (int i = 0; i < 5; i++) {
    ASSERT_OK(life.log.PrepareSwitch());
    ASSERT_TRUE(life.log.Switch());
    life.log.CancelSwitch();
    (void)life.log.info();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_OK(life.log.Close());
  EXPECT_EQ(woken, kThreads * kRecords);
  LogContent content = ReadLog(files, "dir", "a");
  EXPECT_EQ(content.error, "");
  EXPECT_EQ(content.records.size(), static_cast<size_t>(kThreads * kRecords));
}

TEST(AppendOnlyFileTest, ItsThreadWritesInstallsAndRecovers) {
  FaultyFiles files;
  AppendOnlyFile::Options options = Stepped(AofFsync::kEverySec);
  options.start_thread = true;
  Life life(files, options);
  ASSERT_OK(life.OpenFresh());
  life.Append();
  ASSERT_OK(life.log.PrepareSwitch());
  ASSERT_TRUE(life.log.Switch());
  files.Put("base", Numbered(1));
  life.Append();
  ASSERT_OK(life.log.InstallBase({"base", false})) << "waits for the writer to get there";
  EXPECT_OK(life.log.Close());
  ExpectHolds(files, life, "closed");
  EXPECT_EQ(ReadLog(files, "dir", "a").records.size(), 2u);
}

}  // namespace
}  // namespace cloakroom
