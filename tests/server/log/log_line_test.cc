#include "server/log/log_line.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <string>

namespace cloakroom {
namespace {

// 2026-11-24 03:06:28.007 UTC
LogLine Line(LogLevel level, std::string_view message) {
  setenv("TZ", "UTC", 1);
  tzset();
  auto time = std::chrono::system_clock::time_point(std::chrono::milliseconds(1795489588007));
  return {time, level, 4711, 'M', message};
}

TEST(RedisLogLine, LooksAsRedisWritesIt) {
  EXPECT_EQ(RedisLogLine(Line(LogLevel::kNotice, "Ready")),
            "4711:M 24 Nov 2026 03:06:28.007 * Ready\n");
  EXPECT_EQ(RedisLogLine(Line(LogLevel::kDebug, "x")), "4711:M 24 Nov 2026 03:06:28.007 . x\n");
  EXPECT_EQ(RedisLogLine(Line(LogLevel::kVerbose, "x")), "4711:M 24 Nov 2026 03:06:28.007 - x\n");
  EXPECT_EQ(RedisLogLine(Line(LogLevel::kWarning, "x")), "4711:M 24 Nov 2026 03:06:28.007 # x\n");
}

TEST(RedisLogLine, CannotBeForgedByItsMessage) {
  std::string line = RedisLogLine(Line(LogLevel::kNotice, "a\nb\x1b[0m\tc\xc3\xa4"));
  EXPECT_EQ(line, "4711:M 24 Nov 2026 03:06:28.007 * a\\x0ab\\x1b[0m\tc\xc3\xa4\n");
}

TEST(JsonLogLine, IsOneObject) {
  EXPECT_EQ(JsonLogLine(Line(LogLevel::kWarning, "Disk is full")),
            "{\"time\":\"2026-11-24T03:06:28.007Z\",\"level\":\"warning\",\"pid\":4711,"
            "\"role\":\"M\",\"message\":\"Disk is full\"}\n");
}

std::string JsonMessage(std::string_view message) {
  std::string line = JsonLogLine(Line(LogLevel::kNotice, message));
  constexpr std::string_view kBefore = "\"message\":\"";
  size_t begin = line.find(kBefore) + kBefore.size();
  return line.substr(begin, line.size() - begin - 3);
}

TEST(JsonLogLine, EscapesWhatJsonMustEscape) {
  EXPECT_EQ(JsonMessage("a\"b\\c\n\x01\x7f"), R"(a\"b\\c\u000a\u0001\u007f)");
}

TEST(JsonLogLine, KeepsUtf8AndReplacesOtherBytes) {
  const std::string good = "\xc3\xa4\xe2\x82\xac\xf0\x9f\xa7\xa5";
  EXPECT_EQ(JsonMessage(good), good);
  const std::string replaced = "\xef\xbf\xbd";
  for (std::string bad : {"\xff", "\xc3", "\xe2\x82", "\xc0\xaf", "\xed\xa0\x80"}) {
    std::string expected;
    for (size_t i = 0; i < bad.size(); ++i) expected += replaced;
    EXPECT_EQ(JsonMessage(bad), expected);
  }
}

}  // namespace
}  // namespace cloakroom
