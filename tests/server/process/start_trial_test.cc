#include "server/process/start_trial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

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

constexpr char kOfAnotherMachine[] = "203.0.113.77";  // TEST-NET-3: no machine has it

class StartTrialTest : public testing::Test {
 protected:
  /// The result for a server that could start, with these options.
  StartTrial Trial(const std::vector<std::string>& options) {
    std::vector<std::string> arguments = {"--bind", "127.0.0.1", "--dir", folder_.Path("")};
    arguments.insert(arguments.end(), options.begin(), options.end());
    ConfigStore config;
    EXPECT_OK(config.Load(ParseCommandLine(arguments)));
    return TryStart(config);
  }
  std::vector<std::string> Errors(const std::vector<std::string>& options) {
    return Trial(options).errors;
  }

  TemporaryFolder folder_;
};

TEST_F(StartTrialTest, AGoodConfigurationMeetsNothingAndLeavesNothing) {
  StartTrial trial =
      Trial({"--logfile", folder_.Path("a.log"), "--unixsocket", folder_.Path("c.sock")});
  EXPECT_THAT(trial.errors, IsEmpty());
  EXPECT_THAT(trial.warnings, IsEmpty());
  EXPECT_EQ(folder_.CountFiles(), 0u);
}

TEST_F(StartTrialTest, ALogFileNeedsItsDirectory) {
  std::string file = folder_.Path("no/a.log");
  EXPECT_THAT(Errors({"--logfile", file}),
              ElementsAre("Can't open the log file: No such file or directory. Make the directory "
                          "of '" +
                          file + "' and let this user write there, or change 'logfile'."));
}

TEST_F(StartTrialTest, ADirectoryIsNoLogFile) {
  EXPECT_THAT(Errors({"--logfile", folder_.Path("")}), ElementsAre(HasSubstr("Is a directory")));
}

TEST_F(StartTrialTest, AnAddressMustBeThisMachinesUnlessItIsOptional) {
  EXPECT_THAT(Errors({"--bind", kOfAnotherMachine, "--port", "18400"}),
              ElementsAre(HasSubstr("203.0.113.77:18400: bind: Cannot assign requested address")));
  EXPECT_THAT(Errors({"--bind", std::string("127.0.0.1 -") + kOfAnotherMachine}), IsEmpty());
  EXPECT_THAT(Errors({"--bind", std::string("-") + kOfAnotherMachine}),
              ElementsAre(HasSubstr("None of the addresses in 'bind'")));
  EXPECT_THAT(Errors({"--bind", "no.such.host.invalid"}),
              ElementsAre(HasSubstr("Could not resolve the address")));
  EXPECT_THAT(Errors({"--bind", kOfAnotherMachine, "--port", "0", "--unixsocket", "c.sock"}),
              IsEmpty());
}

TEST_F(StartTrialTest, AUnixSocketNeedsItsDirectory) {
  EXPECT_THAT(Errors({"--unixsocket", folder_.Path("no/c.sock")}),
              ElementsAre(AllOf(HasSubstr("bind: No such file or directory"),
                                HasSubstr("Make the directory " + folder_.Path("no/")))));
}

TEST_F(StartTrialTest, AUnixSocketWithoutSlashIsInDir) {
  EXPECT_THAT(Errors({"--unixsocket", "c.sock"}), IsEmpty());
  folder_.Write("c.sock", "no socket");
  EXPECT_THAT(Errors({"--unixsocket", "c.sock"}), ElementsAre(HasSubstr("it is no socket")));
}

TEST_F(StartTrialTest, AUnixSocketsPathMayBeTooLong) {
  EXPECT_THAT(Errors({"--unixsocket", "/tmp/" + std::string(200, 'x')}),
              ElementsAre(HasSubstr("at most 107")));
}

TEST_F(StartTrialTest, ADirectoryBelowRunMayComeWithTheService) {
  StartTrial trial = Trial({"--unixsocket", "/run/no-such-service/c.sock"});
  EXPECT_THAT(trial.errors, IsEmpty());
  EXPECT_THAT(trial.warnings,
              ElementsAre(AllOf(HasSubstr("Make the directory /run/no-such-service"),
                                HasSubstr("RuntimeDirectory"))));
  EXPECT_THAT(Errors({"--unixsocket", "/run/no-such-service/in/c.sock"}),
              ElementsAre(HasSubstr("No such file or directory")));
}

TEST_F(StartTrialTest, SomethingMustBeListenedOn) {
  EXPECT_THAT(Errors({"--port", "0"}), ElementsAre(HasSubstr("not listen anywhere")));
}

TEST_F(StartTrialTest, AllThatIsWrongIsSaid) {
  EXPECT_THAT(Errors({"--logfile", "/nonexistent/a.log", "--unixsocket", "/nonexistent/c.sock"}),
              ElementsAre(HasSubstr("log file"), HasSubstr("Unix socket")));
}

TEST_F(StartTrialTest, WhatThisUserMayNotWriteIsNamed) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  std::filesystem::permissions(
      folder_.Path(""), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  EXPECT_THAT(Errors({"--logfile", folder_.Path("a.log"), "--unixsocket", "c.sock"}),
              ElementsAre(HasSubstr("log file: Permission denied"),
                          HasSubstr("bind: Permission denied. Let the server's user write to")));
}

}  // namespace
}  // namespace cloakroom
