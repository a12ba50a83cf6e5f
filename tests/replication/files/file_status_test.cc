#include "replication/files/file_status.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace cloakroom {
namespace {

TEST(FileStatusTest, SaysTheCallThePathAndTheSystemsWord) {
  const absl::Status status = FileError(ENOSPC, "fsync dump.rdb");
  EXPECT_EQ(MessageOf(status), "fsync dump.rdb: No space left on device");
  EXPECT_EQ(FileCallOf(status), "fsync dump.rdb");
  EXPECT_EQ(ErrnoText(status), "No space left on device");
  EXPECT_EQ(ErrnoOf(status), ENOSPC);
}

TEST(FileStatusTest, OnlyAPathThatLeadsNowhereIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(FileError(ENOENT, "open a")));
  EXPECT_TRUE(absl::IsNotFound(FileError(ENOTDIR, "open a/b")));
  for (const int error_number : {EACCES, EIO, ELOOP, EISDIR, ESTALE, ECANCELED}) {
    EXPECT_TRUE(absl::IsUnavailable(FileError(error_number, "open a"))) << error_number;
  }
}

TEST(FileStatusTest, OtherStatusesHaveNoErrno) {
  EXPECT_EQ(ErrnoOf(absl::OkStatus()), 0);
  EXPECT_EQ(ErrnoOf(absl::DataLossError("broken")), 0);
  EXPECT_EQ(ErrnoText(absl::DataLossError("broken")), "");
}

}  // namespace
}  // namespace cloakroom
