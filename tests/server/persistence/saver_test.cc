#include "server/persistence/saver.h"

#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/server/support/persistence_fixture.h"

namespace cloakroom {
namespace {

using testing::ElementsAre;
using Call = FaultyFiles::Call;

/// The saver as a state machine: which save is due when, and how it ends.
class SaverByHandTest : public ByHandTest {};
/// The saver of a server.
class SaverTest : public OnDiskTest {};

// ---- when it saves

TEST_F(SaverByHandTest, ASavePointAsksForSoManyChangesAndForMoreThanSoManySeconds) {
  Set({"save", "60 2"});
  Run("SET a 1");
  Advance(61'000);
  saver_.Tick();
  EXPECT_EQ(work_.under_way(), Kind::kNone) << "one change too few";
  Run("SET a 2");
  saver_.Tick();
  EXPECT_EQ(work_.under_way(), Kind::kSnapshot);
  runner_.RunNext();
  EXPECT_EQ(saver_.figures().snapshots, 1);
  EXPECT_EQ(saver_.changes_since_save(), 0);
  Run("MSET a 1 b 2");
  Advance(60'000);
  saver_.Tick();
  EXPECT_EQ(work_.under_way(), Kind::kNone) << "a millisecond too early";
  Advance(1'000);
  saver_.Tick();
  EXPECT_EQ(work_.under_way(), Kind::kSnapshot);
}

TEST_F(SaverByHandTest, ASavePointThatFailedIsTriedAgainAfterFiveSeconds) {
  Set({"save", "60 1"});
  Run("SET a 1");
  Advance(61'000);
  files_.FailFrom(1);
  saver_.Tick();
  runner_.RunNext();
  files_.Heal();
  EXPECT_FALSE(saver_.figures().last_ok);
  Advance(5'000);
  saver_.Tick();
  EXPECT_EQ(work_.under_way(), Kind::kNone);
  Advance(1);
  saver_.Tick();
  EXPECT_EQ(work_.under_way(), Kind::kSnapshot);
  runner_.RunNext();
  EXPECT_TRUE(saver_.figures().last_ok);
}

TEST_F(SaverByHandTest, WhatIsScheduledIsBegunAtATickOnce) {
  saver_.Schedule();
  EXPECT_TRUE(saver_.figures().scheduled);
  EXPECT_EQ(runner_.waiting(), 0U);
  saver_.Tick();
  EXPECT_FALSE(saver_.figures().scheduled);
  runner_.RunNext();
  saver_.Tick();
  EXPECT_EQ(runner_.waiting(), 0U);
  EXPECT_EQ(saver_.figures().snapshots, 1);
}

TEST_F(SaverByHandTest, AFlushIsSavedSoonOnlyWhereThereAreSavePoints) {
  Set({"save", ""});
  saver_.NoteFlush();
  EXPECT_FALSE(saver_.figures().scheduled);
  Set({"save", "3600 1"});
  saver_.NoteFlush();
  EXPECT_TRUE(saver_.figures().scheduled);
}

// ---- how it ends

TEST_F(SaverByHandTest, OneSnapshotAtATime) {
  EXPECT_EQ(saver_.Begin(), Kind::kNone);
  saver_.Schedule();
  EXPECT_EQ(saver_.Begin(), Kind::kSnapshot);
  EXPECT_TRUE(saver_.figures().scheduled) << "it is still to come";
  EXPECT_EQ(runner_.waiting(), 1U);
  runner_.RunNext();
  EXPECT_EQ(saver_.Begin(), Kind::kNone);
}

TEST_F(SaverByHandTest, TheOneWhoBeganItIsToldTheInstantAndThenTheEnd) {
  std::vector<std::string> told;
  const auto done = [&](const absl::Status& status) {
    EXPECT_OK(status);
    EXPECT_EQ(work_.under_way(), Kind::kNone);
    told.push_back("done");
  };
  const auto begun = [&] {
    EXPECT_EQ(work_.under_way(), Kind::kSnapshot);
    told.push_back("begun");
  };
  saver_.Begin(done, begun);
  EXPECT_THAT(told, ElementsAre());
  runner_.RunNext();
  EXPECT_THAT(told, ElementsAre("begun", "done"));
}

TEST_F(SaverByHandTest, OneThatFailsBeforeItsInstantSaysSoAllTheSame) {
  int begun = 0;
  absl::Status ended;
  files_.FailNth(1, Call::kOpen, ENOSPC);
  saver_.Begin([&](const absl::Status& status) { ended = status; }, [&] { ++begun; });
  runner_.RunNext();
  EXPECT_EQ(begun, 1);
  EXPECT_THAT(ended, FailsWith(testing::HasSubstr("No space left on device")));
  EXPECT_FALSE(saver_.figures().last_ok);
}

TEST_F(SaverByHandTest, OneThatIsGivenUpIsCancelledAndNoFailure) {
  Run("SET a 1");
  absl::Status ended;
  saver_.Begin([&](const absl::Status& status) { ended = status; });
  BackgroundWork::TakeOver turn(work_);
  EXPECT_FALSE(turn.Try());
  runner_.RunNext();
  EXPECT_TRUE(absl::IsCancelled(ended));
  EXPECT_TRUE(saver_.figures().last_ok) << "the disk is not to blame";
  EXPECT_EQ(saver_.figures().snapshots, 0);
  EXPECT_EQ(saver_.changes_since_save(), 1);
  EXPECT_TRUE(turn.Try());
}

TEST_F(SaverByHandTest, WhatIsNotInALoadedFileCountsAsAChange) {
  Run("SET a 1");
  saver_.NoteLoaded(/*changes=*/3);
  EXPECT_EQ(saver_.changes_since_save(), 3);
}

// ---- on the disk

TEST_F(SaverTest, ASnapshotHoldsWhatWasThereAndNoTemporaryFileIsLeft) {
  Run("SET a 1");
  Run("HSET h f v");
  EXPECT_EQ(saver().changes_since_save(), 2);
  EXPECT_TRUE(Snapshot());
  EXPECT_EQ(saver().changes_since_save(), 0);
  EXPECT_TRUE(saver().figures().last_ok);
  EXPECT_EQ(saver().figures().snapshots, 1);
  EXPECT_THAT(files_.Paths(), ElementsAre("dump.rdb"));
  Life next(clock_, files_);
  EXPECT_OK(next.loaded());
  EXPECT_EQ(next.keys(), 2U);
}

TEST_F(SaverTest, AFailedSnapshotKeepsTheOldFileAndItsChanges) {
  Run("SET a 1");
  ASSERT_TRUE(Snapshot());
  const std::optional<std::string> before = files_.Content("dump.rdb");
  Run("SET b 2");
  files_.FailFrom(1, Call::kSync);
  EXPECT_FALSE(Snapshot());
  EXPECT_EQ(saver().changes_since_save(), 1);
  EXPECT_EQ(files_.Content("dump.rdb"), before);
}

TEST_F(SaverTest, WhatFollowsBgSaveIsNotInIt) {
  Run("SET a 1");
  EXPECT_EQ(Run("BGSAVE"), "+Background saving started\r\n");
  Run("SET b 2");
  Settle();
  Life next(clock_, files_);
  EXPECT_EQ(next.keys(), 1U);
}

TEST_F(SaverTest, WithSavePointsTheFileIsEmptySoonAfterFlushAll) {
  Set({"save", "3600 1000"});
  Run("SET a 1");
  ASSERT_TRUE(Snapshot());
  Run("FLUSHALL");
  Settle();
  Life next(clock_, files_);
  EXPECT_EQ(next.keys(), 0U);
}

}  // namespace
}  // namespace cloakroom
