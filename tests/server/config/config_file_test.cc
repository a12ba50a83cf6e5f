#include "server/config/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/server/config/temporary_folder.h"

namespace cloakroom::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The lines that were read, words joined by '|'.
std::vector<std::string> Lines(const absl::StatusOr<std::vector<Statement>>& statements) {
  if (!statements.ok()) return {absl::StrCat("error: ", statements.status().message())};
  std::vector<std::string> lines;
  for (const Statement& statement : *statements) {
    lines.emplace_back();
    for (const std::string& word : statement.words) lines.back() += word + "|";
  }
  return lines;
}

TEST(ReadConfigFile, SkipsCommentsAndBlankLinesAndReadsTheLastWithoutNewline) {
  TemporaryFolder folder;
  std::string path = folder.Write("a.conf", "# port 1\n\n  port 7000 \r\n\trequirepass \"a b\"");
  auto statements = ReadConfigFile(path);
  EXPECT_THAT(Lines(statements), ElementsAre("port|7000|", "requirepass|a b|"));
  EXPECT_EQ((*statements)[1].line, 4);
  EXPECT_EQ((*statements)[1].file, path);
  EXPECT_FALSE((*statements)[1].included);
}

TEST(ReadConfigFile, PutsAnIncludeInItsPlace) {
  TemporaryFolder folder;
  folder.Write("b.conf", "port 2\n");
  std::string path = folder.Write("a.conf", "port 1\nINCLUDE b.conf\nport 3\n");
  auto statements = ReadConfigFile(path);
  EXPECT_THAT(Lines(statements), ElementsAre("port|1|", "port|2|", "port|3|"));
  EXPECT_TRUE((*statements)[1].included);
  EXPECT_FALSE((*statements)[2].included);
}

TEST(ReadConfigFile, IncludesWhatAPatternMatchesInOrderOfName) {
  TemporaryFolder folder;
  folder.Write("x2.inc", "port 2");
  folder.Write("x1.inc", "port 1");
  std::string path = folder.Write("a.conf", "include " + folder.Path("x*.inc") + "\n");
  EXPECT_THAT(Lines(ReadConfigFile(path)), ElementsAre("port|1|", "port|2|"));
  path = folder.Write("a.conf", "include " + folder.Path("nothing*") + "\nport 3\n");
  EXPECT_THAT(Lines(ReadConfigFile(path)), ElementsAre("port|3|"));
}

TEST(ReadConfigFile, RefusesAFileThatIncludesItself) {
  TemporaryFolder folder;
  std::string path = folder.Write("a.conf", "include a.conf\n");
  EXPECT_THAT(Lines(ReadConfigFile(path)), ElementsAre(HasSubstr("Too many nested includes")));
}

TEST(ReadConfigFile, NamesAFileThatIsMissing) {
  std::string expected =
      "error: Fatal error, can't open config file '/nonexistent': No such file or directory";
  EXPECT_THAT(Lines(ReadConfigFile("/nonexistent")), ElementsAre(expected));
  EXPECT_THAT(Lines(ReadConfigFile("/tmp")), ElementsAre(HasSubstr("Is a directory")));
}

TEST(ReadConfigFile, NamesTheLineThatIncludesAFileThatIsMissing) {
  TemporaryFolder folder;
  std::string path = folder.Write("a.conf", "port 1\ninclude /nonexistent\n");
  EXPECT_THAT(Lines(ReadConfigFile(path)),
              ElementsAre(HasSubstr("Reading the configuration file " + path +
                                    ", at line 2\n>>> 'include /nonexistent'\nFatal error, can't "
                                    "open config file '/nonexistent': No such file or directory\n"
                                    "Correct the line, ")));
}

TEST(ReadConfigStream, NamesTheLineWhoseQuotesStayOpen) {
  std::istringstream in("port 1\nrequirepass \"abc\n");
  EXPECT_THAT(Lines(ReadConfigStream(in, "x")),
              ElementsAre("error: \n*** FATAL CONFIG FILE ERROR (Cloakroom) ***\n"
                          "Reading the configuration file x, at line 2\n"
                          ">>> 'requirepass \"abc'\n"
                          "Unbalanced quotes in configuration line\n"
                          "Correct the line, then try: cloakroom-server --check-config x\n"));
}

}  // namespace
}  // namespace cloakroom::config
