#include "server/execution/relative_time.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_join.h"

namespace cloakroom {
namespace {

constexpr int64_t kNowMs = 1'000'000;

using Words = std::vector<std::string_view>;
using Absolute = std::optional<OwnedArguments> (*)(CommandArguments, int64_t);

/// The words of the absolute form; "" if there is none.
std::string Reworded(Absolute absolute, const Words& args) {
  const auto words = ToAbsolute(CommandRow{.to_absolute = absolute}, args, kNowMs);
  return words ? absl::StrJoin(*words, " ") : "";
}

TEST(RelativeTimeTest, ARowWithoutTheFunctionNeverCountsFromNow) {
  EXPECT_EQ(Reworded(nullptr, {"EXPIRE", "k", "10"}), "");
}

TEST(RelativeTimeTest, AnExpiryBecomesATime) {
  EXPECT_EQ(Reworded(ExpireToAbsolute, {"EXPIRE", "k", "10"}), "pexpireat k 1010000");
  EXPECT_EQ(Reworded(ExpireToAbsolute, {"PExpire", "k", "10", "NX"}), "pexpireat k 1000010 NX");
  EXPECT_EQ(Reworded(ExpireToAbsolute, {"HEXPIRE", "k", "10", "FIELDS", "1", "f"}),
            "hpexpireat k 1010000 FIELDS 1 f");
  EXPECT_EQ(Reworded(ExpireToAbsolute, {"SPEXPIRE", "k", "10", "MEMBERS", "1", "m"}),
            "spexpireat k 1000010 MEMBERS 1 m");
  EXPECT_EQ(Reworded(ExpireToAbsolute, {"EXPIRE", "k", "-1"}), "pexpireat k 999000");
}

TEST(RelativeTimeTest, SetExBecomesSet) {
  EXPECT_EQ(Reworded(SetExToAbsolute, {"SETEX", "k", "10", "v"}), "SET k v PXAT 1010000");
  EXPECT_EQ(Reworded(SetExToAbsolute, {"psetex", "k", "10", "v"}), "SET k v PXAT 1000010");
  EXPECT_EQ(Reworded(SetExToAbsolute, {"SETEX", "k", "0", "v"}), "");
}

TEST(RelativeTimeTest, OptionsBecomeATime) {
  EXPECT_EQ(Reworded(OptionToAbsolute, {"SET", "k", "v", "NX", "ex", "10"}),
            "SET k v NX PXAT 1010000");
  EXPECT_EQ(Reworded(OptionToAbsolute, {"SET", "k", "v", "PX", "10", "GET"}),
            "SET k v PXAT 1000010 GET");
  EXPECT_EQ(Reworded(OptionToAbsolute, {"SET", "k", "v", "IFEQ", "ex", "PX", "10"}),
            "SET k v IFEQ ex PXAT 1000010");
  EXPECT_EQ(Reworded(OptionToAbsolute, {"GETEX", "k", "EX", "10"}), "GETEX k PXAT 1010000");
  EXPECT_EQ(Reworded(OptionToAbsolute, {"HSETEX", "k", "EX", "10", "FIELDS", "1", "px", "7"}),
            "HSETEX k PXAT 1010000 FIELDS 1 px 7");
  EXPECT_EQ(Reworded(OptionToAbsolute, {"HSETEX", "k", "FIELDS", "1", "px", "7"}), "");
  EXPECT_EQ(Reworded(OptionToAbsolute, {"SET", "ex", "10"}), "");
  EXPECT_EQ(Reworded(OptionToAbsolute, {"SET", "k", "v", "PXAT", "10"}), "");
}

TEST(RelativeTimeTest, RestoreGetsAbsTtl) {
  EXPECT_EQ(Reworded(RestoreToAbsolute, {"RESTORE", "k", "10", "p"}), "RESTORE k 1000010 p ABSTTL");
  EXPECT_EQ(Reworded(RestoreToAbsolute, {"RESTORE", "k", "10", "p", "absttl"}), "");
  EXPECT_EQ(Reworded(RestoreToAbsolute, {"RESTORE", "k", "0", "p"}), "");
}

TEST(RelativeTimeTest, WhatIsWrongStaysAsItIs) {
  EXPECT_EQ(Reworded(ExpireToAbsolute, {"EXPIRE", "k"}), "");
  EXPECT_EQ(Reworded(ExpireToAbsolute, {"EXPIRE", "k", "x"}), "");
  EXPECT_EQ(Reworded(ExpireToAbsolute, {"EXPIRE", "k", "9223372036854775807"}), "");
  EXPECT_EQ(Reworded(OptionToAbsolute, {"SET"}), "");
  EXPECT_EQ(Reworded(OptionToAbsolute, {"SET", "k", "v", "EX"}), "");
  EXPECT_EQ(Reworded(SetExToAbsolute, {"SETEX"}), "");
  EXPECT_EQ(Reworded(RestoreToAbsolute, {"RESTORE"}), "");
}

}  // namespace
}  // namespace cloakroom
