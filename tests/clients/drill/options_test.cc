#include "clients/drill/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/support/status_matchers.h"

namespace cloakroom::drill {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

absl::StatusOr<Options> Parse(std::initializer_list<std::string_view> words,
                              const std::map<std::string, std::string>& environment = {}) {
  const std::vector<std::string_view> arguments(words);
  return ParseOptions(arguments, [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? "" : found->second;
  });
}

TEST(OptionsTest, HelpAndVersionNeedNothingElse) {
  EXPECT_EQ(Parse({})->task, Options::Task::kHelp);
  EXPECT_EQ(Parse({"--help"})->task, Options::Task::kHelp);
  EXPECT_EQ(Parse({"check", "-h"})->task, Options::Task::kHelp);
  EXPECT_EQ(Parse({"-v"})->task, Options::Task::kVersion);
  EXPECT_THAT(Parse({"--version", "x"}), FailsWith(HasSubstr("'x'")));
  EXPECT_THAT(Parse({"chek"}), FailsWith(HasSubstr("check or run")));
}

TEST(OptionsTest, SentinelsMayFollowOneOptionOrSeveral) {
  for (const auto& options :
       {Parse({"check", "--sentinel", "a:1", "b:2", "--master", "shop"}),
        Parse({"check", "--sentinel", "a:1", "--master", "shop", "--sentinel", "b:2"})}) {
    ASSERT_OK(options);
    EXPECT_THAT(options->where.sentinels, ElementsAre(Address{"a", 1}, Address{"b", 2}));
    EXPECT_EQ(options->where.name(), "shop");
  }
}

TEST(OptionsTest, APrimaryIsItsOwnName) {
  const auto options = Parse({"check", "--primary", "a:1", "--json", "--seconds", "7"});
  ASSERT_OK(options);
  EXPECT_EQ(options->where.name(), "a:1");
  EXPECT_TRUE(options->check.json);
  EXPECT_EQ(options->check.seconds, 7);
  EXPECT_EQ(options->check.away_s, 60);
}

TEST(OptionsTest, TopologyMustBeSaidOnce) {
  EXPECT_THAT(Parse({"check"}), FailsWith(HasSubstr("--primary HOST:PORT")));
  EXPECT_THAT(Parse({"check", "--primary", "a:1", "--sentinel", "b:2", "--master", "x"}),
              FailsWith(HasSubstr("either")));
  EXPECT_THAT(Parse({"check", "--sentinel", "b:2"}), FailsWith(HasSubstr("--master NAME")));
  EXPECT_THAT(Parse({"check", "--primary", "a:1", "--master", "x"}),
              FailsWith(HasSubstr("belongs to --sentinel")));
}

TEST(OptionsTest, PasswordsComeFromTheEnvironmentUnlessGiven) {
  const std::map<std::string, std::string> environment = {
      {"CLOAKROOM_DRILL_PASSWORD", "one"}, {"CLOAKROOM_DRILL_SENTINEL_PASSWORD", "two"}};
  auto options = Parse({"check", "--primary", "a:1"}, environment);
  EXPECT_EQ(options->where.login.password, "one");
  EXPECT_EQ(options->where.sentinel_login.password, "two");
  options = Parse({"check", "--primary", "a:1", "--password", "three", "--user", "u"}, environment);
  EXPECT_EQ(options->where.login.password, "three");
  EXPECT_EQ(options->where.login.user, "u");
}

TEST(OptionsTest, ErrorsDoNotRepeatPasswords) {
  const auto options = Parse({"check", "--password", "sesame", "--primary", "a"});
  EXPECT_THAT(options, FailsWith(Not(HasSubstr("sesame"))));
}

TEST(OptionsTest, NumbersHaveLimits) {
  for (const char* number : {"0", "-1", "601", "1.5", "x", "", "99999999999999999999"}) {
    EXPECT_THAT(Parse({"check", "--primary", "a:1", "--seconds", number}),
                FailsWith(HasSubstr("from 1 to 600")))
        << number;
  }
  EXPECT_THAT(Parse({"check", "--primary", "a:1", "--seconds"}),
              FailsWith(HasSubstr("needs a value")));
}

TEST(OptionsTest, EachTaskHasItsOwnOptions) {
  EXPECT_THAT(Parse({"check", "--primary", "a:1", "--how", "kill"}),
              FailsWith(HasSubstr("no option '--how'")));
  EXPECT_THAT(Parse({"run", "--primary", "a:1", "--how", "graceful", "--json"}),
              FailsWith(HasSubstr("no option '--json'")));
}

TEST(OptionsTest, RunHasDefaults) {
  const auto options = Parse({"run", "--primary", "a:1", "--how", "graceful"});
  ASSERT_OK(options);
  const RunOptions& run = options->run;
  EXPECT_EQ(run.clients * 1000 + run.rate, 50'005);
  EXPECT_EQ(run.database, 2);
  EXPECT_EQ(run.i_mean, "");
  EXPECT_FALSE(run.live || run.back || run.at);
}

TEST(OptionsTest, RunNeedsAHowThatItCanDo) {
  EXPECT_THAT(Parse({"run", "--primary", "a:1"}), FailsWith(HasSubstr("--how graceful")));
  EXPECT_THAT(Parse({"run", "--primary", "a:1", "--how", "explode"}),
              FailsWith(HasSubstr("not 'explode'")));
  EXPECT_THAT(Parse({"run", "--primary", "a:1", "--how", "sentinel"}),
              FailsWith(HasSubstr("needs --sentinel")));
  EXPECT_THAT(Parse({"run", "--primary", "a:1", "--how", "kill"}),
              FailsWith(HasSubstr("nobody promotes")));
  EXPECT_THAT(Parse({"run", "--primary", "a:1", "--how", "cut", "--cut-command", "x"}),
              FailsWith(HasSubstr("--heal-command")));
  EXPECT_OK(Parse({"run", "--primary", "a:1", "--how", "kill", "--heal-command", "x"}));
  EXPECT_OK(Parse({"run", "--sentinel", "a:1", "--master", "m", "--how", "kill"}));
}

TEST(OptionsTest, AnOptionThatWouldDoNothingIsRefused) {
  const auto with = [](std::string_view option) {
    return Parse({"run", "--primary", "a:1", "--how", "graceful", option, "x"});
  };
  EXPECT_THAT(with("--cut-command"), FailsWith(HasSubstr("needs --how cut")));
  EXPECT_THAT(with("--kill-command"), FailsWith(HasSubstr("needs --how kill")));
  EXPECT_THAT(with("--heal-command"), FailsWith(HasSubstr("needs --how cut or kill")));
}

TEST(OptionsTest, AUserWithoutAPasswordWouldDoNothing) {
  EXPECT_THAT(Parse({"check", "--primary", "a:1", "--user", "u"}),
              FailsWith(HasSubstr("CLOAKROOM_DRILL_PASSWORD")));
  EXPECT_OK(
      Parse({"check", "--primary", "a:1", "--user", "u"}, {{"CLOAKROOM_DRILL_PASSWORD", "p"}}));
  EXPECT_THAT(Parse({"check", "--sentinel", "a:1", "--master", "m", "--sentinel-user", "u"}),
              FailsWith(HasSubstr("CLOAKROOM_DRILL_SENTINEL_PASSWORD")));
  EXPECT_THAT(Parse({"check", "--primary", "a:1", "--sentinel-password", "p"}),
              FailsWith(HasSubstr("belong to --sentinel")));
}

TEST(OptionsTest, OnlyWhatLastsCanBeHeld) {
  EXPECT_THAT(Parse({"run", "--primary", "a:1", "--how", "graceful", "--hold", "5"}),
              FailsWith(HasSubstr("--hold needs")));
  EXPECT_OK(Parse({"run", "--primary", "a:1", "--how", "freeze", "--hold", "5"}));
}

TEST(OptionsTest, TheLoadHasALimit) {
  EXPECT_THAT(
      Parse({"run", "--primary", "a:1", "--how", "graceful", "--clients", "1000", "--rate", "100"}),
      FailsWith(HasSubstr("2000 visits a second")));
}

}  // namespace
}  // namespace cloakroom::drill
