#include "server/persistence/snapshot_options.h"

#include <algorithm>

#include "gmock/gmock.h"
#include "replication/rdb/rdb_format.h"
#include "server/config/config.h"
#include "tests/server/support/server_fixture.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Pair;

constexpr char kBody[] = "return 1";
/// The digest that `printf 'return 1' | sha1sum` prints.
constexpr char kDigest[] = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";

class SnapshotOptionsTest : public ServerTest {};

TEST_F(SnapshotOptionsTest, FollowTheConfiguration) {
  ASSERT_OK(config_.Set({"rdbcompression", "no", "rdb-version", "11"}));
  const SnapshotOptions options = SnapshotOptionsFrom(server_);
  EXPECT_FALSE(options.compression);
  EXPECT_TRUE(options.checksum);
  EXPECT_EQ(options.version, server_.settings().rdb_version);
}

TEST_F(SnapshotOptionsTest, SavePointsAreThoseOfTheDirective) {
  EXPECT_OK(config_.Set({"save", ""}));
  EXPECT_FALSE(HasSavePoints(config_));
  EXPECT_OK(config_.Set({"save", "3600 1"}));
  EXPECT_TRUE(HasSavePoints(config_));
}

TEST_F(SnapshotOptionsTest, TheHeadTellsASnapshotFromTheBaseOfALog) {
  EXPECT_THAT(HeadOf(server_, /*log_base=*/false).aux, Contains(Pair("aof-base", "0")));
  EXPECT_THAT(HeadOf(server_, /*log_base=*/true).aux, Contains(Pair("aof-base", "1")));
}

TEST_F(SnapshotOptionsTest, LoadedScriptsGoAlongAndComeBack) {
  Run({"SCRIPT", "LOAD", kBody});
  const RdbAuxFields fields = HeadOf(server_, /*log_base=*/false).aux;
  ASSERT_THAT(fields, Contains(Pair(kScriptAux, kBody)));
  Run("SCRIPT FLUSH");
  for (const auto& [key, value] : fields) TakeAuxField(server_, key, value);
  EXPECT_EQ(Run({"EVALSHA", kDigest, "0"}), ":1\r\n");
}

TEST_F(SnapshotOptionsTest, LibrariesGoAlong) {
  const std::string source = "#!lua name=lib\nredis.register_function('f', function() end)";
  ASSERT_EQ(Run({"FUNCTION", "LOAD", source}), "$3\r\nlib\r\n");
  EXPECT_THAT(HeadOf(server_, /*log_base=*/false).functions, ElementsAre(source));
}

TEST_F(SnapshotOptionsTest, FieldsOfOthersAreSkipped) {
  TakeAuxField(server_, "redis-ver", "255.255.255");
  TakeAuxField(server_, "valkey-ver", "9.0.0");
  EXPECT_TRUE(server_.scripts().Pinned().empty());
}

}  // namespace
}  // namespace cloakroom
