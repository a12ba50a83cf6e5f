#include "replication/aof/aof_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "replication/files/file_status.h"
#include "tests/replication/support/faulty_files.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

using Call = FaultyFiles::Call;
using ::testing::ElementsAre;

constexpr char kManifest[] = "dir/a.manifest";

class AofDirectoryTest : public ::testing::Test {
 protected:
  absl::StatusOr<AofDirectory::Loaded> Load() { return AofDirectory::Load(files_, "dir", "a"); }

  absl::Status AddIncr(AofDirectory& directory, bool listed = true) {
    const auto incr = directory.PrepareIncr(listed);
    return incr.ok() ? directory.CommitIncr() : incr.status();
  }

  /// Makes base 1 and incr 1, on the disk.
  void MakeLog() {
    files_.Put("dir/a.1.base.rdb", "base");
    files_.Put("dir/a.1.incr.aof", "incr");
    files_.Put(kManifest, "file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i\n");
  }

  FaultyFiles files_;
};

TEST_F(AofDirectoryTest, NothingThereIsAnEmptyLog) {
  EXPECT_OK(Load());
  EXPECT_TRUE(Load()->manifest.empty());
  EXPECT_THAT(files_.Paths(), ElementsAre());
}

TEST_F(AofDirectoryTest, LoadsItsManifest) {
  MakeLog();
  const auto loaded = Load();
  ASSERT_OK(loaded);
  EXPECT_FALSE(loaded->upgraded);
  EXPECT_EQ(loaded->manifest.Print(), *files_.Content(kManifest));
}

TEST_F(AofDirectoryTest, AManifestThatLiesIsAnError) {
  files_.Put(kManifest, "file a.1.base.rdb seq 1 type b\n");
  EXPECT_THAT(Load(), FailsWith(::testing::HasSubstr("a.1.base.rdb")));
  files_.Put(kManifest, "file a.1.base.rdb seq 1 type q\n");
  EXPECT_THAT(
      Load(),
      FailsWith("*** FATAL AOF MANIFEST FILE ERROR *** Reading the manifest file, at line 1 "
                ">>> 'file a.1.base.rdb seq 1 type q': Unknown AOF file type"));
}

TEST_F(AofDirectoryTest, WhatCannotBeReachedIsAnErrorAndNotAnEmptyLog) {
  MakeLog();
  for (const char* path : {"dir/a.manifest", "dir/a.1.base.rdb", "dir/a.1.incr.aof"}) {
    files_.FailOn(path, FaultyFiles::Call::kReach, EACCES);
    EXPECT_EQ(ErrnoOf(Load().status()), EACCES) << path;
    files_.Heal();
  }
  files_.FailNth(1, FaultyFiles::Call::kRead);
  EXPECT_EQ(ErrnoOf(Load().status()), EIO);
  EXPECT_OK(Load());
}

TEST_F(AofDirectoryTest, AnOldLogOutOfReachIsNotPassedOver) {
  files_.Put("a", "commands");
  files_.FailOn("open a", FaultyFiles::Call::kReach, EACCES);
  EXPECT_EQ(ErrnoOf(Load().status()), EACCES);
  EXPECT_TRUE(files_.Exists("dir") == false && files_.Content("a") == "commands");
}

TEST_F(AofDirectoryTest, AnOldLogBecomesTheBase) {
  files_.Put("a", "commands");
  const auto loaded = Load();
  ASSERT_OK(loaded);
  EXPECT_TRUE(loaded->upgraded);
  EXPECT_EQ(files_.Content("dir/a"), "commands");
  EXPECT_EQ(files_.Content(kManifest), "file a seq 1 type b\n");
  EXPECT_FALSE(files_.Exists("a"));
  EXPECT_FALSE(Load()->upgraded) << "once";
}

TEST_F(AofDirectoryTest, AnUpgradeThatCrashesAnywhereIsFinishedByTheNext) {
  for (int n = 1;; n++) {
    FaultyFiles files;
    files.Put("a", "commands");
    files.FailFrom(n);
    (void)AofDirectory::Load(files, "dir", "a");
    bool failed = files.Failed();
    files.Crash(0, n % 2 == 0 ? FaultyFiles::Names::kAll : FaultyFiles::Names::kSynced);
    EXPECT_OK(AofDirectory::Load(files, "dir", "a")) << n;
    EXPECT_EQ(files.Content("dir/a"), "commands") << n;
    if (!failed) break;
  }
}

TEST_F(AofDirectoryTest, AnIncrFileIsListedWhenCommitted) {
  MakeLog();
  AofDirectory directory(files_, "dir", "a");
  directory.Adopt(Load()->manifest);
  const auto incr = directory.PrepareIncr(true);
  ASSERT_OK(incr);
  EXPECT_EQ(incr->entry.name, "a.2.incr.aof");
  EXPECT_EQ(Load()->manifest.incrs().size(), 1u);
  ASSERT_OK(directory.CommitIncr());
  EXPECT_EQ(Load()->manifest.incrs().size(), 2u);
  EXPECT_EQ(directory.Size(), 8);
  files_.Crash();
  EXPECT_OK(Load());
  EXPECT_EQ(Load()->manifest.incrs().size(), 2u);
}

TEST_F(AofDirectoryTest, ANewBaseReplacesAndItsHistoryIsRemoved) {
  MakeLog();
  AofDirectory directory(files_, "dir", "a");
  directory.Adopt(Load()->manifest);
  ASSERT_OK(AddIncr(directory));
  files_.Put("temp", "new base");
  ASSERT_OK(directory.InstallBase("temp", true, true));
  EXPECT_EQ(files_.Content(kManifest),
            "file a.2.base.rdb seq 2 type b\nfile a.1.base.rdb seq 1 type h\n"
            "file a.1.incr.aof seq 1 type h\nfile a.2.incr.aof seq 2 type i\n");
  EXPECT_EQ(directory.BaseSize(), 8);
  ASSERT_OK(directory.RemoveHistory());
  EXPECT_EQ(files_.Content(kManifest),
            "file a.2.base.rdb seq 2 type b\nfile a.2.incr.aof seq 2 type i\n");
  EXPECT_THAT(files_.Paths(), ElementsAre("dir/a.2.base.rdb", "dir/a.2.incr.aof", kManifest));
}

TEST_F(AofDirectoryTest, AFileIsListedOnlyWithItsBaseWhenTheLogIsBeingTurnedOn) {
  AofDirectory directory(files_, "dir", "a");
  ASSERT_OK(AddIncr(directory, false));
  ASSERT_OK(AddIncr(directory, false));
  EXPECT_FALSE(files_.Exists(kManifest));
  files_.Put("temp", "base");
  ASSERT_OK(directory.InstallBase("temp", true, true));
  ASSERT_OK(directory.RemoveHistory());
  EXPECT_EQ(files_.Content(kManifest),
            "file a.1.base.rdb seq 1 type b\nfile a.2.incr.aof seq 2 type i\n");
  EXPECT_FALSE(files_.Exists("dir/a.1.incr.aof")) << "the attempt that failed";
}

/// The n-th call fails, for every n: every file that is listed exists and is complete.
TEST_F(AofDirectoryTest, EveryFaultOfARewriteLeavesAWholeLog) {
  for (int n = 1;; n++) {
    FaultyFiles files;
    files.Put("dir/a.1.base.rdb", "base");
    files.Put("dir/a.1.incr.aof", "");
    files.Put(kManifest, "file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i\n");
    files.Put("temp", "new base");
    AofDirectory directory(files, "dir", "a");
    directory.Adopt(AofDirectory::Load(files, "dir", "a")->manifest);
    files.FailNth(n);
    bool switched = AddIncr(directory).ok();
    if (switched && directory.InstallBase("temp", true, true).ok()) {
      (void)directory.RemoveHistory();
    }
    bool failed = files.Failed();
    EXPECT_OK(AofDirectory::Load(files, "dir", "a")) << n;
    files.Crash();
    const auto loaded = AofDirectory::Load(files, "dir", "a");
    ASSERT_OK(loaded) << n;
    EXPECT_TRUE(loaded->manifest.base()) << n;
    if (!failed) break;
  }
}

}  // namespace
}  // namespace cloakroom
