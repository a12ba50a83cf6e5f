#include "replication/aof/aof_scan.h"

#include <gtest/gtest.h>

#include "replication/files/file_status.h"
#include "tests/replication/support/faulty_files.h"
#include "tests/replication/support/log_content.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

absl::StatusOr<AofScan> TryScan(std::string_view text, int64_t until_s, int64_t* line) {
  FaultyFiles files;
  files.Put("a", text);
  const auto file = files.OpenForRead("a");
  return ScanAof(**file, {"a", "d/a"}, 0, until_s, line);
}

AofScan Scan(std::string_view text, int64_t until_s = 0) {
  int64_t line = 1;
  return *TryScan(text, until_s, &line);
}

TEST(AofScanTest, CountsBytesAndLines) {
  std::string text = Record(1) + "#TS:5\r\n" + Record(2);
  int64_t line = 1;
  const auto scan = TryScan(text, 0, &line);
  ASSERT_OK(scan);
  EXPECT_EQ(scan->problem, std::nullopt);
  EXPECT_EQ(scan->valid_up_to, static_cast<int64_t>(text.size()));
  EXPECT_EQ(line, 15) << "annotations do not count";
}

TEST(AofScanTest, SaysWhereAProblemIs) {
  EXPECT_EQ(Scan("*1\r\n:4\r\n").problem, "0x               4: Expected prefix '$', got: ':'");
  EXPECT_EQ(Scan("PING").problem, "AOF a format error");
  EXPECT_EQ(Scan(Record(1) + "*1\r\n$4\r\nPI").valid_up_to, static_cast<int64_t>(Record(1).size()));
}

TEST(AofScanTest, AMultiOrExecOutOfPlaceNamesThePathAsRedisDoes) {
  const std::string multi = "*1\r\n$5\r\nMULTI\r\n";
  EXPECT_TRUE(Scan(multi + multi).problem->ends_with(": Unexpected MULTI in AOF d/a"));
  EXPECT_TRUE(Scan("*1\r\n$4\r\nEXEC\r\n").problem->ends_with(": Unexpected EXEC in AOF d/a"));
}

TEST(AofScanTest, AFileThatCannotBeReadDoesNotLookCut) {
  FaultyFiles files;
  files.Put("a", Record(1));
  const auto file = files.OpenForRead("a");
  files.FailNth(2, FaultyFiles::Call::kRead);
  int64_t line = 1;
  EXPECT_EQ(ErrnoOf(ScanAof(**file, {"a", "a"}, 0, 0, &line).status()), EIO);
}

TEST(AofScanTest, StopsAtTheFirstLaterAnnotation) {
  std::string text = "#TS:1\r\n" + Record(1);
  EXPECT_EQ(Scan(text + "#TS:9\r\n" + Record(2), 5).later_at, static_cast<int64_t>(text.size()));
  EXPECT_EQ(Scan(text, 5).later_at, std::nullopt);
  int64_t line = 1;
  EXPECT_THAT(TryScan("#TS:x\r\n", 5, &line), FailsWith("Invalid timestamp annotation"));
  EXPECT_OK(TryScan("#TS:x\r\n", 0, &line)) << "no time is asked for";
}

}  // namespace
}  // namespace cloakroom
