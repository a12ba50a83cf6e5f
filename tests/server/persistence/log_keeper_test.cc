#include "server/persistence/log_keeper.h"

#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "tests/server/support/persistence_fixture.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Call = FaultyFiles::Call;
using EndStep = Persistence::EndStep;
using Ending = ShutdownSave;
using Kind = BackgroundWork::Kind;
using State = AppendOnlyFile::State;

/// The keeper of a server that starts without a log.
class LogKeeperTest : public OnDiskTest {};
/// The keeper of a server that has started with a log.
class LogKeeperOfALogTest : public JournalledTest {};
/// The keeper as a state machine, in a server that wants a log and has none yet.
class LogKeeperByHandTest : public ByHandTest {
 protected:
  LogKeeperByHandTest() : ByHandTest({"--appendonly", "yes"}) {}
};

// ---- state by state

TEST_F(LogKeeperByHandTest, ALogThatIsWantedAndMissingIsBegunAndRetriedAfterFiveSeconds) {
  Advance(5'001);  // so that a retry is due, though there was no try
  files_.FailFrom(1, Call::kOpen);
  EXPECT_TRUE(log_keeper_.Tick());
  EXPECT_TRUE(log_keeper_.WaitsForFirstBase());
  runner_.RunNext();
  EXPECT_EQ(log_keeper_.figures().failures, 1);
  EXPECT_FALSE(log_keeper_.WaitsForFirstBase()) << "nobody is at it";
  files_.Heal();
  Advance(5'000);
  EXPECT_FALSE(log_keeper_.Tick());
  Advance(1);
  EXPECT_TRUE(log_keeper_.Tick());
  EXPECT_TRUE(log_keeper_.WaitsForFirstBase());
  runner_.RunNext();
  EXPECT_FALSE(log_keeper_.WaitsForFirstBase());
  EXPECT_TRUE(journal_.on());
  EXPECT_EQ(journal_.file().state(), State::kOn);
  EXPECT_EQ(log_keeper_.figures().failures, 0);
  EXPECT_FALSE(log_keeper_.Tick()) << "nothing is due";
}

TEST_F(LogKeeperByHandTest, OneRewriteAtATimeAndTheScheduledOneComesAfterIt) {
  EXPECT_EQ(log_keeper_.Begin(), Kind::kNone);
  EXPECT_EQ(log_keeper_.Begin(), Kind::kRewrite);
  EXPECT_EQ(saver_.Begin(), Kind::kRewrite) << "nor a snapshot";
  log_keeper_.Schedule();
  runner_.RunNext();
  EXPECT_TRUE(log_keeper_.figures().scheduled);
  EXPECT_TRUE(log_keeper_.Tick());
  EXPECT_FALSE(log_keeper_.figures().scheduled);
  runner_.RunNext();
  EXPECT_EQ(log_keeper_.figures().rewrites, 2);
}

TEST_F(LogKeeperByHandTest, AFirstBaseThatIsGivenUpLeavesNoLogAndIsNoFailure) {
  Run("SET a 1");
  log_keeper_.Begin();
  BackgroundWork::TakeOver turn(work_);
  runner_.RunNext();
  EXPECT_FALSE(journal_.on());
  EXPECT_EQ(journal_.file().state(), State::kOff);
  EXPECT_TRUE(log_keeper_.figures().last_ok);
  EXPECT_EQ(log_keeper_.figures().failures, 0);
  EXPECT_TRUE(turn.Try());
}

TEST_F(LogKeeperByHandTest, ChangesDuringTheRewriteAreInTheLogBehindTheBase) {
  Run("SET a 1");
  log_keeper_.Begin();
  runner_.RunNext();
  Run("SET b 2");
  log_keeper_.Begin();
  Run("SET c 3");
  runner_.RunNext();
  Run("SET d 4");
  ASSERT_OK(journal_.file().Flush());
  Life next(clock_, files_, {"--appendonly", "yes"});
  EXPECT_OK(next.loaded());
  EXPECT_EQ(next.keys(), 4U);
}

TEST_F(LogKeeperByHandTest, ALogWhoseFileIsMissingIsReplacedAndItsNumbersAreNotGivenAgain) {
  files_.Put("appendonlydir/appendonly.aof.3.incr.aof", "");
  files_.Put("appendonlydir/appendonly.aof.manifest",
             "file appendonly.aof.2.base.rdb seq 2 type b\n"
             "file appendonly.aof.3.incr.aof seq 3 type i\n");
  log_keeper_.Begin();
  runner_.RunNext();
  EXPECT_TRUE(log_keeper_.figures().last_ok);
  EXPECT_EQ(files_.Content("appendonlydir/appendonly.aof.manifest"),
            "file appendonly.aof.3.base.rdb seq 3 type b\n"
            "file appendonly.aof.4.incr.aof seq 4 type i\n");
}

TEST_F(LogKeeperByHandTest, AManifestThatCannotBeReadIsNotReplaced) {
  files_.Put("appendonlydir/appendonly.aof.manifest", "what was there");
  files_.FailOn("manifest", Call::kRead);
  log_keeper_.Begin();
  runner_.RunNext();
  EXPECT_FALSE(log_keeper_.figures().last_ok);
  EXPECT_EQ(files_.Content("appendonlydir/appendonly.aof.manifest"), "what was there");
}

// ---- the log on the disk

TEST_F(LogKeeperOfALogTest, ANewLogHasABaseAndTakesWhatIsWritten) {
  EXPECT_THAT(LogFiles(), ElementsAre("appendonly.aof.1.base.rdb", "appendonly.aof.1.incr.aof",
                                      "appendonly.aof.manifest"));
  Run("SET a 1");
  Run("INCR n");
  FlushLog();
  ExpectNextLifeHas(2U);
}

TEST_F(LogKeeperOfALogTest, WhatNobodyHearsOfIsLoggedAllTheSame) {
  Run("BITFIELD bits OVERFLOW FAIL INCRBY u8 100 500");
  FlushLog();
  ExpectNextLifeHas(1U);
}

TEST_F(LogKeeperOfALogTest, ARewritePutsOneBaseInThePlaceOfAllThatWas) {
  for (int i = 0; i < 100; ++i) Run("INCR n");
  ASSERT_EQ(log_keeper().Begin(), Kind::kNone);
  Settle();
  EXPECT_EQ(log_keeper().figures().rewrites, 1);
  EXPECT_THAT(LogFiles(), ElementsAre("appendonly.aof.2.base.rdb", "appendonly.aof.2.incr.aof",
                                      "appendonly.aof.manifest"));
  EXPECT_EQ(files_.Content("appendonlydir/appendonly.aof.2.incr.aof"),
            "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n")
      << "the database that the stream has selected";
  ExpectNextLifeHas(1U);
}

TEST_F(LogKeeperOfALogTest, ARewriteThatFailsLosesNothing) {
  Run("SET a 1");
  FlushLog();
  files_.FailOn("temp-rewriteaof", Call::kRename);
  ASSERT_EQ(log_keeper().Begin(), Kind::kNone);
  Settle();
  EXPECT_EQ(log_keeper().figures().failures, 1);
  EXPECT_FALSE(log_keeper().figures().last_ok);
  EXPECT_EQ(Run("SET b 2"), "+OK\r\n");
  FlushLog();
  ExpectNextLifeHas(2U);
}

TEST_F(LogKeeperOfALogTest, ARewriteByGrowthThatFailsThreeTimesWaitsLongerAndLonger) {
  Set({"auto-aof-rewrite-percentage", "1", "auto-aof-rewrite-min-size", "1"});
  files_.FailFrom(1, Call::kOpen);
  Run("SET a 1");
  for (int64_t failures = 1; failures <= 3; ++failures) {
    Settle();
    EXPECT_EQ(log_keeper().figures().failures, failures);
  }
  Advance(59'999);
  Settle();
  EXPECT_EQ(log_keeper().figures().failures, 3);
  Advance(1);
  Settle();
  EXPECT_EQ(log_keeper().figures().failures, 4);
  Advance(119'999);
  Settle();
  EXPECT_EQ(log_keeper().figures().failures, 4);
  files_.Heal();
  Advance(1);
  Settle();
  EXPECT_EQ(log_keeper().figures().failures, 0);
  EXPECT_EQ(log_keeper().figures().rewrites, 1);
}

TEST_F(LogKeeperTest, ARewriteWithoutALogLeavesABaseAndKeepsNone) {
  Run("SET a 1");
  ASSERT_EQ(log_keeper().Begin(), Kind::kNone);
  Settle();
  EXPECT_FALSE(persistence().journal().on());
  Run("SET b 2");
  EXPECT_EQ(files_.Content("appendonlydir/appendonly.aof.manifest"),
            "file appendonly.aof.1.base.rdb seq 1 type b\n");
  EXPECT_EQ(files_.Paths().size(), 2U);
  Life with_log(clock_, files_, {"--appendonly", "yes"});
  EXPECT_EQ(with_log.keys(), 1U);
}

// ---- on and off

TEST_F(LogKeeperTest, ALogThatCannotBeMadeIsNotTurnedOn) {
  files_.FailOn("appendonlydir", Call::kOpen, EACCES);
  std::vector<std::string_view> words = {"appendonly", "yes"};
  EXPECT_THAT(config_.Set(words),
              FailsWith(HasSubstr("Unable to turn on AOF. Check server logs.")));
  EXPECT_EQ(config_.Text("appendonly"), "no");
  EXPECT_EQ(persistence().work().under_way(), Kind::kNone);
}

TEST_F(LogKeeperTest, AFileOfAnOldLogStaysWhereItIsWhileTheServerRuns) {
  files_.Put("appendonly.aof", "old");
  Run("SET a 1");
  Set({"appendonly", "yes"});
  Settle();
  EXPECT_EQ(files_.Content("appendonly.aof"), "old");
}

TEST_F(LogKeeperTest, TheEndWaitsForTheFirstBaseOfALog) {
  {
    Hold hold(server_.keyspace().background_slot());
    hold.WaitAndClose(server_.keyspace().db(0));
    Set({"appendonly", "yes"});
    EXPECT_EQ(persistence().work().under_way(), Kind::kRewrite);
    EXPECT_EQ(persistence().PrepareToEnd(Ending::kDefault, /*force=*/false), EndStep::kRefused);
  }
  Settle();
  EXPECT_EQ(persistence().PrepareToEnd(Ending::kDefault, /*force=*/false), EndStep::kDone);
}

TEST_F(LogKeeperTest, TheLogCanBeTurnedOnAndOffWhileTheServerRuns) {
  Run("SET a 1");
  Set({"appendonly", "yes"});
  Settle();
  EXPECT_TRUE(persistence().journal().on());
  Run("SET b 2");
  ASSERT_OK(persistence().journal().file().Flush());
  Life with_both(clock_, files_, {"--appendonly", "yes"});
  EXPECT_EQ(with_both.keys(), 2U);
  Set({"appendonly", "no"});
  EXPECT_FALSE(persistence().journal().on());
  Run("SET c 3");
  Settle();
  Life without_the_last(clock_, files_, {"--appendonly", "yes"});
  EXPECT_EQ(without_the_last.keys(), 2U);
}

}  // namespace
}  // namespace cloakroom
