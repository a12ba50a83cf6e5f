#include "server/persistence/persistence.h"

#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "server/config/config_store.h"
#include "server/context/server.h"
#include "tests/replication/support/faulty_files.h"
#include "tests/replication/support/rdb_bytes.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

using Call = FaultyFiles::Call;
using Ending = ShutdownSave;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using EndStep = Persistence::EndStep;
using Work = Persistence::Work;

constexpr char kLogFolder[] = "appendonlydir/";

/// In front of the fixture, so that the server's files outlive it.
struct Disk {
  FaultyFiles files;
};

/// A server that has been started on what a disk holds, as the next life of another one.
class Life {
 public:
  Life(const Clock& clock, FaultyFiles& files, const std::vector<std::string>& options = {})
      : server_(clock, Configured(config_, options), 1, files) {
    server_.persistence().BeginLoading();
    error_ = server_.persistence().Load([] { return false; });
  }
  const std::optional<std::string>& error() const { return error_; }
  size_t keys() { return server_.keyspace().db(0).size(); }
  Server& server() { return server_; }

 private:
  static ConfigStore& Configured(ConfigStore& config, const std::vector<std::string>& options) {
    EXPECT_EQ(config.Load(ParseCommandLine(options)), std::nullopt);
    return config;
  }

  ConfigStore config_;
  Server server_;
  std::optional<std::string> error_;
};

class PersistenceTest : private Disk, public ServerTest {
 protected:
  explicit PersistenceTest(const std::vector<std::string>& options = {})
      : ServerTest(Disk::files, options), files_(Disk::files) {}

  Persistence& persistence() { return server_.persistence(); }
  void Set(std::vector<std::string_view> words) { ASSERT_EQ(config_.Set(words), std::nullopt); }

  /// Ticks until nothing is under way and nothing is scheduled.
  void Settle() {
    do {
      persistence().Tick();
      while (persistence().under_way() != Work::kNone) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    } while (persistence().figures().snapshot_scheduled ||
             persistence().figures().rewrite_scheduled);
  }
  bool Snapshot() {
    std::atomic<int> outcome = -1;
    EXPECT_EQ(persistence().BeginSnapshot([&](bool ok) { outcome = ok ? 1 : 0; }), Work::kNone);
    while (outcome < 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return outcome == 1;
  }
  FaultyFiles& files_;
};

/// One that is to start with a log.
class BeforeTheLoadTest : public PersistenceTest {
 protected:
  BeforeTheLoadTest() : PersistenceTest({"--appendonly", "yes", "--repair", "yes"}) {}
};

/// One that has started with a log.
class JournalledTest : public PersistenceTest {
 protected:
  JournalledTest() : PersistenceTest({"--appendonly", "yes"}) {
    persistence().BeginLoading();
    EXPECT_EQ(persistence().Load([] { return false; }), std::nullopt);
  }

  /// A server that starts on what the disk holds now.
  void ExpectNextLifeHas(size_t keys) {
    Life next(clock_, files_, {"--appendonly", "yes"});
    EXPECT_EQ(next.error(), std::nullopt);
    EXPECT_EQ(next.keys(), keys);
  }
  void FlushLog() { ASSERT_FALSE(persistence().journal().file().Flush()); }
  std::vector<std::string> LogFiles() const {
    std::vector<std::string> found;
    for (const std::string& path : files_.Paths()) {
      if (path.starts_with(kLogFolder)) found.push_back(path.substr(std::strlen(kLogFolder)));
    }
    return found;
  }
};

// ---- snapshots

TEST_F(PersistenceTest, ASnapshotHoldsWhatWasThereAndNoTemporaryFileIsLeft) {
  Run("SET a 1");
  Run("HSET h f v");
  EXPECT_EQ(persistence().changes_since_save(), 2);
  EXPECT_TRUE(Snapshot());
  EXPECT_EQ(persistence().changes_since_save(), 0);
  EXPECT_TRUE(persistence().figures().last_snapshot_ok);
  EXPECT_EQ(persistence().figures().snapshots, 1);
  EXPECT_THAT(files_.Paths(), ElementsAre("dump.rdb"));
  Life next(clock_, files_);
  EXPECT_EQ(next.error(), std::nullopt);
  EXPECT_EQ(next.keys(), 2U);
}

TEST_F(PersistenceTest, AFailedSnapshotKeepsTheOldFileAndRefusesWritesUntilOneSucceeds) {
  Set({"save", "3600 1"});
  Run("SET a 1");
  ASSERT_TRUE(Snapshot());
  const std::optional<std::string> before = files_.Content("dump.rdb");
  Run("SET b 2");
  files_.FailFrom(1, Call::kSync);
  EXPECT_FALSE(Snapshot());
  EXPECT_FALSE(persistence().figures().last_snapshot_ok);
  EXPECT_EQ(persistence().changes_since_save(), 1);
  EXPECT_EQ(files_.Content("dump.rdb"), before);
  EXPECT_TRUE(Run("SET c 3").starts_with("-MISCONF Redis is configured to save RDB snapshots"));
  EXPECT_EQ(Run("GET b"), "$1\r\n2\r\n");
  EXPECT_TRUE(Run({"EVAL", "#!lua\nreturn 1", "0"}).starts_with("-MISCONF"));
  EXPECT_TRUE(Run({"EVAL_RO", "#!lua\nreturn 1", "0"}).starts_with("-MISCONF"));
  EXPECT_EQ(Run({"EVAL", "#!lua flags=no-writes\nreturn 1", "0"}), ":1\r\n");
  EXPECT_EQ(Run({"EVAL", "return 1", "0"}), ":1\r\n");
  files_.Heal();
  EXPECT_TRUE(Snapshot());
  EXPECT_EQ(Run("SET c 3"), "+OK\r\n");
}

TEST_F(PersistenceTest, WithoutSavePointsOrWhenToldSoWritesGoOn) {
  Run("SET a 1");
  Set({"save", ""});
  files_.FailFrom(1);
  EXPECT_FALSE(Snapshot());
  EXPECT_EQ(Run("SET a 2"), "+OK\r\n");
  Set({"save", "3600 1"});
  EXPECT_THAT(Run("SET a 3"), HasSubstr("MISCONF"));
  Set({"stop-writes-on-bgsave-error", "no"});
  EXPECT_EQ(Run("SET a 3"), "+OK\r\n");
}

TEST_F(PersistenceTest, ASavePointAsksForSoManyChangesAndForMoreThanSoManySeconds) {
  Set({"save", "60 2"});
  Run("SET a 1");
  Advance(61'000);
  Settle();
  EXPECT_EQ(persistence().figures().snapshots, 0);
  Run("SET a 2");
  Settle();
  EXPECT_EQ(persistence().figures().snapshots, 1);
  Run("MSET a 1 b 2");
  Advance(60'000);
  Settle();
  EXPECT_EQ(persistence().figures().snapshots, 1);
  Advance(1'000);
  Settle();
  EXPECT_EQ(persistence().figures().snapshots, 2);
}

TEST_F(PersistenceTest, ASavePointThatFailedIsTriedAgainAfterFiveSeconds) {
  Set({"save", "60 1"});
  Run("SET a 1");
  Advance(61'000);
  files_.FailFrom(1);
  Settle();
  files_.Heal();
  Advance(5'000);
  Settle();
  EXPECT_EQ(persistence().figures().snapshots, 0);
  Advance(1);
  Settle();
  EXPECT_EQ(persistence().figures().snapshots, 1);
}

TEST_F(PersistenceTest, WhatIsScheduledIsDoneAtATick) {
  persistence().ScheduleSnapshot();
  EXPECT_TRUE(persistence().figures().snapshot_scheduled);
  Settle();
  EXPECT_FALSE(persistence().figures().snapshot_scheduled);
  EXPECT_EQ(persistence().figures().snapshots, 1);
}

// ---- loading

TEST_F(PersistenceTest, WithoutAFileTheServerBeginsEmpty) {
  Life next(clock_, files_);
  EXPECT_EQ(next.error(), std::nullopt);
  EXPECT_EQ(next.keys(), 0U);
  EXPECT_FALSE(next.server().persistence().loading());
}

TEST_F(PersistenceTest, ADamagedFileStopsTheStartAndSaysWhatToDo) {
  Run("SET a 1");
  ASSERT_TRUE(Snapshot());
  std::string content = *files_.Content("dump.rdb");
  content.resize(content.size() - 9);  // the checksum, and the mark of the end
  files_.Put("dump.rdb", content);
  Life next(clock_, files_);
  ASSERT_NE(next.error(), std::nullopt);
  EXPECT_THAT(*next.error(), HasSubstr("The RDB file dump.rdb can't be loaded"));
  EXPECT_THAT(*next.error(), HasSubstr("--repair yes"));
}

TEST_F(PersistenceTest, AFileThatCannotBeReachedOrReadIsNotAbsent) {
  Run("SET a 1");
  ASSERT_TRUE(Snapshot());
  files_.FailOn("dump.rdb", Call::kReach, EACCES);
  Life unreachable(clock_, files_);
  EXPECT_THAT(unreachable.error().value_or(""),
              AllOf(StartsWith("Fatal error loading the DB: Permission denied"),
                    HasSubstr("Mend the owner or mode")));
  files_.FailOn("dump.rdb", Call::kRead);
  Life unreadable(clock_, files_);
  EXPECT_THAT(unreadable.error().value_or(""),
              AllOf(StartsWith("Fatal error loading the DB: Input/output error"),
                    Not(HasSubstr("--repair"))));
}

TEST_F(BeforeTheLoadTest, AReloadDuringALoadThatIsGivenUpSavesNothing) {
  files_.Put("dump.rdb", "what was there");
  files_.Put("appendonlydir/i", "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n");
  files_.Put("appendonlydir/appendonly.aof.manifest", "file i seq 1 type i\n");
  persistence().BeginLoading();
  std::thread reload;
  const auto error = persistence().Load([&] {
    reload = std::thread([&] { EXPECT_FALSE(persistence().Reload({})); });
    while (persistence().under_way() == Work::kNone) std::this_thread::yield();
    return true;
  });
  reload.join();
  EXPECT_NE(error, std::nullopt);
  EXPECT_EQ(files_.Content("dump.rdb"), "what was there");
  EXPECT_EQ(persistence().under_way(), Work::kNone);
}

TEST_F(PersistenceTest, OfASoundFileItIsNotSaidThatItIsDamaged) {
  files_.Put("dump.rdb", RdbFile("\x01" + Short("list") + "\x01" + Short("x")));
  Life lists(clock_, files_);
  EXPECT_THAT(lists.error().value_or(""),
              AllOf(HasSubstr("list-linked"), HasSubstr("The file looks sound"),
                    Not(HasSubstr("Restore it"))));
}

TEST_F(PersistenceTest, WithRdbchecksumNoAWrongSumIsNoError) {
  std::string file = RdbFile(std::string(1, '\0') + Short("a") + Short("1"));
  file.back() ^= 1;
  files_.Put("dump.rdb", file);
  EXPECT_NE(Life(clock_, files_).error(), std::nullopt);
  Life trusting(clock_, files_, {"--rdbchecksum", "no"});
  EXPECT_EQ(trusting.error(), std::nullopt);
  EXPECT_EQ(trusting.keys(), 1U);
}

TEST_F(PersistenceTest, WhatARepairPassedOverCountsAsAChange) {
  files_.Put("dump.rdb", RdbFile("\x01" + Short("list") + "\x01" + Short("x")));
  Life repaired(clock_, files_, {"--repair", "yes"});
  EXPECT_EQ(repaired.error(), std::nullopt);
  EXPECT_EQ(repaired.server().persistence().changes_since_save(), 1);
}

TEST_F(BeforeTheLoadTest, ARepairedLogIsRewritten) {
  files_.Put("appendonlydir/b", RdbFile("\x01" + Short("list") + "\x01" + Short("x") +
                                        std::string(1, '\0') + Short("a") + Short("1")));
  files_.Put("appendonlydir/appendonly.aof.manifest", "file b seq 1 type b\n");
  EXPECT_NE(Life(clock_, files_, {"--appendonly", "yes"}).error(), std::nullopt);
  persistence().BeginLoading();
  ASSERT_EQ(persistence().Load([] { return false; }), std::nullopt);
  Settle();
  EXPECT_EQ(persistence().figures().rewrites, 1);
  Life next(clock_, files_, {"--appendonly", "yes"});
  EXPECT_EQ(next.error(), std::nullopt);
  EXPECT_EQ(next.keys(), 1U);
}

TEST_F(PersistenceTest, ReloadGivesBackTheSameData) {
  Run("SET a 1");
  Run("SET b 2 EX 100");
  EXPECT_TRUE(persistence().Reload({}));
  EXPECT_EQ(Run("GET a"), "$1\r\n1\r\n");
  EXPECT_EQ(Run("TTL b"), ":100\r\n");
  EXPECT_EQ(persistence().changes_since_save(), 0);
}

TEST_F(PersistenceTest, AReloadThatCannotSaveTouchesNothing) {
  Run("SET a 1");
  files_.FailFrom(1);
  EXPECT_FALSE(persistence().Reload({}));
  EXPECT_EQ(Run("GET a"), "$1\r\n1\r\n");
  EXPECT_EQ(persistence().under_way(), Work::kNone);
}

TEST_F(PersistenceTest, WhatFollowsBgSaveIsNotInIt) {
  Run("SET a 1");
  EXPECT_EQ(Run("BGSAVE"), "+Background saving started\r\n");
  Run("SET b 2");
  Settle();
  Life next(clock_, files_);
  EXPECT_EQ(next.keys(), 1U);
}

TEST_F(PersistenceTest, WithSavePointsTheFileIsEmptySoonAfterFlushAll) {
  Set({"save", "3600 1000"});
  Run("SET a 1");
  ASSERT_TRUE(Snapshot());
  Run("FLUSHALL");
  Settle();
  Life next(clock_, files_);
  EXPECT_EQ(next.keys(), 0U);
}

// ---- the log

TEST_F(JournalledTest, ANewLogHasABaseAndTakesWhatIsWritten) {
  EXPECT_THAT(LogFiles(), ElementsAre("appendonly.aof.1.base.rdb", "appendonly.aof.1.incr.aof",
                                      "appendonly.aof.manifest"));
  Run("SET a 1");
  Run("INCR n");
  FlushLog();
  ExpectNextLifeHas(2U);
}

TEST_F(JournalledTest, WhatNobodyHearsOfIsLoggedAllTheSame) {
  Run("BITFIELD bits OVERFLOW FAIL INCRBY u8 100 500");
  FlushLog();
  ExpectNextLifeHas(1U);
}

TEST_F(JournalledTest, ARewritePutsOneBaseInThePlaceOfAllThatWas) {
  for (int i = 0; i < 100; ++i) Run("INCR n");
  ASSERT_EQ(persistence().BeginRewrite(), Work::kNone);
  Settle();
  EXPECT_EQ(persistence().figures().rewrites, 1);
  EXPECT_THAT(LogFiles(), ElementsAre("appendonly.aof.2.base.rdb", "appendonly.aof.2.incr.aof",
                                      "appendonly.aof.manifest"));
  EXPECT_EQ(files_.Content("appendonlydir/appendonly.aof.2.incr.aof"), "");
  ExpectNextLifeHas(1U);
}

TEST_F(JournalledTest, ARewriteThatFailsLosesNothing) {
  Run("SET a 1");
  FlushLog();
  files_.FailOn("temp-rewriteaof", Call::kRename);
  ASSERT_EQ(persistence().BeginRewrite(), Work::kNone);
  Settle();
  EXPECT_EQ(persistence().figures().rewrite_failures, 1);
  EXPECT_FALSE(persistence().figures().last_rewrite_ok);
  EXPECT_EQ(Run("SET b 2"), "+OK\r\n");
  FlushLog();
  ExpectNextLifeHas(2U);
}

TEST_F(JournalledTest, AManifestThatCannotBeWrittenRefusesWritesUntilItCan) {
  Run("SET a 1");
  FlushLog();
  files_.FailOn("manifest", Call::kRename);
  ASSERT_EQ(persistence().BeginRewrite(), Work::kNone);
  Settle();
  EXPECT_EQ(persistence().figures().rewrite_failures, 1);
  persistence().Tick();
  EXPECT_THAT(Run("SET b 2"), HasSubstr("MISCONF Errors writing to the AOF file: "));
  files_.Heal();
  while (persistence().refuses_writes()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    persistence().Tick();
  }
  EXPECT_EQ(Run("SET b 2"), "+OK\r\n");
  FlushLog();
  ExpectNextLifeHas(2U);
}

TEST_F(PersistenceTest, ARewriteWithoutALogLeavesABaseAndKeepsNone) {
  Run("SET a 1");
  ASSERT_EQ(persistence().BeginRewrite(), Work::kNone);
  Settle();
  EXPECT_FALSE(persistence().journal().on());
  Run("SET b 2");
  EXPECT_EQ(files_.Content("appendonlydir/appendonly.aof.manifest"),
            "file appendonly.aof.1.base.rdb seq 1 type b\n");
  EXPECT_EQ(files_.Paths().size(), 2U);
  Life with_log(clock_, files_, {"--appendonly", "yes"});
  EXPECT_EQ(with_log.keys(), 1U);
}

TEST_F(PersistenceTest, ALogThatCannotBeMadeIsNotTurnedOn) {
  files_.FailOn("appendonlydir", Call::kOpen, EACCES);
  std::vector<std::string_view> words = {"appendonly", "yes"};
  EXPECT_THAT(config_.Set(words),
              testing::Optional(HasSubstr("Unable to turn on AOF. Check server logs.")));
  EXPECT_EQ(config_.Text("appendonly"), "no");
  EXPECT_EQ(persistence().under_way(), Work::kNone);
}

TEST_F(PersistenceTest, AFileOfAnOldLogStaysWhereItIsWhileTheServerRuns) {
  files_.Put("appendonly.aof", "old");
  Run("SET a 1");
  Set({"appendonly", "yes"});
  Settle();
  EXPECT_EQ(files_.Content("appendonly.aof"), "old");
}

TEST_F(PersistenceTest, TheEndWaitsForTheFirstBaseOfALog) {
  {
    Hold hold(server_.keyspace().background_slot());
    hold.WaitAndClose(server_.keyspace().db(0));
    Set({"appendonly", "yes"});
    EXPECT_EQ(persistence().under_way(), Work::kRewrite);
    EXPECT_EQ(persistence().PrepareToEnd(Ending::kDefault, /*force=*/false), EndStep::kRefused);
  }
  Settle();
  EXPECT_EQ(persistence().PrepareToEnd(Ending::kDefault, /*force=*/false), EndStep::kDone);
}

TEST_F(PersistenceTest, TheLogCanBeTurnedOnAndOffWhileTheServerRuns) {
  Run("SET a 1");
  Set({"appendonly", "yes"});
  Settle();
  EXPECT_TRUE(persistence().journal().on());
  Run("SET b 2");
  ASSERT_FALSE(persistence().journal().file().Flush());
  Life with_both(clock_, files_, {"--appendonly", "yes"});
  EXPECT_EQ(with_both.keys(), 2U);
  Set({"appendonly", "no"});
  EXPECT_FALSE(persistence().journal().on());
  Run("SET c 3");
  Settle();
  Life without_the_last(clock_, files_, {"--appendonly", "yes"});
  EXPECT_EQ(without_the_last.keys(), 2U);
}

TEST_F(JournalledTest, ADiskThatRefusesTheLogRefusesWrites) {
  files_.FailFrom(1, Call::kWrite, ENOSPC);
  Run("SET a 1");
  EXPECT_TRUE(persistence().journal().file().Flush());
  persistence().Tick();
  EXPECT_TRUE(persistence().refuses_writes());
  EXPECT_THAT(Run("SET b 2"), HasSubstr("MISCONF Errors writing to the AOF file: "));
  EXPECT_EQ(Run("GET a"), "$1\r\n1\r\n");
}

TEST_F(JournalledTest, ARewriteByGrowthThatFailsThreeTimesWaitsLongerAndLonger) {
  Set({"auto-aof-rewrite-percentage", "1", "auto-aof-rewrite-min-size", "1"});
  files_.FailFrom(1, Call::kOpen);
  Run("SET a 1");
  for (int64_t failures = 1; failures <= 3; ++failures) {
    Settle();
    EXPECT_EQ(persistence().figures().rewrite_failures, failures);
  }
  Advance(59'999);
  Settle();
  EXPECT_EQ(persistence().figures().rewrite_failures, 3);
  Advance(1);
  Settle();
  EXPECT_EQ(persistence().figures().rewrite_failures, 4);
  Advance(119'999);
  Settle();
  EXPECT_EQ(persistence().figures().rewrite_failures, 4);
  files_.Heal();
  Advance(1);
  Settle();
  EXPECT_EQ(persistence().figures().rewrite_failures, 0);
  EXPECT_EQ(persistence().figures().rewrites, 1);
}

TEST_F(JournalledTest, ATornTailIsCutOrRefusedAsConfigured) {
  Run("SET a 1");
  Run("SET b 2");
  FlushLog();
  const std::string path = "appendonlydir/appendonly.aof.1.incr.aof";
  std::string torn = *files_.Content(path);
  torn.resize(torn.size() - 3);
  files_.Put(path, torn);
  {
    Life refused(clock_, files_, {"--appendonly", "yes", "--aof-load-truncated", "no"});
    ASSERT_NE(refused.error(), std::nullopt);
    EXPECT_THAT(*refused.error(), HasSubstr("Unexpected end of file"));
    EXPECT_EQ(files_.Content(path), torn);
  }
  Life cut(clock_, files_, {"--appendonly", "yes"});
  EXPECT_EQ(cut.error(), std::nullopt);
  EXPECT_EQ(cut.keys(), 1U);
  EXPECT_LT(files_.Content(path)->size(), torn.size());
}

TEST_F(JournalledTest, ALogThatCannotBeReadStopsTheStartAndKeepsItsEnd) {
  Run("SET a 1");
  Run("SET b 2");
  FlushLog();
  const std::string path = "appendonlydir/appendonly.aof.1.incr.aof";
  const std::optional<std::string> before = files_.Content(path);
  for (const Call call : {Call::kReach, Call::kRead}) {
    files_.FailOn("1.incr.aof", call);
    Life refused(clock_, files_, {"--appendonly", "yes"});
    EXPECT_THAT(refused.error().value_or(""), AllOf(HasSubstr("1.incr.aof: Input/output error"),
                                                    HasSubstr("Nothing was changed")));
    EXPECT_EQ(files_.Content(path), before);
  }
  // In the middle of a command: behind two reads of the manifest, three of the base, and the first
  // bytes of this one.
  files_.FailNth(7, Call::kRead);
  Life torn(clock_, files_, {"--appendonly", "yes"});
  EXPECT_THAT(torn.error().value_or(""),
              StartsWith("Unrecoverable error reading the append only file " + path));
  EXPECT_TRUE(files_.Failed());
  EXPECT_EQ(files_.Content(path), before);
  ExpectNextLifeHas(2U);
}

TEST_F(JournalledTest, ATornFileThatOthersFollowIsNotCut) {
  const std::string torn = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n";
  files_.Put("appendonlydir/1", torn);
  files_.Put("appendonlydir/2", "");
  files_.Put("appendonlydir/appendonly.aof.manifest", "file 1 seq 1 type i\nfile 2 seq 2 type i\n");
  Life refused(clock_, files_, {"--appendonly", "yes"});
  EXPECT_THAT(refused.error().value_or(""),
              AllOf(HasSubstr("not the last file"), Not(HasSubstr("--fix")),
                    Not(HasSubstr("aof-load-truncated"))));
  EXPECT_EQ(files_.Content("appendonlydir/1"), torn);
}

}  // namespace
}  // namespace cloakroom
