#ifndef CLOAKROOM_SERVER_LOG_LOG_H_
#define CLOAKROOM_SERVER_LOG_LOG_H_

#include <fmt/core.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/config/config.h"

namespace cloakroom {

/// Where the server log goes, and its format.
struct LogOptions {
  std::string file;  // "": standard output
  LogFormat format = LogFormat::kRedis;
  LogLevel level = LogLevel::kNotice;
  bool to_syslog = false;  // as well as to the file, as Redis does
  std::string syslog_ident = "cloakroom";
  int syslog_facility = 128;  // LOG_LOCAL0
};

/// The writer of a line; Redis' letter in "pid:letter".
enum class LogRole : char { kPrimary = 'M', kReplica = 'S', kChild = 'C', kSentinel = 'X' };

/// The process has one server log. Before StartLog and after StopLog its lines go to standard
/// output at once; in between, callers only queue lines and one thread writes them.
///
/// A caller never waits for the disk. When 1024 lines are queued, a new one displaces the oldest;
/// the log then says how many it lost. A line has at most 1 KiB of text, as in Redis; the rest is
/// cut off. Any thread may log. Call StartLog and StopLog on the main thread, after daemonizing,
/// since threads do not survive a fork.
///
/// Redis format:  4711:M 24 Nov 2026 03:06:28.123 * Ready to accept connections
///   with the level as . debug, - verbose, * notice, # warning; local time.
/// JSON format, one object a line, UTC:
///   {"time":"2026-11-24T03:06:28.123Z","level":"notice","pid":4711,"role":"M","message":"..."}
///   Bytes that are not UTF-8 stand as U+FFFD.

/// Why the log file cannot be opened, by its errno, and what to do.
std::string LogFileError(const std::string& file, int error);

/// An error says why the log cannot be opened.
absl::Status StartLog(const LogOptions& options);
/// Writes what is queued and ends the thread. Harmless when there is none.
void StopLog();

/// Waits, at most `timeout`, until all earlier lines are written, and returns whether they are; for
/// fatal errors. Blocks: never call it on an event loop.
bool FlushLog(absl::Duration timeout);
/// Closes the file and opens it again under its name, for logrotate. Returns at once.
void ReopenLog();

/// These take effect with the next line.
void SetLogLevel(LogLevel level);
void SetLogFormat(LogFormat format);
void SetLogRole(LogRole role);

/// Whether a line of this level would be written.
bool LogEnabled(LogLevel level);
/// How many lines were displaced since the process started.
size_t LostLogLines();

/// Queues a finished line. REQUIRES: level is not kNothing.
void WriteLog(LogLevel level, std::string_view message);

template <class... Args>
void Log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  if (LogEnabled(level)) WriteLog(level, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void LogDebug(fmt::format_string<Args...> format, Args&&... args) {
  Log(LogLevel::kDebug, format, std::forward<Args>(args)...);
}
template <class... Args>
void LogVerbose(fmt::format_string<Args...> format, Args&&... args) {
  Log(LogLevel::kVerbose, format, std::forward<Args>(args)...);
}
template <class... Args>
void LogNotice(fmt::format_string<Args...> format, Args&&... args) {
  Log(LogLevel::kNotice, format, std::forward<Args>(args)...);
}
template <class... Args>
void LogWarning(fmt::format_string<Args...> format, Args&&... args) {
  Log(LogLevel::kWarning, format, std::forward<Args>(args)...);
}

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_LOG_LOG_H_
