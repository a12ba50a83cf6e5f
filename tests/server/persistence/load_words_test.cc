#include "server/persistence/load_words.h"

#include <cerrno>

#include "gmock/gmock.h"
#include "replication/files/file_status.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

TEST(LoadWordsTest, AFileThatCannotBeReadIsNamedWithTheCallAndAnAdvice) {
  EXPECT_THAT(UnreadableSnapshot(FileError(EACCES, "open dump.rdb")),
              FailsWith("Fatal error loading the DB: Permission denied (open dump.rdb). Exiting. "
                        "Mend the owner or mode of the file, or of a folder above it."));
  EXPECT_THAT(UnreadableLog("dir/1", FileError(EISDIR, "read dir/1")),
              FailsWith("Unrecoverable error reading the append only file dir/1: Is a directory. A "
                        "folder is in its place: move it away."));
}

TEST(LoadWordsTest, AWrongManifestIsNoMatterOfTheDisk) {
  EXPECT_THAT(UnreadableLogFolder(absl::DataLossError("it is wrong")),
              FailsWith("The append-only log can't be read: it is wrong. Mend the manifest, or "
                        "restore the folder from a backup."));
  EXPECT_THAT(UnreadableLogFolder(FileError(EIO, "read a")), FailsWith(HasSubstr("Start again")));
}

TEST(LoadWordsTest, ATornFileIsToBeCutOnlyWhenItIsTheLast) {
  EXPECT_THAT(TornLog("a", /*last=*/true, 7), FailsWith(HasSubstr("'aof-load-truncated' to yes")));
  EXPECT_THAT(TornLog("a", /*last=*/false, 7),
              FailsWith(testing::AllOf(HasSubstr(" behind 7. "), HasSubstr("not the last file"))));
}

TEST(LoadWordsTest, ADamagedRdbIsToldByItsCause) {
  RdbError error;
  error.message = "It ends.";
  EXPECT_THAT(DamagedRdb("dump.rdb", error),
              FailsWith(testing::AllOf(HasSubstr("The RDB file dump.rdb can't be loaded: "),
                                       HasSubstr("It ends. Restore it"))));
  error.cause = RdbCause::kSettings;
  EXPECT_THAT(DamagedRdb("dump.rdb", error), FailsWith(EndsWith("correct the setting.")));
}

}  // namespace
}  // namespace cloakroom
