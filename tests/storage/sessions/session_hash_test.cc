#include "storage/sessions/session_hash.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>

#include "storage/sessions/session_fences.h"

namespace cloakroom {
namespace {

std::string Parsed(std::string_view text) {
  const SessionPid pid = SessionPid::Parse(text);
  return std::string(pid.owner) + " " + std::to_string(pid.fence);
}

TEST(SessionHashTest, ANativePidHasAFence) {
  EXPECT_EQ(Parsed("web1|5042|3678208000012345"), "web1|5042 3678208000012345");
  EXPECT_EQ(Parsed("web1|5042|0"), "web1|5042 0");
  EXPECT_EQ(Parsed("a|b|c|9007199254740991"), "a|b|c 9007199254740991");
}

TEST(SessionHashTest, APlainPidHasNone) {
  EXPECT_EQ(Parsed("web1|5042"), "web1|5042 0");
  EXPECT_EQ(Parsed("web1"), "web1 0");
  EXPECT_EQ(Parsed(""), " 0");
  EXPECT_EQ(Parsed("|"), "| 0");
}

TEST(SessionHashTest, WhatIsNoFenceBelongsToTheOwner) {
  for (const char* text : {"a|1|", "a|1|x", "a|1|007", "a|1|-1", "a|1|+1", "a|1| 1",
                           "a|1|9007199254740992", "a|1|99999999999999999999"}) {
    EXPECT_EQ(Parsed(text), std::string(text) + " 0");
  }
}

TEST(SessionHashTest, AFormattedPidIsParsedAgain) {
  EXPECT_EQ(FormatSessionPid("web1|5042", 7), "web1|5042|7");
  EXPECT_EQ(FormatSessionPid("[::1]:4711", 7), "[::1]:4711|0|7");
  EXPECT_EQ(FormatSessionPid("", 7), "|0|7");
  for (const char* owner : {"web1|5042", "host", "", "a|b|c", "a|1|9"})
    EXPECT_EQ(SessionPid::Parse(FormatSessionPid(owner, kMaxFence)).fence, kMaxFence) << owner;
}

TEST(SessionHashTest, TheCountTellsWhoHoldsTheLock) {
  EXPECT_FALSE(SessionHash{.lock = 0}.plain());
  EXPECT_FALSE(SessionHash{.lock = -1}.plain());
  EXPECT_TRUE(SessionHash{.lock = 1}.plain());
  EXPECT_TRUE(SessionHash{.lock = 999'999}.plain());
  EXPECT_FALSE(SessionHash{.lock = 999'999}.published());
  EXPECT_FALSE(SessionHash{.lock = 1'000'000}.plain());
  EXPECT_TRUE(SessionHash{.lock = 1'000'000}.published());
}

TEST(SessionHashTest, AVersionIsTheCountAndTheLatestNativeCommit) {
  EXPECT_EQ(SessionVersion(SessionHash{.writes = 8, .pid = "web1|5042|123"}).view(), "8-123");
  EXPECT_EQ(SessionVersion(SessionHash{.writes = 8, .pid = "web1|5042"}).view(), "8-0");
  EXPECT_EQ(SessionVersion(SessionHash()).view(), "0-0");
  EXPECT_EQ(SessionVersion(SessionHash{.exists = true, .pid = "web1|5042"}).view(), "0-0+");
  EXPECT_EQ(SessionVersion(SessionHash{.exists = true, .pid = "web1|5042|7"}).view(), "0-7");
}

TEST(SessionHashTest, TheLongestVersionHasItsRoom) {
  const SessionVersion version(std::numeric_limits<int64_t>::min(), kMaxFence);
  EXPECT_EQ(version.view(), "-9223372036854775808-9007199254740991");
}

}  // namespace
}  // namespace cloakroom
