#include "replication/files/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "replication/files/file_status.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

class FilesTest : public ::testing::Test {
 protected:
  FilesTest() {
    std::string name = (std::filesystem::temp_directory_path() / "files_test_XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~FilesTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(std::string_view name) const { return folder_ + "/" + std::string(name); }

  std::string Content(std::string_view name) {
    const auto file = files_.OpenForRead(Path(name));
    if (!file.ok()) return "no such file";
    std::string text;
    char buffer[3];
    while (const size_t n = (*file)->Read(buffer).value_or(0)) text.append(buffer, n);
    return text;
  }

  void Write(std::string_view name, std::string_view text) {
    const auto file = files_.Create(Path(name));
    ASSERT_OK(file);
    ASSERT_OK((*file)->Append(text));
    ASSERT_OK((*file)->Sync());
  }

  std::string folder_;
  Files& files_ = SystemFiles();
};

TEST_F(FilesTest, WhatWasWrittenIsRead) {
  Write("a", "hello");
  EXPECT_EQ(Content("a"), "hello");
  EXPECT_EQ(*files_.Size(Path("a")), 5);
}

TEST_F(FilesTest, CreateEmptiesAndAppendGoesOn) {
  Write("a", "long text");
  Write("a", "x");
  const auto file = files_.OpenForAppend(Path("a"));
  ASSERT_OK(file);
  ASSERT_OK((*file)->Append("yz"));
  EXPECT_EQ(Content("a"), "xyz");
}

TEST_F(FilesTest, OpenAtWritesOverAndKeepsTheRest) {
  Write("a", "abcdef");
  const auto file = files_.OpenAt(Path("a"), 2);
  ASSERT_OK(file);
  ASSERT_OK((*file)->Append("XY"));
  EXPECT_EQ(Content("a"), "abXYef");
  EXPECT_EQ(ErrnoOf(files_.OpenAt(Path("none"), 0).status()), ENOENT);
}

TEST_F(FilesTest, RenameReplaces) {
  Write("a", "new");
  Write("b", "old");
  ASSERT_OK(files_.Rename(Path("a"), Path("b")));
  EXPECT_EQ(Content("b"), "new");
  EXPECT_TRUE(absl::IsNotFound(files_.Find(Path("a"))));
}

TEST_F(FilesTest, TruncateRemoveListAndDirectories) {
  ASSERT_OK(files_.MakeDirectory(Path("d")));
  ASSERT_OK(files_.MakeDirectory(Path("d"))) << "it is there already";
  Write("d/a", "12345");
  Write("d/b", "");
  ASSERT_OK(files_.Truncate(Path("d/a"), 2));
  EXPECT_EQ(Content("d/a"), "12");
  ASSERT_OK(files_.Remove(Path("d/b")));
  ASSERT_OK(files_.SyncDirectory(Path("d")));
  EXPECT_THAT(*files_.List(Path("d")), ::testing::ElementsAre("a"));
}

TEST_F(FilesTest, WhatCannotBeReachedIsNotAbsent) {
  EXPECT_TRUE(absl::IsNotFound(files_.Find(Path("none"))));
  Write("a", "");
  EXPECT_OK(files_.Find(Path("a")));
  EXPECT_TRUE(absl::IsNotFound(files_.Find(Path("a/b")))) << "a file is no folder";
  ASSERT_EQ(symlink("loop", Path("loop").c_str()), 0);
  const absl::Status found = files_.Find(Path("loop"));
  EXPECT_EQ(ErrnoOf(found), ELOOP);
  EXPECT_FALSE(absl::IsNotFound(found));
}

TEST_F(FilesTest, ErrorsNameTheCallAndThePath) {
  EXPECT_THAT(files_.OpenForRead(Path("none")),
              FailsWith("open " + Path("none") + ": No such file or directory"));
  EXPECT_THAT(files_.Remove(Path("none")),
              FailsWith("remove " + Path("none") + ": No such file or directory"));
  EXPECT_TRUE(absl::IsNotFound(files_.Size(Path("none")).status()));
}

}  // namespace
}  // namespace cloakroom
