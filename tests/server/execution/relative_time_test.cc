#include "server/execution/relative_time.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace cloakroom {
namespace {

using Words = std::vector<std::string_view>;

TEST(RelativeTimeTest, TheRowSaysWhetherACommandMayCountFromNow) {
  const CommandRow get = {.name = "get"};
  EXPECT_FALSE(CountsFromNow(get, Words{"GET", "k"}));
  const CommandRow expire = {.name = "pexpire", .counts_from_now = AlwaysCountsFromNow};
  EXPECT_TRUE(CountsFromNow(expire, Words{"pexpire", "k", "10"}));
  const CommandRow set = {.name = "set", .counts_from_now = SetCountsFromNow};
  EXPECT_FALSE(CountsFromNow(set, Words{"SET", "k", "v"}));
}

TEST(RelativeTimeTest, SomeDoByAnOption) {
  EXPECT_TRUE(SetCountsFromNow(Words{"SET", "k", "v", "EX", "10"}));
  EXPECT_TRUE(SetCountsFromNow(Words{"set", "k", "v", "nx", "px", "10"}));
  EXPECT_FALSE(SetCountsFromNow(Words{"SET", "k", "ex"}));
  EXPECT_FALSE(SetCountsFromNow(Words{"SET", "k", "v", "PXAT", "10"}));
  EXPECT_TRUE(RestoreCountsFromNow(Words{"RESTORE", "k", "10", "payload"}));
  EXPECT_FALSE(RestoreCountsFromNow(Words{"RESTORE", "k", "10", "payload", "ABSTTL"}));
}

TEST(RelativeTimeTest, TooFewWordsAreNoProblem) {
  EXPECT_FALSE(SetCountsFromNow(Words{"SET"}));
  EXPECT_TRUE(RestoreCountsFromNow(Words{"RESTORE"}));
}

}  // namespace
}  // namespace cloakroom
