// tests/integration/test_check_aof.py tests that it agrees with redis-check-aof, word for word.

#include "replication/check/check_aof.h"

#include <gtest/gtest.h>

#include "tests/replication/support/faulty_files.h"
#include "tests/replication/support/log_content.h"

namespace cloakroom {
namespace {

class CheckAofTest : public ::testing::Test {
 protected:
  int Run(CheckAofOptions options) {
    printed_.clear();
    CheckAofIo io;
    io.print = [this](std::string_view text) { printed_ += text; };
    io.confirm = [this] { return yes_; };
    io.check_rdb = [this](const std::string&, const std::string&) { return rdb_length_; };
    return CheckAof(files_, options, io);
  }
  bool Printed(std::string_view text) const { return printed_.find(text) != std::string::npos; }

  FaultyFiles files_;
  bool yes_ = true;
  absl::StatusOr<int64_t> rdb_length_ = absl::DataLossError("broken");
  std::string printed_;
};

TEST_F(CheckAofTest, AGoodFileIsLeftAlone) {
  files_.Put("a", Record(1));
  EXPECT_EQ(Run({"a", true}), 0);
  EXPECT_TRUE(Printed("AOF a is valid\n"));
  EXPECT_EQ(files_.Content("a"), Record(1));
}

TEST_F(CheckAofTest, FixCutsOnlyWhenItMay) {
  files_.Put("a", Record(1) + "*1");
  EXPECT_EQ(Run({"a"}), 1);
  yes_ = false;
  EXPECT_EQ(Run({"a", true}), 1);
  EXPECT_EQ(files_.Content("a"), Record(1) + "*1");
  yes_ = true;
  EXPECT_EQ(Run({"a", true}), 0);
  EXPECT_EQ(files_.Content("a"), Record(1));
}

TEST_F(CheckAofTest, AFailedCutIsAnError) {
  files_.Put("a", Record(1) + "*1");
  files_.FailNth(1, FaultyFiles::Call::kTruncate);
  EXPECT_EQ(Run({"a", true}), 1);
  EXPECT_TRUE(Printed("Failed to truncate AOF a\n"));
}

TEST_F(CheckAofTest, CommandsBehindAnRdbPreambleAreChecked) {
  files_.Put("a", "REDIS0010rest" + Record(1) + "x");
  rdb_length_ = 13;
  EXPECT_EQ(Run({"a"}), 1);
  EXPECT_TRUE(Printed("RDB preamble is OK, proceeding with AOF tail...\nAOF a format error\n"));
  EXPECT_TRUE(Printed("ok_up_to=" + std::to_string(13 + Record(1).size()) + ","));
  rdb_length_ = absl::DataLossError("broken");
  EXPECT_EQ(Run({"a"}), 1);
  EXPECT_TRUE(Printed("RDB preamble of AOF file is not sane, aborting.\n"));
}

TEST_F(CheckAofTest, AnIncrFileMayNotBeAnRdb) {
  files_.Put("d/m", "file i seq 1 type i\n");
  files_.Put("d/i", "REDIS0010rest");
  rdb_length_ = 13;
  EXPECT_EQ(Run({"d/m"}), 1);
  EXPECT_TRUE(Printed("AOF i format error\n"));
}

TEST_F(CheckAofTest, AFileThatCannotBeReadIsNotFixed) {
  files_.Put("d/m", "file i seq 1 type i\n");
  files_.Put("d/i", Record(1) + Record(2));
  files_.FailOn("d/i", FaultyFiles::Call::kRead, EISDIR);
  EXPECT_EQ(Run({"d/m", true}), 1);
  EXPECT_TRUE(Printed("Cannot open file d/i: Is a directory, aborting...\n"));
  EXPECT_EQ(files_.Content("d/i"), Record(1) + Record(2));
}

TEST_F(CheckAofTest, AManifestsFilesAreCheckedInOrder) {
  files_.Put("d/m", "file b seq 1 type b\nfile i seq 1 type i\n");
  files_.Put("d/b", "REDIS0010rest");
  files_.Put("d/i", Record(1));
  rdb_length_ = 13;
  EXPECT_EQ(Run({"d/m"}), 0);
  EXPECT_TRUE(Printed("Start to check BASE AOF (RDB format).\n"));
  EXPECT_TRUE(Printed("INCR AOF i is valid\nAll AOF files and manifest are valid\n"));
}

}  // namespace
}  // namespace cloakroom
