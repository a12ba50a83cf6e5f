#include "server/persistence/loader.h"

#include <optional>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "replication/files/file_status.h"
#include "server/roles/replication.h"
#include "storage/keyspace/hold.h"
#include "tests/replication/support/rdb_bytes.h"
#include "tests/server/support/persistence_fixture.h"

namespace cloakroom {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Call = FaultyFiles::Call;
using Kind = BackgroundWork::Kind;

class LoaderTest : public OnDiskTest {};

/// A server that is about to start with a log.
class BeforeTheLoadTest : public OnDiskTest {
 protected:
  BeforeTheLoadTest() : OnDiskTest({"--appendonly", "yes", "--repair", "yes"}) {}
};

/// A server that has started with a log.
class LogLoaderTest : public JournalledTest {};

// ---- at the start: a snapshot

TEST_F(LoaderTest, WithoutAFileTheServerBeginsEmpty) {
  Life next(clock_, files_);
  EXPECT_OK(next.loaded());
  EXPECT_EQ(next.keys(), 0U);
  EXPECT_FALSE(next.persistence().loader().loading());
}

TEST_F(LoaderTest, WhileItLoadsClientsAreToldSo) {
  loader().Begin();
  EXPECT_TRUE(loader().loading());
  EXPECT_EQ(Run("GET a"), "-LOADING Redis is loading the dataset in memory\r\n");
  ASSERT_OK(loader().LoadAtStart([] { return false; }));
  EXPECT_FALSE(loader().loading());
  EXPECT_EQ(Run("GET a"), "$-1\r\n");
}

TEST_F(LoaderTest, ATransactionThatWasQueuedBeforeALoadIsRefused) {
  Run("MULTI");
  Run("GET a");
  loader().Begin();
  EXPECT_EQ(Run("EXEC"),
            "-EXECABORT Transaction discarded because of: LOADING Redis is loading the dataset in "
            "memory\r\n");
  EXPECT_EQ(Run("EXEC"), "-ERR EXEC without MULTI\r\n");
}

TEST_F(LoaderTest, ADamagedFileStopsTheStartAndSaysWhatToDo) {
  Run("SET a 1");
  ASSERT_TRUE(Snapshot());
  std::string content = *files_.Content("dump.rdb");
  content.resize(content.size() - 9);  // the checksum, and the mark of the end
  files_.Put("dump.rdb", content);
  Life next(clock_, files_);
  EXPECT_THAT(MessageOf(next.loaded()), HasSubstr("The RDB file dump.rdb can't be loaded"));
  EXPECT_THAT(MessageOf(next.loaded()), HasSubstr("--repair yes"));
}

TEST_F(LoaderTest, AFileThatCannotBeReachedOrReadIsNotAbsent) {
  Run("SET a 1");
  ASSERT_TRUE(Snapshot());
  files_.FailOn("dump.rdb", Call::kReach, EACCES);
  Life unreachable(clock_, files_);
  EXPECT_THAT(MessageOf(unreachable.loaded()),
              AllOf(StartsWith("Fatal error loading the DB: Permission denied"),
                    HasSubstr("Mend the owner or mode")));
  files_.FailOn("dump.rdb", Call::kRead);
  Life unreadable(clock_, files_);
  EXPECT_THAT(MessageOf(unreadable.loaded()),
              AllOf(StartsWith("Fatal error loading the DB: Input/output error"),
                    Not(HasSubstr("--repair"))));
}

TEST_F(LoaderTest, OfASoundFileItIsNotSaidThatItIsDamaged) {
  files_.Put("dump.rdb", RdbFile(ModuleValue("list")));
  Life modules(clock_, files_);
  EXPECT_THAT(MessageOf(modules.loaded()),
              AllOf(HasSubstr("module-value"), HasSubstr("The file looks sound"),
                    Not(HasSubstr("Restore it"))));
}

TEST_F(LoaderTest, WithRdbchecksumNoAWrongSumIsNoError) {
  std::string file = RdbFile(std::string(1, '\0') + Short("a") + Short("1"));
  file.back() ^= 1;
  files_.Put("dump.rdb", file);
  EXPECT_FALSE(Life(clock_, files_).loaded().ok());
  Life trusting(clock_, files_, {"--rdbchecksum", "no"});
  EXPECT_OK(trusting.loaded());
  EXPECT_EQ(trusting.keys(), 1U);
}

TEST_F(LoaderTest, WhatARepairPassedOverCountsAsAChange) {
  files_.Put("dump.rdb", RdbFile(ModuleValue("list")));
  Life repaired(clock_, files_, {"--repair", "yes"});
  EXPECT_OK(repaired.loaded());
  EXPECT_EQ(repaired.persistence().saver().changes_since_save(), 1);
}

TEST_F(BeforeTheLoadTest, AfterALoadThatFailedNothingIsSavedAnyMore) {
  files_.Put("appendonlydir/appendonly.aof.manifest", "nonsense\n");
  loader().Begin();
  EXPECT_THAT(loader().LoadAtStart([] { return false; }),
              FailsWith(StartsWith("The append-only log can't be read: ")));
  EXPECT_TRUE(persistence().work().saving_forgone());
  EXPECT_EQ(saver().Begin(), Kind::kNone);
  persistence().work().AwaitIdle();
  EXPECT_FALSE(files_.Exists("dump.rdb"));
}

// ---- at the start: a log

TEST_F(BeforeTheLoadTest, ARepairedLogIsRewritten) {
  files_.Put("appendonlydir/b",
             RdbFile(ModuleValue("list") + std::string(1, '\0') + Short("a") + Short("1")));
  files_.Put("appendonlydir/appendonly.aof.manifest", "file b seq 1 type b\n");
  EXPECT_FALSE(Life(clock_, files_, {"--appendonly", "yes"}).loaded().ok());
  loader().Begin();
  ASSERT_OK(loader().LoadAtStart([] { return false; }));
  Settle();
  EXPECT_EQ(log_keeper().figures().rewrites, 1);
  Life next(clock_, files_, {"--appendonly", "yes"});
  EXPECT_OK(next.loaded());
  EXPECT_EQ(next.keys(), 1U);
}

TEST_F(LogLoaderTest, ATornTailIsCutOrRefusedAsConfigured) {
  Run("SET a 1");
  Run("SET b 2");
  FlushLog();
  const std::string path = "appendonlydir/appendonly.aof.1.incr.aof";
  std::string torn = *files_.Content(path);
  torn.resize(torn.size() - 3);
  files_.Put(path, torn);
  {
    Life refused(clock_, files_, {"--appendonly", "yes", "--aof-load-truncated", "no"});
    EXPECT_THAT(MessageOf(refused.loaded()), HasSubstr("Unexpected end of file"));
    EXPECT_EQ(files_.Content(path), torn);
  }
  Life cut(clock_, files_, {"--appendonly", "yes"});
  EXPECT_OK(cut.loaded());
  EXPECT_EQ(cut.keys(), 1U);
  EXPECT_LT(files_.Content(path)->size(), torn.size());
}

// ---- at the start: the place in the history

/// A server with a history that others continue.
class ReplicatedLogTest : public JournalledTest {
 protected:
  ReplicatedLogTest() {
    Hold hold(server_.keyspace().background_slot());
    hold.WaitAndCloseAll(server_.keyspace());
    server_.replication().BeginFullSync();
  }

  Replication::Figures Ours() { return server_.replication().figures(); }
  Replication::Figures NextLife(const std::vector<std::string>& options = {"--appendonly", "yes"}) {
    Life next(clock_, files_, options);
    EXPECT_OK(next.loaded());
    return next.server().replication().figures();
  }
  const std::string path_ = "appendonlydir/appendonly.aof.1.incr.aof";
};

TEST_F(ReplicatedLogTest, ARestartTakesUpThePlaceAndTheBacklog) {
  Run("SET a 1");
  Run("PUBLISH channel message");
  FlushLog();
  const Replication::Figures before = Ours();
  const Replication::Figures after = NextLife();
  EXPECT_TRUE(after.backlog);
  EXPECT_EQ(after.id2, before.id1);
  EXPECT_FALSE(after.id1 == before.id1);
  EXPECT_LE(after.offset, before.offset);
  EXPECT_EQ(after.second_offset, after.offset + 1);
  EXPECT_EQ(after.first_byte, before.first_byte);
  EXPECT_THAT(*files_.Content(path_), HasSubstr("#REPL:" + std::string(after.id1.text()) + ":" +
                                                std::to_string(after.offset) + "\r\n"));
}

TEST_F(ReplicatedLogTest, ATornTailIsNotCounted) {
  Run("SET a 1");
  FlushLog();
  const int64_t whole = Ours().offset;
  Run("SET a 2");
  FlushLog();
  const std::string content = *files_.Content(path_);
  files_.Put(path_, content.substr(0, content.size() - 1));
  EXPECT_EQ(NextLife().offset, whole);
}

TEST_F(ReplicatedLogTest, AStatementThatDoesNotHoldAnyMoreIsTakenBackInTheLog) {
  Run("SET a 1");
  FlushLog();
  files_.Put(path_, *files_.Content(path_) + "#OFF:0\r\n");
  const std::string before = *files_.Content(path_);
  EXPECT_FALSE(NextLife().backlog);
  EXPECT_EQ(files_.Content(path_), before + "#REPL:-\r\n");
}

TEST_F(ReplicatedLogTest, ABaseHasThePlaceToo) {
  Run("SET a 1");
  log_keeper().Schedule();
  Settle();
  files_.Put("appendonlydir/appendonly.aof.2.incr.aof", "");
  const Replication::Figures before = Ours();
  const Replication::Figures after = NextLife();
  EXPECT_EQ(after.id2, before.id1);
  EXPECT_EQ(after.offset, before.offset);
}

TEST_F(ReplicatedLogTest, WhereDataWasLostNobodyContinues) {
  Run("SET a 1");
  ASSERT_TRUE(Snapshot());
  EXPECT_TRUE(NextLife({}).backlog);
  std::string content = *files_.Content("dump.rdb");
  content.resize(content.size() - 9);
  files_.Put("dump.rdb", content);
  EXPECT_FALSE(NextLife({"--repair", "yes"}).backlog);
}

TEST_F(ReplicatedLogTest, WhileTheServerRunsALoadPutsNothingBack) {
  Run("SET a 1");
  const int64_t tail = server_.stream().tail();
  EXPECT_OK(loader().Reload({.from_log = true}));
  EXPECT_EQ(server_.stream().tail(), tail);
}

TEST_F(LogLoaderTest, ALogWithoutStatementsHasNoPlace) {
  Run("SET a 1");
  FlushLog();
  const auto before = files_.Content("appendonlydir/appendonly.aof.1.incr.aof");
  {
    Life next(clock_, files_, {"--appendonly", "yes"});
    EXPECT_FALSE(next.server().replication().figures().backlog);
  }
  EXPECT_EQ(files_.Content("appendonlydir/appendonly.aof.1.incr.aof"), before);
}

TEST_F(LogLoaderTest, ALogThatCannotBeReadStopsTheStartAndKeepsItsEnd) {
  Run("SET a 1");
  Run("SET b 2");
  FlushLog();
  const std::string path = "appendonlydir/appendonly.aof.1.incr.aof";
  const std::optional<std::string> before = files_.Content(path);
  for (const Call call : {Call::kReach, Call::kRead}) {
    files_.FailOn("1.incr.aof", call);
    Life refused(clock_, files_, {"--appendonly", "yes"});
    EXPECT_THAT(MessageOf(refused.loaded()), AllOf(HasSubstr("1.incr.aof: Input/output error"),
                                                   HasSubstr("Nothing was changed")));
    EXPECT_EQ(files_.Content(path), before);
  }
  // In the middle of a command: after two reads of the manifest, three of the base, and the first
  // bytes of this file.
  files_.FailNth(7, Call::kRead);
  Life torn(clock_, files_, {"--appendonly", "yes"});
  EXPECT_THAT(MessageOf(torn.loaded()),
              StartsWith("Unrecoverable error reading the append only file " + path));
  EXPECT_TRUE(files_.Failed());
  EXPECT_EQ(files_.Content(path), before);
  ExpectNextLifeHas(2U);
}

TEST_F(LogLoaderTest, ATornFileThatOthersFollowIsNotCut) {
  const std::string torn = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n";
  files_.Put("appendonlydir/1", torn);
  files_.Put("appendonlydir/2", "");
  files_.Put("appendonlydir/appendonly.aof.manifest", "file 1 seq 1 type i\nfile 2 seq 2 type i\n");
  Life refused(clock_, files_, {"--appendonly", "yes"});
  EXPECT_THAT(MessageOf(refused.loaded()),
              AllOf(HasSubstr("not the last file"), Not(HasSubstr("--fix")),
                    Not(HasSubstr("aof-load-truncated"))));
  EXPECT_EQ(files_.Content("appendonlydir/1"), torn);
}

// ---- loading again

TEST_F(LoaderTest, ReloadGivesBackTheSameData) {
  Run("SET a 1");
  Run("SET b 2 EX 100");
  EXPECT_OK(loader().Reload({}));
  EXPECT_EQ(Run("GET a"), "$1\r\n1\r\n");
  EXPECT_EQ(Run("TTL b"), ":100\r\n");
  EXPECT_EQ(saver().changes_since_save(), 0);
}

TEST_F(LoaderTest, AReloadThatCannotSaveTouchesNothing) {
  Run("SET a 1");
  files_.FailFrom(1);
  EXPECT_FALSE(loader().Reload({}).ok());
  EXPECT_EQ(Run("GET a"), "$1\r\n1\r\n");
  EXPECT_EQ(persistence().work().under_way(), Kind::kNone);
}

TEST_F(BeforeTheLoadTest, AReloadDuringALoadThatIsGivenUpSavesNothing) {
  files_.Put("dump.rdb", "what was there");
  files_.Put("appendonlydir/i", "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n");
  files_.Put("appendonlydir/appendonly.aof.manifest", "file i seq 1 type i\n");
  loader().Begin();
  std::thread reload;
  const absl::Status loaded = loader().LoadAtStart([&] {
    reload = std::thread([&] { EXPECT_FALSE(loader().Reload({}).ok()); });
    while (persistence().work().under_way() == Kind::kNone) std::this_thread::yield();
    return true;
  });
  reload.join();
  EXPECT_TRUE(absl::IsCancelled(loaded));
  EXPECT_EQ(files_.Content("dump.rdb"), "what was there");
  EXPECT_EQ(persistence().work().under_way(), Kind::kNone);
}

TEST_F(LogLoaderTest, TheLogIsLoadedInPlaceOfTheData) {
  Run("SET a 1");
  Run("SET b 2");
  EXPECT_OK(loader().Reload({.from_log = true}));
  EXPECT_EQ(Run("GET a"), "$1\r\n1\r\n");
  Run("SET c 3");
  FlushLog();
  ExpectNextLifeHas(3U);
}

TEST_F(LogLoaderTest, ALoadTellsThoseWhoTrackToForgetEverything) {
  ClientNamed("reader").resp = 3;
  RunAs("reader", "CLIENT TRACKING ON");
  for (const Loader::ReloadOptions& options :
       {Loader::ReloadOptions{}, Loader::ReloadOptions{.flush = false, .merge = true},
        Loader::ReloadOptions{.from_log = true}}) {
    RunAs("reader", "GET k");
    EXPECT_OK(loader().Reload(options));
    EXPECT_EQ(std::exchange(LinkOf("reader").pushed, ""), ">2\r\n$10\r\ninvalidate\r\n_\r\n");
  }
}

}  // namespace
}  // namespace cloakroom
