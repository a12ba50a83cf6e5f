// Tests the file system that other tests make fail.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "replication/files/file_status.h"
#include "tests/replication/support/faulty_files.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

using Call = FaultyFiles::Call;
using Names = FaultyFiles::Names;

class FaultyFilesTest : public ::testing::Test {
 protected:
  void Take(absl::StatusOr<std::unique_ptr<WritableFile>> file) {
    ASSERT_OK(file);
    file_ = *std::move(file);
  }

  FaultyFiles files_;
  std::unique_ptr<WritableFile> file_;
};

TEST_F(FaultyFilesTest, CrashKeepsWhatWasSyncedAndAPrefixOfTheRest) {
  files_.Put("a", "");
  Take(files_.OpenForAppend("a"));
  ASSERT_OK(file_->Append("synced"));
  ASSERT_OK(file_->Sync());
  ASSERT_OK(file_->Append("lost"));
  files_.Crash(2);
  EXPECT_EQ(files_.Content("a"), "syncedlo");
  EXPECT_EQ(ErrnoOf(file_->Append("x")), EBADF) << "handles do not outlive a crash";
}

TEST_F(FaultyFilesTest, AFailedSyncHasDroppedItsBytesUntilTheyAreWrittenAgain) {
  files_.Put("a", "");
  Take(files_.OpenForAppend("a"));
  ASSERT_OK(file_->Append("abc"));
  files_.FailNth(1, Call::kSync);
  EXPECT_EQ(ErrnoOf(file_->Sync()), EIO);
  ASSERT_OK(file_->Append("def"));
  ASSERT_OK(file_->Sync());
  Take(files_.OpenAt("a", 1));
  ASSERT_OK(file_->Append("b"));
  ASSERT_OK(file_->Sync());
  files_.Crash();
  EXPECT_EQ(files_.Content("a"), std::string("\0b\0def", 6));
}

TEST_F(FaultyFilesTest, NamesAreLostUntilTheDirectoryIsSynced) {
  files_.Put("d/a", "old");
  Take(files_.Create("d/b"));
  ASSERT_OK(file_->Append("new"));
  ASSERT_OK(file_->Sync());
  ASSERT_OK(files_.Rename("d/b", "d/a"));
  EXPECT_EQ(files_.Content("d/a"), "new");
  files_.Crash();
  EXPECT_EQ(files_.Content("d/a"), "old");

  Take(files_.Create("d/c"));
  ASSERT_OK(files_.SyncDirectory("d"));
  files_.Crash();
  EXPECT_THAT(files_.Paths(), ::testing::ElementsAre("d/a", "d/c"));
}

TEST_F(FaultyFilesTest, AFullDiskWritesWhatFits) {
  files_.SetCapacity(5);
  Take(files_.Create("a"));
  ASSERT_OK(file_->Append("abc"));
  EXPECT_EQ(ErrnoOf(file_->Append("defg")), ENOSPC);
  EXPECT_EQ(files_.Content("a"), "abcde");
  files_.SetCapacity(100);
  EXPECT_OK(file_->Append("f"));
}

TEST_F(FaultyFilesTest, TheNthCallOfAKindFails) {
  Take(files_.Create("a"));
  files_.FailNth(2, Call::kWrite);
  EXPECT_OK(file_->Append("aa"));
  EXPECT_OK(file_->Sync());
  EXPECT_FALSE(files_.Failed());
  EXPECT_EQ(ErrnoOf(file_->Append("bb")), EIO);
  EXPECT_TRUE(files_.Failed());
  EXPECT_EQ(files_.Content("a"), "aab") << "half of it";
  EXPECT_OK(file_->Append("cc"));

  files_.FailFrom(1, Call::kRename);
  EXPECT_FALSE(files_.Rename("a", "b").ok());
  EXPECT_FALSE(files_.Rename("a", "b").ok());
  files_.Heal();
  EXPECT_OK(files_.Rename("a", "b"));
  EXPECT_EQ(files_.Calls(Call::kRename), 3);

  files_.FailOn("c", Call::kRename);
  EXPECT_OK(files_.Rename("b", "a")) << "another path";
  EXPECT_OK(files_.Remove("a")) << "another call";
  files_.Put("c", "");
  EXPECT_FALSE(files_.Rename("c", "d").ok());
  EXPECT_FALSE(files_.Rename("c", "d").ok());
}

}  // namespace
}  // namespace cloakroom
