#include "server/execution/relative_time.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string_view>
#include <vector>

namespace cloakroom {
namespace {

bool Counts(std::initializer_list<std::string_view> words) {
  const std::vector<std::string_view> args(words);
  return CountsFromNow(args);
}

TEST(RelativeTimeTest, SomeCommandsAlwaysCountFromNow) {
  EXPECT_TRUE(Counts({"SETEX", "k", "10", "v"}));
  EXPECT_TRUE(Counts({"pexpire", "k", "10"}));
  EXPECT_FALSE(Counts({"PEXPIREAT", "k", "10"}));
  EXPECT_FALSE(Counts({"GET", "k"}));
}

TEST(RelativeTimeTest, OthersDoByAnOption) {
  EXPECT_TRUE(Counts({"SET", "k", "v", "EX", "10"}));
  EXPECT_TRUE(Counts({"set", "k", "v", "nx", "px", "10"}));
  EXPECT_FALSE(Counts({"SET", "k", "ex"}));
  EXPECT_FALSE(Counts({"SET", "k", "v", "PXAT", "10"}));
  EXPECT_TRUE(Counts({"RESTORE", "k", "10", "payload"}));
  EXPECT_FALSE(Counts({"RESTORE", "k", "10", "payload", "ABSTTL"}));
}

TEST(RelativeTimeTest, TooFewWordsAreNoProblem) {
  EXPECT_FALSE(Counts({"SET"}));
  EXPECT_TRUE(Counts({"RESTORE"}));
}

}  // namespace
}  // namespace cloakroom
