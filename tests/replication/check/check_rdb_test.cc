#include "replication/check/check_rdb.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "tests/replication/support/rdb_bytes.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

using namespace std::string_literals;

class CheckRdbTest : public testing::Test {
 protected:
  CheckRdbTest() {
    std::string folder = testing::TempDir() + "check-rdb-XXXXXX";
    folder_ = mkdtemp(folder.data());
  }
  ~CheckRdbTest() override { std::filesystem::remove_all(folder_); }

  /// Exit code and all lines but the first, which names the file.
  std::string Check(const std::string& content) {
    const std::string path = folder_ + "/dump.rdb";
    EXPECT_OK((*SystemFiles().Create(path))->Append(content));
    StringSink out;
    const int code = CheckRdb(SystemFiles(), path, path, /*now_ms=*/5000, out).ok() ? 0 : 1;
    const std::string first = "[offset 0] Checking RDB file " + path + "\n";
    EXPECT_EQ(out.text().substr(0, first.size()), first);
    return std::to_string(code) + "\n" + out.text().substr(first.size());
  }

  std::string folder_;
};

TEST_F(CheckRdbTest, AGoodFile) {
  EXPECT_EQ(Check(RdbFile("\xfa" + Short("redis-ver") + Short("7.0.15") + "\xfe\x00\xfb\x02\x02"s +
                          "\xfc" + Bytes(int64_t{4999}) + "\x00"s + Short("a") + Short("1") +
                          "\xfc" + Bytes(int64_t{5000}) + "\x00"s + Short("b") + Short("1"))),
            "0\n[offset 27] AUX FIELD redis-ver = '7.0.15'\n"
            "[offset 29] Selecting DB ID 0\n"
            "[offset 69] Checksum OK\n"
            "[offset 69] \\o/ RDB looks OK! \\o/\n"
            "[info] 2 keys read\n[info] 2 expires\n[info] 1 already expired\n");
}

TEST_F(CheckRdbTest, AFileWithoutChecksum) {
  EXPECT_EQ(Check("REDIS0010\xff"s + std::string(8, '\0')),
            "0\n[offset 18] RDB file was saved with checksum disabled: no check performed.\n"
            "[offset 18] \\o/ RDB looks OK! \\o/\n"
            "[info] 0 keys read\n[info] 0 expires\n[info] 0 already expired\n");
}

TEST_F(CheckRdbTest, AnEarlyEnd) {
  EXPECT_EQ(Check("REDIS0010\xfe\x00\x07"s),
            "1\n[offset 11] Selecting DB ID 0\n"
            "--- RDB ERROR DETECTED ---\n"
            "[offset 12] Unexpected EOF reading RDB file\n"
            "[additional info] While doing: read-key\n"
            "[additional info] Reading type 7 ()\n"
            "[info] 0 keys read\n[info] 0 expires\n[info] 0 already expired\n");
}

TEST_F(CheckRdbTest, DamageInAValue) {
  EXPECT_EQ(Check(RdbFile("\x00"s + Short("a") + Short("1") + "\x04" + Short("h") + "\x00"s)),
            "1\n--- RDB ERROR DETECTED ---\n"
            "[offset 18] empty hash\n"
            "[additional info] While doing: read-object-value\n"
            "[additional info] Reading key 'h'\n"
            "[additional info] Reading type 4 (hash-hashtable)\n"
            "[info] 2 keys read\n[info] 0 expires\n[info] 0 already expired\n");
}

TEST_F(CheckRdbTest, AModulesDataAndAStringOfNoKindAreToldAsByRedis) {
  const std::string aux = "\xf7\x81"s + std::string(8, '\0') + "\x02\x01\x02\x05\x00"s;
  EXPECT_EQ(Check(RdbFile(aux + "\x00"s + Short("k") + "\xc4")),
            "1\n[offset 21] MODULE AUX for: AAAAAAAAA\n"
            "--- RDB ERROR DETECTED ---\n"
            "[offset 28] Unknown RDB string encoding type 4\n"
            "[additional info] While doing: read-object-value\n"
            "[additional info] Reading key 'k'\n"
            "[additional info] Reading type 0 (string)\n"
            "[info] 1 keys read\n[info] 0 expires\n[info] 0 already expired\n");
}

TEST_F(CheckRdbTest, ListsAreCountedThoughWeHaveNone) {
  const std::string told = Check(RdbFile("\x01" + Short("list") + "\x01" + Short("x")));
  EXPECT_TRUE(told.starts_with("0\n")) << told;
  EXPECT_NE(told.find("[info] 1 keys read"), std::string::npos);
}

TEST_F(CheckRdbTest, NoFile) {
  StringSink out;
  EXPECT_TRUE(absl::IsNotFound(
      CheckRdb(SystemFiles(), folder_ + "/none", folder_ + "/none", 0, out).status()));
  EXPECT_EQ(out.text(), "[offset 0] Checking RDB file " + folder_ + "/none\n");
}

}  // namespace
}  // namespace cloakroom
