#include "server/config/grammar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace cloakroom::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

TEST(SplitWords, SeparatesAtAnyWhiteSpace) {
  EXPECT_THAT(SplitWords("  save\t900   1 \r"), Optional(ElementsAre("save", "900", "1")));
  EXPECT_THAT(SplitWords(" \t "), Optional(IsEmpty()));
}

TEST(SplitWords, ReadsEscapesInDoubleQuotes) {
  EXPECT_THAT(SplitWords(R"(a "\x41\n\r\t\b\a\"\\\q")"),
              Optional(ElementsAre("a", "A\n\r\t\b\a\"\\q")));
  EXPECT_THAT(SplitWords(R"("\x4")"), Optional(ElementsAre("x4")));
  EXPECT_THAT(SplitWords(R"("\x00")"), Optional(ElementsAre(std::string(1, '\0'))));
}

TEST(SplitWords, ReadsOnlyTheQuoteAsEscapeInSingleQuotes) {
  EXPECT_THAT(SplitWords(R"('a b\n' 'it\'s' '')"), Optional(ElementsAre("a b\\n", "it's", "")));
}

TEST(SplitWords, TakesAQuoteInTheMiddleOfAWord) {
  EXPECT_THAT(SplitWords(R"(ab"c d")"), Optional(ElementsAre("abc d")));
}

TEST(SplitWords, RefusesAQuoteThatStaysOpenOrDoesNotEndItsWord) {
  for (const char* line : {"a \"b", "a 'b", "\"a\"b", "'a'b", "\"a\\", "\"a\\\""}) {
    EXPECT_FALSE(SplitWords(line)) << line;
  }
}

TEST(Quoted, ReadsBackWhateverTheBytes) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
  std::string quoted = Quoted(bytes);
  EXPECT_THAT(SplitWords(quoted), Optional(ElementsAre(bytes)));
  for (char letter : quoted) EXPECT_TRUE(letter >= ' ' && letter < 127);
}

TEST(ParseMemory, KnowsBothFamiliesOfUnits) {
  EXPECT_THAT(ParseMemory("1k"), Optional(1000u));
  EXPECT_THAT(ParseMemory("1KB"), Optional(1024u));
  EXPECT_THAT(ParseMemory("3m"), Optional(3000000u));
  EXPECT_THAT(ParseMemory("3Mb"), Optional(3u << 20));
  EXPECT_THAT(ParseMemory("2g"), Optional(2000000000u));
  EXPECT_THAT(ParseMemory("2gb"), Optional(2ull << 30));
  EXPECT_THAT(ParseMemory("7b"), Optional(7u));
  EXPECT_THAT(ParseMemory("18446744073709551615"), Optional(18446744073709551615ull));
}

TEST(ParseMemory, RefusesWhatIsNoSize) {
  for (const char* text : {"-1", "1x", "1.5gb", "1 gb", "gbb", "18446744073709551616",
                           "18446744073709551615kb", "1tb"}) {
    EXPECT_FALSE(ParseMemory(text)) << text;
  }
}

TEST(ShortMemory, TakesTheLargestUnitThatFits) {
  EXPECT_EQ(ShortMemory(0), "0");
  EXPECT_EQ(ShortMemory(100 << 20), "100mb");
  EXPECT_EQ(ShortMemory(1 << 30), "1gb");
  EXPECT_EQ(ShortMemory(1536), "1536");
  EXPECT_EQ(ShortMemory(3072), "3kb");
}

TEST(ParseInteger, IsAsStrictAsRedis) {
  EXPECT_THAT(ParseInteger("-1"), Optional(-1));
  EXPECT_THAT(ParseInteger("0"), Optional(0));
  for (const char* text : {"", "-", "+1", "01", "-0", " 1", "1 ", "1x", "9223372036854775808"}) {
    EXPECT_FALSE(ParseInteger(text)) << text;
  }
}

TEST(NearestWord, FindsATypoButNotAnotherWord) {
  EXPECT_EQ(NearestWord("maxmemroy", {"port", "maxmemory", "maxclients"}), "maxmemory");
  EXPECT_EQ(NearestWord("MAXCLIENT", {"port", "maxmemory", "maxclients"}), "maxclients");
  EXPECT_EQ(NearestWord("quux", {"port", "maxmemory"}), "");
  EXPECT_EQ(NearestWord(std::string(1000, 'p'), {"port"}), "");
}

}  // namespace
}  // namespace cloakroom::config
