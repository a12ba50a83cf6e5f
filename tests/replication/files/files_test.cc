#include "replication/files/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

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
    std::unique_ptr<ReadableFile> file;
    if (files_.OpenForRead(Path(name), &file)) return "no such file";
    std::string text;
    char buffer[3];
    FileError error;
    while (int64_t n = file->Read(buffer, &error)) text.append(buffer, static_cast<size_t>(n));
    return text;
  }

  void Write(std::string_view name, std::string_view text) {
    std::unique_ptr<WritableFile> file;
    ASSERT_FALSE(files_.Create(Path(name), &file));
    ASSERT_FALSE(file->Append(text));
    ASSERT_FALSE(file->Sync());
  }

  std::string folder_;
  Files& files_ = SystemFiles();
};

TEST_F(FilesTest, WhatWasWrittenIsRead) {
  Write("a", "hello");
  EXPECT_EQ(Content("a"), "hello");
  EXPECT_EQ(files_.Size(Path("a")), 5);
}

TEST_F(FilesTest, CreateEmptiesAndAppendGoesOn) {
  Write("a", "long text");
  Write("a", "x");
  std::unique_ptr<WritableFile> file;
  ASSERT_FALSE(files_.OpenForAppend(Path("a"), &file));
  ASSERT_FALSE(file->Append("yz"));
  EXPECT_EQ(Content("a"), "xyz");
}

TEST_F(FilesTest, OpenAtWritesOverAndKeepsTheRest) {
  Write("a", "abcdef");
  std::unique_ptr<WritableFile> file;
  ASSERT_FALSE(files_.OpenAt(Path("a"), 2, &file));
  ASSERT_FALSE(file->Append("XY"));
  EXPECT_EQ(Content("a"), "abXYef");
  EXPECT_EQ(files_.OpenAt(Path("none"), 0, &file).code, ENOENT);
}

TEST_F(FilesTest, RenameReplaces) {
  Write("a", "new");
  Write("b", "old");
  ASSERT_FALSE(files_.Rename(Path("a"), Path("b")));
  EXPECT_EQ(Content("b"), "new");
  EXPECT_TRUE(files_.Find(Path("a")).absent());
}

TEST_F(FilesTest, TruncateRemoveListAndDirectories) {
  ASSERT_FALSE(files_.MakeDirectory(Path("d")));
  ASSERT_FALSE(files_.MakeDirectory(Path("d"))) << "it is there already";
  Write("d/a", "12345");
  Write("d/b", "");
  ASSERT_FALSE(files_.Truncate(Path("d/a"), 2));
  EXPECT_EQ(Content("d/a"), "12");
  ASSERT_FALSE(files_.Remove(Path("d/b")));
  ASSERT_FALSE(files_.SyncDirectory(Path("d")));
  std::vector<std::string> names;
  ASSERT_FALSE(files_.List(Path("d"), &names));
  EXPECT_THAT(names, ::testing::ElementsAre("a"));
}

TEST_F(FilesTest, WhatCannotBeReachedIsNotAbsent) {
  EXPECT_TRUE(files_.Find(Path("none")).absent());
  Write("a", "");
  EXPECT_FALSE(files_.Find(Path("a")));
  EXPECT_TRUE(files_.Find(Path("a/b")).absent()) << "a file is no folder";
  ASSERT_EQ(symlink("loop", Path("loop").c_str()), 0);
  const FileError error = files_.Find(Path("loop"));
  EXPECT_EQ(error.code, ELOOP);
  EXPECT_FALSE(error.absent());
}

TEST_F(FilesTest, ErrorsNameTheCallAndThePath) {
  std::unique_ptr<ReadableFile> file;
  FileError error = files_.OpenForRead(Path("none"), &file);
  EXPECT_EQ(error.code, ENOENT);
  EXPECT_EQ(error.text(), "open " + Path("none") + ": No such file or directory");
  EXPECT_EQ(files_.Remove(Path("none")).code, ENOENT);
  EXPECT_EQ(files_.Size(Path("none")), std::nullopt);
}

}  // namespace
}  // namespace cloakroom
