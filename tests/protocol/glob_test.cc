#include "protocol/glob.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace cloakroom {
namespace {

using namespace std::string_view_literals;

/// The keys of a fixed set that a pattern matches. redis-server 7.0.15 replied the same to KEYS.
std::string Matches(std::string_view pattern) {
  std::string found;
  for (char key : "*-A[\\]^abz\x80\xff"sv) {
    if (GlobMatch(pattern, {&key, 1})) found += key;
  }
  return found;
}

TEST(GlobTest, PlainTextMatchesItselfOnly) {
  EXPECT_TRUE(GlobMatch("sess_1", "sess_1"));
  EXPECT_FALSE(GlobMatch("sess_1", "sess_12"));
  EXPECT_FALSE(GlobMatch("sess_12", "sess_1"));
  EXPECT_FALSE(GlobMatch("sess_1", "SESS_1"));
}

TEST(GlobTest, StarMatchesAnyRun) {
  EXPECT_TRUE(GlobMatch("*", "anything"));
  EXPECT_TRUE(GlobMatch("sess_*", "sess_"));
  EXPECT_TRUE(GlobMatch("*_1", "sess_1"));
  EXPECT_TRUE(GlobMatch("a*b*c", "aXbYbZc"));
  EXPECT_TRUE(GlobMatch("a**b", "ab"));
  EXPECT_FALSE(GlobMatch("a*b", "abX"));
  EXPECT_FALSE(GlobMatch("*abc", "ab"));
  EXPECT_FALSE(GlobMatch("a*b*c", "acb"));
}

TEST(GlobTest, QuestionMarkMatchesExactlyOneByte) {
  EXPECT_TRUE(GlobMatch("h?llo", "hello"));
  EXPECT_FALSE(GlobMatch("h?llo", "hllo"));
  EXPECT_FALSE(GlobMatch("h?llo", "heello"));
  EXPECT_FALSE(GlobMatch("?", ""));
}

TEST(GlobTest, BackslashTakesTheNextByteAsItIs) {
  EXPECT_TRUE(GlobMatch("a\\*b", "a*b"));
  EXPECT_FALSE(GlobMatch("a\\*b", "aXb"));
  EXPECT_EQ(Matches("\\a"), "a");
  EXPECT_EQ(Matches("\\"), "\\");
  EXPECT_EQ(Matches("*\\"), "\\");
}

TEST(GlobTest, ClassMatchesOneOfItsBytes) {
  EXPECT_EQ(Matches("[ab]"), "ab");
  EXPECT_EQ(Matches("[^ab]"), "*-A[\\]^z\x80\xff");
  EXPECT_EQ(Matches("[!a]"), "a");
  EXPECT_TRUE(GlobMatch("h[ae]llo", "hallo"));
  EXPECT_FALSE(GlobMatch("h[ae]llo", "hillo"));
}

TEST(GlobTest, ClassRangesMayBeReversed) {
  EXPECT_EQ(Matches("[a-z]"), "abz");
  EXPECT_EQ(Matches("[z-a]"), "abz");
  EXPECT_EQ(Matches("[^a-z]"), "*-A[\\]^\x80\xff");
  EXPECT_EQ(Matches("[a-z-]"), "-abz");
  EXPECT_EQ(Matches("[-a]"), "-a");
  EXPECT_EQ(Matches("[--z]"), "-A[\\]^abz");
}

TEST(GlobTest, ClassRangeMayTakeItsOwnEnd) {
  EXPECT_EQ(Matches("[a-]"), "]^a");
  EXPECT_EQ(Matches("[a-"), "-a");
}

TEST(GlobTest, ClassRangesCompareSignedBytes) {
  EXPECT_EQ(Matches("[\x80-\xff]"), "\x80\xff");
  EXPECT_EQ(Matches("[a-\xff]"), "*-A[\\]^a\xff");
}

TEST(GlobTest, ClassKnowsEscapes) {
  EXPECT_EQ(Matches("[\\]]"), "]");
  EXPECT_EQ(Matches("[^\\a]"), "*-A[\\]^bz\x80\xff");
  EXPECT_EQ(Matches("[\\a-z]"), "-az");
}

TEST(GlobTest, ClassWithoutEndEndsWithThePattern) {
  EXPECT_EQ(Matches("["), "");
  EXPECT_EQ(Matches("[^"), "*-A[\\]^abz\x80\xff");
  EXPECT_EQ(Matches("[a"), "a");
  EXPECT_EQ(Matches("[\\"), "\\");
  EXPECT_EQ(Matches("[a\\"), "\\a");
  EXPECT_EQ(Matches("*["), "");
}

TEST(GlobTest, EmptyClassMatchesNothing) {
  EXPECT_EQ(Matches("[]"), "");
  EXPECT_EQ(Matches("[]a]"), "");
  EXPECT_EQ(Matches("[^]"), "*-A[\\]^abz\x80\xff");
}

TEST(GlobTest, EmptyTextMatchesTheEmptyPatternOnly) {
  EXPECT_TRUE(GlobMatch("", ""));
  EXPECT_FALSE(GlobMatch("*", ""));
  EXPECT_FALSE(GlobMatch("**", ""));
  EXPECT_FALSE(GlobMatch("", "a"));
}

TEST(GlobTest, CaseCountsUnlessIgnored) {
  EXPECT_FALSE(GlobMatch("MaxMemory*", "maxmemory-policy"));
  EXPECT_TRUE(GlobMatch("MaxMemory*", "maxmemory-policy", true));
  EXPECT_TRUE(GlobMatch("[A-C]", "b", true));
  EXPECT_FALSE(GlobMatch("[A-C]", "d", true));
  EXPECT_TRUE(GlobMatch("[X]", "x", true));
  EXPECT_FALSE(GlobMatch("[\\X]", "x", true));
}

TEST(GlobTest, NulIsAByteLikeAnyOther) {
  EXPECT_TRUE(GlobMatch("a\0b"sv, "a\0b"sv));
  EXPECT_FALSE(GlobMatch("a\0b"sv, "a\0c"sv));
  EXPECT_TRUE(GlobMatch("a?b", "a\0b"sv));
}

// A matcher that backtracks into every star would need more than a lifetime.
TEST(GlobTest, ManyStarsDoNotBlowUp) {
  std::string pattern;
  for (int i = 0; i < 40; ++i) pattern += "a*";
  EXPECT_FALSE(GlobMatch(pattern + "b", std::string(2000, 'a')));
  EXPECT_TRUE(GlobMatch(pattern + "b", std::string(2000, 'a') + "b"));
}

}  // namespace
}  // namespace cloakroom
