#include "server/log/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "server/log/log_settings.h"
#include "tests/server/config/temporary_folder.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class LogTest : public ::testing::Test {
 protected:
  LogTest() { options_.file = folder_.Path("log"); }
  ~LogTest() override {
    StopLog();
    SetLogLevel(LogLevel::kNotice);
    SetLogFormat(LogFormat::kRedis);
    SetLogRole(LogRole::kPrimary);
  }

  void Start() { ASSERT_OK(StartLog(options_)); }
  std::string Written() {
    EXPECT_TRUE(FlushLog(absl::Seconds(30)));
    return folder_.Read("log");
  }

  TemporaryFolder folder_;
  LogOptions options_;
};

TEST_F(LogTest, WritesLinesInOrder) {
  Start();
  LogNotice("Listening on port {}", 6379);
  LogWarning("{} of {}", "one", 2);
  EXPECT_THAT(Written(), ContainsRegex("^[0-9]+:M .* \\* Listening on port 6379\n"
                                       "[0-9]+:M .* # one of 2\n$"));
}

TEST_F(LogTest, LeavesOutWhatIsBelowTheLevel) {
  Start();
  LogVerbose("quiet");
  SetLogLevel(LogLevel::kDebug);
  LogDebug("loud");
  SetLogLevel(LogLevel::kNothing);
  LogWarning("mute");
  std::string text = Written();
  EXPECT_THAT(text, HasSubstr(" . loud\n"));
  EXPECT_THAT(text, Not(HasSubstr("quiet")));
  EXPECT_THAT(text, Not(HasSubstr("mute")));
  EXPECT_FALSE(LogEnabled(LogLevel::kNothing));
}

TEST_F(LogTest, ChangesFormatAndRoleAtRunTime) {
  options_.format = LogFormat::kJson;
  Start();
  LogNotice("first");
  EXPECT_THAT(Written(), HasSubstr("\"role\":\"M\",\"message\":\"first\"}\n"));
  SetLogFormat(LogFormat::kRedis);
  SetLogRole(LogRole::kReplica);
  LogNotice("second");
  EXPECT_THAT(Written(), ContainsRegex("[0-9]+:S .* \\* second\n"));
}

TEST_F(LogTest, ReopensAFileThatWasMovedAway) {
  Start();
  LogNotice("before");
  Written();
  std::filesystem::rename(folder_.Path("log"), folder_.Path("log.1"));
  ReopenLog();
  LogNotice("after");
  std::string text = Written();
  EXPECT_THAT(text, HasSubstr("after"));
  EXPECT_THAT(text, Not(HasSubstr("before")));
  EXPECT_THAT(folder_.Read("log.1"), HasSubstr("before"));
}

TEST_F(LogTest, WritesWhatIsQueuedBeforeItStops) {
  Start();
  for (int i = 0; i < 1000; ++i) LogNotice("line {}", i);
  StopLog();
  std::string text = folder_.Read("log");
  EXPECT_EQ(std::ranges::count(text, '\n'), 1000);
}

TEST_F(LogTest, LosesOldLinesRatherThanWaiting) {
  Start();
  size_t lost_before = LostLogLines();
  std::vector<std::thread> writers;
  for (int t = 0; t < 4; ++t) {
    writers.emplace_back([] {
      for (int i = 0; i < 5000; ++i) LogNotice("line");
    });
  }
  for (std::thread& writer : writers) writer.join();
  LogNotice("last");
  StopLog();
  std::string text = folder_.Read("log");
  size_t lost = LostLogLines() - lost_before;
  bool owned_up = text.find("lines of the log were lost") != text.npos;
  EXPECT_EQ(owned_up, lost > 0);
  size_t lines = std::ranges::count(text, '\n');
  EXPECT_GE(lines + lost, 20001u);  // every line is written or counted as lost
  EXPECT_THAT(text, HasSubstr("last\n"));
}

TEST_F(LogTest, CutsLongMessages) {
  Start();
  LogNotice("{}", std::string(5000, 'x'));
  std::string text = Written();
  EXPECT_EQ(std::ranges::count(text, 'x'), 1024);
}

TEST_F(LogTest, SaysWhyItCannotStart) {
  options_.file = "/nonexistent/log";
  EXPECT_THAT(StartLog(options_),
              FailsWith("Can't open the log file: No such file or directory. Make the directory of "
                        "'/nonexistent/log' and let this user write there, or change 'logfile'."));
}

TEST_F(LogTest, ARelativeFileIsInTheWorkingDirectory) {
  ConfigStore store;
  EXPECT_OK(store.Load(ParseCommandLine({"--logfile", "log", "--dir", "/tmp"})));
  EXPECT_EQ(LogOptionsFrom(store).file, "/tmp/log");
  EXPECT_EQ(store.Text("logfile"), "log");
}

TEST_F(LogTest, FollowsTheConfiguration) {
  ConfigStore store;
  EXPECT_OK(store.Load(ParseCommandLine({"--loglevel", "verbose", "--logfile", options_.file,
                                         "--log-format", "json", "--syslog-facility", "local7"})));
  LogOptions options = LogOptionsFrom(store);
  EXPECT_EQ(options.file, options_.file);
  EXPECT_EQ(options.level, LogLevel::kVerbose);
  EXPECT_EQ(options.format, LogFormat::kJson);
  EXPECT_EQ(options.syslog_facility, 184);
  EXPECT_FALSE(options.to_syslog);

  ASSERT_OK(StartLog(options));
  FollowLogSettings(store);
  std::vector<std::string_view> change = {"loglevel", "warning"};
  EXPECT_OK(store.Set(change));
  EXPECT_FALSE(LogEnabled(LogLevel::kNotice));
  EXPECT_TRUE(LogEnabled(LogLevel::kWarning));
}

}  // namespace
}  // namespace cloakroom
