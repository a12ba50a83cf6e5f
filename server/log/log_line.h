#ifndef CLOAKROOM_SERVER_LOG_LOG_LINE_H_
#define CLOAKROOM_SERVER_LOG_LOG_LINE_H_

#include <chrono>
#include <string>
#include <string_view>

#include "server/config/config.h"

namespace cloakroom {

/// One line of the log before it is text.
struct LogLine {
  std::chrono::system_clock::time_point time;
  LogLevel level = LogLevel::kNotice;
  int pid = 0;
  char role = 'M';
  std::string_view message;
};

/// The line with its newline. Control characters in the message, which a client may have sent,
/// become \xHH in Redis' format and \u00HH in JSON, so that nobody can forge a line. Pure except
/// for the time zone; any thread.
std::string RedisLogLine(const LogLine& line);
std::string JsonLogLine(const LogLine& line);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_LOG_LOG_LINE_H_
