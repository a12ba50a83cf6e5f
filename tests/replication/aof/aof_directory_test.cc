#include "replication/aof/aof_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/replication/support/faulty_files.h"

namespace cloakroom {
namespace {

using Call = FaultyFiles::Call;
using ::testing::ElementsAre;

constexpr char kManifest[] = "dir/a.manifest";

class AofDirectoryTest : public ::testing::Test {
 protected:
  AofDirectory::Loaded Load() { return AofDirectory::Load(files_, "dir", "a"); }

  FileError AddIncr(AofDirectory& directory, bool listed = true) {
    AofFileEntry entry;
    std::unique_ptr<WritableFile> file;
    if (FileError error = directory.PrepareIncr(listed, &entry, &file)) return error;
    return directory.CommitIncr();
  }

  /// base 1 and incr 1, on the disk.
  void MakeLog() {
    files_.Put("dir/a.1.base.rdb", "base");
    files_.Put("dir/a.1.incr.aof", "incr");
    files_.Put(kManifest, "file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i\n");
  }

  FaultyFiles files_;
};

TEST_F(AofDirectoryTest, NothingThereIsAnEmptyLog) {
  EXPECT_EQ(Load().error, "");
  EXPECT_TRUE(Load().manifest.empty());
  EXPECT_THAT(files_.Paths(), ElementsAre());
}

TEST_F(AofDirectoryTest, LoadsItsManifest) {
  MakeLog();
  AofDirectory::Loaded loaded = Load();
  EXPECT_EQ(loaded.error, "");
  EXPECT_FALSE(loaded.upgraded);
  EXPECT_EQ(loaded.manifest.Print(), *files_.Content(kManifest));
}

TEST_F(AofDirectoryTest, AManifestThatLiesIsAnError) {
  files_.Put(kManifest, "file a.1.base.rdb seq 1 type b\n");
  EXPECT_THAT(Load().error, ::testing::HasSubstr("a.1.base.rdb"));
  files_.Put(kManifest, "file a.1.base.rdb seq 1 type q\n");
  EXPECT_EQ(Load().error,
            "*** FATAL AOF MANIFEST FILE ERROR *** Reading the manifest file, at line 1 "
            ">>> 'file a.1.base.rdb seq 1 type q': Unknown AOF file type");
}

TEST_F(AofDirectoryTest, WhatCannotBeReachedIsAnErrorAndNotAnEmptyLog) {
  MakeLog();
  for (const char* path : {"dir/a.manifest", "dir/a.1.base.rdb", "dir/a.1.incr.aof"}) {
    files_.FailOn(path, FaultyFiles::Call::kReach, EACCES);
    EXPECT_EQ(Load().file_error.code, EACCES) << path;
    files_.Heal();
  }
  files_.FailNth(1, FaultyFiles::Call::kRead);
  EXPECT_EQ(Load().file_error.code, EIO);
  EXPECT_EQ(Load().error, "");
}

TEST_F(AofDirectoryTest, AnOldLogOutOfReachIsNotPassedOver) {
  files_.Put("a", "commands");
  files_.FailOn("open a", FaultyFiles::Call::kReach, EACCES);
  const AofDirectory::Loaded loaded = Load();
  EXPECT_EQ(loaded.file_error.code, EACCES);
  EXPECT_TRUE(loaded.manifest.empty());
  EXPECT_TRUE(files_.Exists("dir") == false && files_.Content("a") == "commands");
}

TEST_F(AofDirectoryTest, AnOldLogBecomesTheBase) {
  files_.Put("a", "commands");
  AofDirectory::Loaded loaded = Load();
  EXPECT_EQ(loaded.error, "");
  EXPECT_TRUE(loaded.upgraded);
  EXPECT_EQ(files_.Content("dir/a"), "commands");
  EXPECT_EQ(files_.Content(kManifest), "file a seq 1 type b\n");
  EXPECT_FALSE(files_.Exists("a"));
  EXPECT_FALSE(Load().upgraded) << "once";
}

TEST_F(AofDirectoryTest, AnUpgradeThatCrashesAnywhereIsFinishedByTheNext) {
  for (int n = 1;; n++) {
    FaultyFiles files;
    files.Put("a", "commands");
    files.FailFrom(n);
    AofDirectory::Load(files, "dir", "a");
    bool failed = files.Failed();
    files.Crash(0, n % 2 == 0 ? FaultyFiles::Names::kAll : FaultyFiles::Names::kSynced);
    AofDirectory::Loaded loaded = AofDirectory::Load(files, "dir", "a");
    EXPECT_EQ(loaded.error, "") << n;
    EXPECT_EQ(files.Content("dir/a"), "commands") << n;
    if (!failed) break;
  }
}

TEST_F(AofDirectoryTest, AnIncrFileIsListedWhenCommitted) {
  MakeLog();
  AofDirectory directory(files_, "dir", "a");
  directory.Adopt(Load().manifest);
  AofFileEntry entry;
  std::unique_ptr<WritableFile> file;
  ASSERT_FALSE(directory.PrepareIncr(true, &entry, &file));
  EXPECT_EQ(entry.name, "a.2.incr.aof");
  EXPECT_EQ(Load().manifest.incrs().size(), 1u);
  ASSERT_FALSE(directory.CommitIncr());
  EXPECT_EQ(Load().manifest.incrs().size(), 2u);
  EXPECT_EQ(directory.Size(), 8);
  files_.Crash();
  EXPECT_EQ(Load().error, "");
  EXPECT_EQ(Load().manifest.incrs().size(), 2u);
}

TEST_F(AofDirectoryTest, ANewBaseReplacesAndItsHistoryIsRemoved) {
  MakeLog();
  AofDirectory directory(files_, "dir", "a");
  directory.Adopt(Load().manifest);
  ASSERT_FALSE(AddIncr(directory));
  files_.Put("temp", "new base");
  ASSERT_FALSE(directory.InstallBase("temp", true, true));
  EXPECT_EQ(files_.Content(kManifest),
            "file a.2.base.rdb seq 2 type b\nfile a.1.base.rdb seq 1 type h\n"
            "file a.1.incr.aof seq 1 type h\nfile a.2.incr.aof seq 2 type i\n");
  EXPECT_EQ(directory.BaseSize(), 8);
  ASSERT_FALSE(directory.RemoveHistory());
  EXPECT_EQ(files_.Content(kManifest),
            "file a.2.base.rdb seq 2 type b\nfile a.2.incr.aof seq 2 type i\n");
  EXPECT_THAT(files_.Paths(), ElementsAre("dir/a.2.base.rdb", "dir/a.2.incr.aof", kManifest));
}

TEST_F(AofDirectoryTest, AFileIsListedOnlyWithItsBaseWhenTheLogIsBeingTurnedOn) {
  AofDirectory directory(files_, "dir", "a");
  ASSERT_FALSE(AddIncr(directory, false));
  ASSERT_FALSE(AddIncr(directory, false));
  EXPECT_FALSE(files_.Exists(kManifest));
  files_.Put("temp", "base");
  ASSERT_FALSE(directory.InstallBase("temp", true, true));
  ASSERT_FALSE(directory.RemoveHistory());
  EXPECT_EQ(files_.Content(kManifest),
            "file a.1.base.rdb seq 1 type b\nfile a.2.incr.aof seq 2 type i\n");
  EXPECT_FALSE(files_.Exists("dir/a.1.incr.aof")) << "the attempt that failed";
}

/// The n-th call fails, for every n: what is listed is always there and complete.
TEST_F(AofDirectoryTest, EveryFaultOfARewriteLeavesAWholeLog) {
  for (int n = 1;; n++) {
    FaultyFiles files;
    files.Put("dir/a.1.base.rdb", "base");
    files.Put("dir/a.1.incr.aof", "");
    files.Put(kManifest, "file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i\n");
    files.Put("temp", "new base");
    AofDirectory directory(files, "dir", "a");
    directory.Adopt(AofDirectory::Load(files, "dir", "a").manifest);
    files.FailNth(n);
    bool switched = !AddIncr(directory);
    if (switched && !directory.InstallBase("temp", true, true)) (void)directory.RemoveHistory();
    bool failed = files.Failed();
    EXPECT_EQ(AofDirectory::Load(files, "dir", "a").error, "") << n;
    files.Crash();
    AofDirectory::Loaded loaded = AofDirectory::Load(files, "dir", "a");
    EXPECT_EQ(loaded.error, "") << n;
    EXPECT_TRUE(loaded.manifest.base()) << n;
    if (!failed) break;
  }
}

}  // namespace
}  // namespace cloakroom
