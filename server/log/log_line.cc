#include "server/log/log_line.h"

#include <fmt/core.h>

#include <ctime>

#include "absl/strings/ascii.h"

namespace cloakroom {
namespace {

constexpr std::string_view kLevelMarks = ".-*#";
constexpr std::string_view kLevelNames[] = {"debug", "verbose", "notice", "warning"};
constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

int Milliseconds(std::chrono::system_clock::time_point time) {
  auto since = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  return static_cast<int>((since % std::chrono::seconds(1)).count());
}

std::time_t Seconds(std::chrono::system_clock::time_point time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

// The size in bytes of the UTF-8 character at the front; 0 if there is none. Overlong forms,
// surrogates and values above U+10FFFF are not characters (RFC 3629).
size_t Utf8Length(std::string_view text) {
  auto byte = [text](size_t at) { return static_cast<unsigned char>(text[at]); };
  auto follows = [text, byte](size_t at) { return at < text.size() && (byte(at) & 0xc0) == 0x80; };
  unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first < 0xf0) {
    if (!follows(1) || !follows(2)) return 0;
    bool overlong = first == 0xe0 && byte(1) < 0xa0;
    bool surrogate = first == 0xed && byte(1) >= 0xa0;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xf0 && first < 0xf5) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    bool overlong = first == 0xf0 && byte(1) < 0x90;
    bool too_far = first == 0xf4 && byte(1) >= 0x90;
    return overlong || too_far ? 0 : 4;
  }
  return 0;
}

std::string JsonEscaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    char first = text.front();
    size_t length = Utf8Length(text);
    if (length == 0) {
      out += kReplacement;
      length = 1;
    } else if (first == '"' || first == '\\') {
      out.append({'\\', first});
    } else if (static_cast<unsigned char>(first) < 0x20 || first == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(first));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out;
}

std::string ControlEscaped(std::string_view text) {
  std::string out;
  for (char letter : text) {
    bool is_control = absl::ascii_iscntrl(static_cast<unsigned char>(letter)) && letter != '\t';
    if (is_control) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(letter));
    } else {
      out.push_back(letter);
    }
  }
  return out;
}

}  // namespace

std::string RedisLogLine(const LogLine& line) {
  std::time_t seconds = Seconds(line.time);
  std::tm local{};
  localtime_r(&seconds, &local);
  return fmt::format("{}:{} {:02} {} {} {:02}:{:02}:{:02}.{:03} {} {}\n", line.pid, line.role,
                     local.tm_mday, kMonths[local.tm_mon], local.tm_year + 1900, local.tm_hour,
                     local.tm_min, local.tm_sec, Milliseconds(line.time),
                     kLevelMarks[static_cast<size_t>(line.level)], ControlEscaped(line.message));
}

std::string JsonLogLine(const LogLine& line) {
  std::time_t seconds = Seconds(line.time);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format(
      "{{\"time\":\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z\",\"level\":\"{}\",\"pid\":{},"
      "\"role\":\"{}\",\"message\":\"{}\"}}\n",
      utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
      Milliseconds(line.time), kLevelNames[static_cast<size_t>(line.level)], line.pid, line.role,
      JsonEscaped(line.message));
}

}  // namespace cloakroom
