#include "server/config/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace cloakroom {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Texts(const std::vector<std::string>& arguments) {
  std::vector<std::string> texts;
  for (const auto& option : ParseCommandLine(arguments).options) texts.push_back(option.text);
  return texts;
}

TEST(ParseCommandLine, AsksForNothingWithoutArguments) {
  CommandLine line = ParseCommandLine({});
  EXPECT_EQ(line.config_file, "");
  EXPECT_THAT(line.options, IsEmpty());
  EXPECT_FALSE(line.version || line.help || line.read_stdin);
}

TEST(ParseCommandLine, KnowsVersionAndHelpWhenTheyStandAlone) {
  EXPECT_TRUE(ParseCommandLine({"--version"}).version);
  EXPECT_TRUE(ParseCommandLine({"-v"}).version);
  EXPECT_TRUE(ParseCommandLine({"--help"}).help);
  EXPECT_TRUE(ParseCommandLine({"-h"}).help);
  EXPECT_FALSE(ParseCommandLine({"--port", "1", "-v"}).version);
}

TEST(ParseCommandLine, KnowsPrintDefaultsAlone) {
  EXPECT_TRUE(ParseCommandLine({"--print-defaults"}).print_defaults);
  EXPECT_FALSE(ParseCommandLine({"x.conf", "--print-defaults"}).print_defaults);
}

TEST(ParseCommandLine, ChecksWhatFollowsCheckConfig) {
  CommandLine line = ParseCommandLine({"--check-config", "x.conf", "--port", "7000"});
  EXPECT_TRUE(line.check_config);
  EXPECT_EQ(line.config_file, std::filesystem::current_path() / "x.conf");
  EXPECT_THAT(line.options.at(0).words, ElementsAre("port", "7000"));
  EXPECT_TRUE(ParseCommandLine({"--check-config"}).check_config);
  EXPECT_FALSE(ParseCommandLine({"x.conf", "--check-config"}).check_config);
}

TEST(ParseCommandLine, TakesTheFirstWordAsTheFile) {
  CommandLine line = ParseCommandLine({"x.conf", "--port", "7000"});
  EXPECT_EQ(line.config_file, std::filesystem::current_path() / "x.conf");
  EXPECT_THAT(line.options.at(0).words, ElementsAre("port", "7000"));
  EXPECT_EQ(ParseCommandLine({"--port", "7000"}).config_file, "");
}

TEST(ParseCommandLine, GathersTheValuesOfEachOption) {
  EXPECT_THAT(Texts({"--save", "900", "1", "--loglevel", "debug"}),
              ElementsAre("save \"900\" \"1\"", "loglevel \"debug\""));
  EXPECT_THAT(Texts({"--save", ""}), ElementsAre("save \"\""));
  EXPECT_EQ(ParseCommandLine({"--hz", "1", "--port", "2"}).options[1].line, 2);
}

TEST(ParseCommandLine, EndsAnOptionWithoutValuesAtTheNextDirective) {
  EXPECT_THAT(Texts({"--save", "--port", "1"}), ElementsAre("save", "port \"1\""));
}

TEST(ParseCommandLine, TakesAValueThatLooksLikeAnOption) {
  EXPECT_THAT(Texts({"--requirepass", "--secret"}), ElementsAre("requirepass \"--secret\""));
  EXPECT_THAT(Texts({"--requirepass", "-"}), ElementsAre("requirepass \"-\""));
}

TEST(ParseCommandLine, TakesAnOptionInOneWord) {
  EXPECT_THAT(Texts({"--save 900 1", "--port 7"}), ElementsAre("save \"900\" \"1\"", "port \"7\""));
}

TEST(ParseCommandLine, ReadsStandardInputAtADashInTheEnd) {
  EXPECT_TRUE(ParseCommandLine({"-"}).read_stdin);
  CommandLine line = ParseCommandLine({"x.conf", "--loglevel", "debug", "-"});
  EXPECT_TRUE(line.read_stdin);
  EXPECT_THAT(line.options.at(0).words, ElementsAre("loglevel", "debug"));
}

TEST(ParseCommandLine, LetsTheFirstOptionGoWithoutDashes) {
  EXPECT_THAT(Texts({"x.conf", "port", "7000"}), ElementsAre("port \"7000\""));
}

}  // namespace
}  // namespace cloakroom
