#include "replication/aof/aof_scan.h"

#include <gtest/gtest.h>

#include "tests/replication/support/faulty_files.h"
#include "tests/replication/support/log_content.h"

namespace cloakroom {
namespace {

AofScan Scan(std::string_view text, int64_t until_s = 0, int64_t* line = nullptr) {
  FaultyFiles files;
  files.Put("a", text);
  std::unique_ptr<ReadableFile> file;
  EXPECT_FALSE(files.OpenForRead("a", &file));
  int64_t own_line = 1;
  return ScanAof(*file, {"a", "d/a"}, 0, until_s, line == nullptr ? &own_line : line);
}

TEST(AofScanTest, CountsBytesAndLines) {
  std::string text = Record(1) + "#TS:5\r\n" + Record(2);
  int64_t line = 1;
  AofScan scan = Scan(text, 0, &line);
  EXPECT_EQ(scan.problem, "");
  EXPECT_EQ(scan.valid_up_to, static_cast<int64_t>(text.size()));
  EXPECT_EQ(line, 15) << "annotations do not count";
}

TEST(AofScanTest, SaysWhereAProblemIs) {
  EXPECT_EQ(Scan("*1\r\n:4\r\n").problem, "0x               4: Expected prefix '$', got: ':'");
  EXPECT_EQ(Scan("PING").problem, "AOF a format error");
  EXPECT_EQ(Scan(Record(1) + "*1\r\n$4\r\nPI").valid_up_to, static_cast<int64_t>(Record(1).size()));
}

TEST(AofScanTest, AMultiOrExecOutOfPlaceNamesThePathAsRedisDoes) {
  const std::string multi = "*1\r\n$5\r\nMULTI\r\n";
  EXPECT_TRUE(Scan(multi + multi).problem.ends_with(": Unexpected MULTI in AOF d/a"));
  EXPECT_TRUE(Scan("*1\r\n$4\r\nEXEC\r\n").problem.ends_with(": Unexpected EXEC in AOF d/a"));
}

TEST(AofScanTest, AFileThatCannotBeReadDoesNotLookCut) {
  FaultyFiles files;
  files.Put("a", Record(1));
  std::unique_ptr<ReadableFile> file;
  EXPECT_FALSE(files.OpenForRead("a", &file));
  files.FailNth(2, FaultyFiles::Call::kRead);
  int64_t line = 1;
  EXPECT_EQ(ScanAof(*file, {"a", "a"}, 0, 0, &line).file_error.code, EIO);
}

TEST(AofScanTest, StopsAtTheFirstLaterAnnotation) {
  std::string text = "#TS:1\r\n" + Record(1);
  EXPECT_EQ(Scan(text + "#TS:9\r\n" + Record(2), 5).later_at, static_cast<int64_t>(text.size()));
  EXPECT_EQ(Scan(text, 5).later_at, std::nullopt);
  EXPECT_TRUE(Scan("#TS:x\r\n", 5).bad_annotation);
  EXPECT_FALSE(Scan("#TS:x\r\n").bad_annotation);
}

}  // namespace
}  // namespace cloakroom
