#include "protocol/split_arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace cloakroom {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::string_literals;

/// The words, or nothing when the quotes are unbalanced.
std::optional<std::vector<std::string>> Split(std::string line) {
  std::vector<std::string_view> words;
  if (!SplitArguments(line, words)) return std::nullopt;
  return std::vector<std::string>(words.begin(), words.end());
}

/// REQUIRES: the quotes are balanced; otherwise the test fails.
std::vector<std::string> Words(std::string line) { return Split(std::move(line)).value(); }

TEST(SplitArgumentsTest, WhiteSpaceSeparatesWords) {
  EXPECT_THAT(Words("SET key value"), ElementsAre("SET", "key", "value"));
  EXPECT_THAT(Words("  SET \t key\rvalue \v\f"), ElementsAre("SET", "key", "value"));
}

TEST(SplitArgumentsTest, LineWithoutWordsHasNone) {
  EXPECT_THAT(Words(""), IsEmpty());
  EXPECT_THAT(Words(" \t\r\n"), IsEmpty());
}

TEST(SplitArgumentsTest, VerticalTabDoesNotEndAWord) {
  EXPECT_THAT(Words("a\vb"), ElementsAre("a\vb"));
  EXPECT_THAT(Words("\va"), ElementsAre("a"));
}

TEST(SplitArgumentsTest, DoubleQuotesKnowEscapes) {
  EXPECT_THAT(Words(R"("a b" "\n\r\t\b\a" "\x41\xfF" "\q\"\\")"),
              ElementsAre("a b", "\n\r\t\b\a", "A\xff", "q\"\\"));
}

TEST(SplitArgumentsTest, HalfAHexEscapeIsNone) {
  EXPECT_THAT(Words(R"("\x4" "\xg1" "\x")"), ElementsAre("x4", "xg1", "x"));
}

TEST(SplitArgumentsTest, SingleQuotesKnowOnlyTheirOwnEscape) {
  EXPECT_THAT(Words(R"('a\'b' '\n\x41')"), ElementsAre("a'b", R"(\n\x41)"));
}

TEST(SplitArgumentsTest, BackslashOutsideQuotesIsItself) {
  EXPECT_THAT(Words(R"(a\x41 \n)"), ElementsAre(R"(a\x41)", R"(\n)"));
}

TEST(SplitArgumentsTest, QuotesMayOpenInsideAWord) {
  EXPECT_THAT(Words(R"(a"b c" d'e f')"), ElementsAre("ab c", "de f"));
}

TEST(SplitArgumentsTest, EmptyQuotesAreAnEmptyWord) {
  EXPECT_THAT(Words(R"("" '' a"")"), ElementsAre("", "", "a"));
}

TEST(SplitArgumentsTest, QuotesThatDoNotCloseAreRefused) {
  for (const char* line : {"\"", "'", "a \"b", "a 'b", "\"a\\\"", "'a\\'", "'\\\\'", "\"\\"}) {
    EXPECT_EQ(Split(line), std::nullopt) << line;
  }
}

TEST(SplitArgumentsTest, WordMustEndWithItsQuotes) {
  for (const char* line : {"\"a\"b", "'a'b", "\"a\"\"b\"", "'a''b'"}) {
    EXPECT_EQ(Split(line), std::nullopt) << line;
  }
  EXPECT_THAT(Words("\"a\"\vb"), ElementsAre("a", "b"));
}

TEST(SplitArgumentsTest, NulIsAByteLikeAnyOther) {
  EXPECT_THAT(Words("a\0b \"c\0d\""s), ElementsAre("a\0b"s, "c\0d"s));
}

}  // namespace
}  // namespace cloakroom
