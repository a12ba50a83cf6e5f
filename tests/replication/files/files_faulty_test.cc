// The file system that the other tests break.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/replication/support/faulty_files.h"

namespace cloakroom {
namespace {

using Call = FaultyFiles::Call;
using Names = FaultyFiles::Names;

class FaultyFilesTest : public ::testing::Test {
 protected:
  FaultyFiles files_;
  std::unique_ptr<WritableFile> file_;
};

TEST_F(FaultyFilesTest, CrashKeepsWhatWasSyncedAndAPrefixOfTheRest) {
  files_.Put("a", "");
  ASSERT_FALSE(files_.OpenForAppend("a", &file_));
  ASSERT_FALSE(file_->Append("synced"));
  ASSERT_FALSE(file_->Sync());
  ASSERT_FALSE(file_->Append("lost"));
  files_.Crash(2);
  EXPECT_EQ(files_.Content("a"), "syncedlo");
  EXPECT_EQ(file_->Append("x").code, EBADF) << "handles do not outlive a crash";
}

TEST_F(FaultyFilesTest, AFailedSyncHasDroppedItsBytesUntilTheyAreWrittenAgain) {
  files_.Put("a", "");
  ASSERT_FALSE(files_.OpenForAppend("a", &file_));
  ASSERT_FALSE(file_->Append("abc"));
  files_.FailNth(1, Call::kSync);
  EXPECT_EQ(file_->Sync().code, EIO);
  ASSERT_FALSE(file_->Append("def"));
  ASSERT_FALSE(file_->Sync());
  ASSERT_FALSE(files_.OpenAt("a", 1, &file_));
  ASSERT_FALSE(file_->Append("b"));
  ASSERT_FALSE(file_->Sync());
  files_.Crash();
  EXPECT_EQ(files_.Content("a"), std::string("\0b\0def", 6));
}

TEST_F(FaultyFilesTest, NamesAreLostUntilTheDirectoryIsSynced) {
  files_.Put("d/a", "old");
  ASSERT_FALSE(files_.Create("d/b", &file_));
  ASSERT_FALSE(file_->Append("new"));
  ASSERT_FALSE(file_->Sync());
  ASSERT_FALSE(files_.Rename("d/b", "d/a"));
  EXPECT_EQ(files_.Content("d/a"), "new");
  files_.Crash();
  EXPECT_EQ(files_.Content("d/a"), "old");

  ASSERT_FALSE(files_.Create("d/c", &file_));
  ASSERT_FALSE(files_.SyncDirectory("d"));
  files_.Crash();
  EXPECT_THAT(files_.Paths(), ::testing::ElementsAre("d/a", "d/c"));
}

TEST_F(FaultyFilesTest, AFullDiskWritesWhatFits) {
  files_.SetCapacity(5);
  ASSERT_FALSE(files_.Create("a", &file_));
  ASSERT_FALSE(file_->Append("abc"));
  EXPECT_EQ(file_->Append("defg").code, ENOSPC);
  EXPECT_EQ(files_.Content("a"), "abcde");
  files_.SetCapacity(100);
  EXPECT_FALSE(file_->Append("f"));
}

TEST_F(FaultyFilesTest, TheNthCallOfAKindFails) {
  ASSERT_FALSE(files_.Create("a", &file_));
  files_.FailNth(2, Call::kWrite);
  EXPECT_FALSE(file_->Append("aa"));
  EXPECT_FALSE(file_->Sync());
  EXPECT_FALSE(files_.Failed());
  EXPECT_EQ(file_->Append("bb").code, EIO);
  EXPECT_TRUE(files_.Failed());
  EXPECT_EQ(files_.Content("a"), "aab") << "half of it";
  EXPECT_FALSE(file_->Append("cc"));

  files_.FailFrom(1, Call::kRename);
  EXPECT_TRUE(files_.Rename("a", "b"));
  EXPECT_TRUE(files_.Rename("a", "b"));
  files_.Heal();
  EXPECT_FALSE(files_.Rename("a", "b"));
  EXPECT_EQ(files_.Calls(Call::kRename), 3);

  files_.FailOn("c", Call::kRename);
  EXPECT_FALSE(files_.Rename("b", "a")) << "another path";
  EXPECT_FALSE(files_.Remove("a")) << "another call";
  files_.Put("c", "");
  EXPECT_TRUE(files_.Rename("c", "d"));
  EXPECT_TRUE(files_.Rename("c", "d"));
}

}  // namespace
}  // namespace cloakroom
