#include "server/process/start_warnings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/server/config/temporary_folder.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kGigabyte = int64_t{1} << 30;

class StartWarningsTest : public testing::Test {
 protected:
  /// The warnings of a server that is well set up except for these options.
  std::vector<std::string> Warnings(const std::vector<std::string>& options) {
    std::vector<std::string> arguments = {"--bind", "127.0.0.1 -::1", "--maxmemory",
                                          "1gb",    "--dir",          folder_.Path("")};
    arguments.insert(arguments.end(), options.begin(), options.end());
    ConfigStore config;
    EXPECT_OK(config.Load(ParseCommandLine(arguments)));
    return StartWarnings(config, limits_);
  }

  TemporaryFolder folder_;
  MachineLimits limits_{.memory_bytes = 4 * kGigabyte, .listen_backlog = 4096};
};

TEST_F(StartWarningsTest, AGoodConfigurationHasNone) { EXPECT_THAT(Warnings({}), IsEmpty()); }

TEST_F(StartWarningsTest, OthersWithoutAPasswordAreRefused) {
  EXPECT_THAT(Warnings({"--bind", "*"}),
              ElementsAre(AllOf(HasSubstr("refused"), HasSubstr("Set 'requirepass'"))));
  EXPECT_THAT(Warnings({"--bind", "*", "--requirepass", "cloak"}), IsEmpty());
}

TEST_F(StartWarningsTest, OthersWithoutAPasswordAndProtectionReadEverything) {
  EXPECT_THAT(Warnings({"--bind", "10.0.0.1", "--protected-mode", "no"}),
              ElementsAre(AllOf(HasSubstr("whoever reaches"), HasSubstr("Set 'requirepass'"))));
  EXPECT_THAT(Warnings({"--bind", "127.0.0.2", "--protected-mode", "no"}), IsEmpty());
  EXPECT_THAT(Warnings({"--bind", "*", "--port", "0", "--protected-mode", "no"}), IsEmpty());
}

TEST_F(StartWarningsTest, MemoryWithoutALimitIsToldOneThatFits) {
  EXPECT_THAT(Warnings({"--maxmemory", "0"}), ElementsAre(HasSubstr("Set 'maxmemory 3072mb'")));
  limits_.memory_bytes = 0;
  EXPECT_THAT(Warnings({"--maxmemory", "0"}), ElementsAre(HasSubstr("three quarters")));
}

TEST_F(StartWarningsTest, ALimitAboveTheMachineIsNone) {
  EXPECT_THAT(Warnings({"--maxmemory", "4gb"}), IsEmpty());
  EXPECT_THAT(Warnings({"--maxmemory", "5gb"}),
              ElementsAre(AllOf(HasSubstr("there are 4096 MB"), HasSubstr("3072mb"))));
}

TEST_F(StartWarningsTest, AShortQueueOfTheSystemIsNamedWithItsCommand) {
  limits_.listen_backlog = 128;
  EXPECT_THAT(Warnings({}), ElementsAre(HasSubstr("sysctl -w net.core.somaxconn=511")));
  EXPECT_THAT(Warnings({"--tcp-backlog", "100"}), IsEmpty());
}

TEST_F(StartWarningsTest, ADirectoryWithoutRightsIsNamedWithItsCommand) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  std::filesystem::permissions(
      folder_.Path(""), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  EXPECT_THAT(Warnings({}),
              ElementsAre(AllOf(HasSubstr("Permission denied"), HasSubstr("Run 'chown "))));
}

TEST(MayStart, NamesWhatWouldShutNobodyOut) {
  EXPECT_OK(MayStart(ConfigStore()));
  const std::vector<std::vector<std::string>> lines = {
      {"--aclfile", "users.acl"}, {"--user", "a", "on"}, {"--rename-command", "KEYS", ""}};
  for (const std::vector<std::string>& line : lines) {
    ConfigStore config;
    ASSERT_OK(config.Load(ParseCommandLine(line))) << line[0];
    EXPECT_THAT(MayStart(config), FailsWith(AllOf(HasSubstr("'" + line[0].substr(2) + "'"),
                                                  HasSubstr("requirepass"))));
  }
}

TEST(DirectoryError, NamesTheDirectoryTheReasonAndTheRemedy) {
  EXPECT_THAT(DirectoryError("/data", EACCES),
              AllOf(HasSubstr("Can't chdir to '/data'"), HasSubstr("Permission denied"),
                    HasSubstr("Make the directory, let user ")));
}

}  // namespace
}  // namespace cloakroom
