#include "server/log/log.h"

#include <fcntl.h>
#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/base_sink.h>
#include <syslog.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "server/log/log_line.h"
#include "storage/base/mutex.h"

namespace cloakroom {
namespace {

constexpr size_t kQueuedLines = 1024;
constexpr size_t kLongestMessage = 1024;  // bytes; Redis' LOG_MAX_LEN
constexpr int kNoFile = -1;

// Settings that any thread may change between two lines.
struct Switches {
  std::atomic<LogLevel> level{LogLevel::kNotice};
  std::atomic<LogFormat> format{LogFormat::kRedis};
  std::atomic<char> role{static_cast<char>(LogRole::kPrimary)};
  std::atomic<bool> reopen{false};
  std::atomic<size_t> lost{0};  // in logs that have ended
};

// The log belongs to the process, like its standard output: passing it to every function that may
// log would add nothing. This is the only global state.
Switches& switches() {
  static Switches* const kSwitches = new Switches;
  return *kSwitches;
}

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::trace, spdlog::level::debug,
                                                   spdlog::level::info, spdlog::level::warn};
  return kLevels[static_cast<size_t>(level)];
}

LogLevel FromSpdlog(spdlog::level::level_enum level) {
  return level == spdlog::level::trace   ? LogLevel::kDebug
         : level == spdlog::level::debug ? LogLevel::kVerbose
         : level == spdlog::level::info  ? LogLevel::kNotice
                                         : LogLevel::kWarning;
}

int SyslogPriority(LogLevel level) {
  constexpr int kPriorities[] = {LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING};
  return kPriorities[static_cast<size_t>(level)];
}

std::string Formatted(const LogLine& line) {
  LogFormat format = switches().format.load(std::memory_order_relaxed);
  return format == LogFormat::kJson ? JsonLogLine(line) : RedisLogLine(line);
}

LogLine MakeLine(std::chrono::system_clock::time_point time, LogLevel level,
                 std::string_view message) {
  return {time, level, getpid(), switches().role.load(std::memory_order_relaxed), message};
}

// Errors are ignored: a log that cannot be written has no place to report it.
void WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(written);
  }
}

// The output of the log: a file (or standard output) and syslog. After Open() it runs only on the
// log's thread, except WaitUntilFlushed().
class Output final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit Output(const LogOptions& options) : options_(options) {}
  ~Output() override {
    if (file_ != kNoFile) close(file_);
    if (options_.to_syslog) closelog();
  }

  absl::Status Open() {
    if (options_.to_syslog) {
      openlog(options_.syslog_ident.c_str(), LOG_PID | LOG_NDELAY | LOG_NOWAIT,
              options_.syslog_facility);
    }
    if (options_.file.empty() || OpenFile()) return absl::OkStatus();
    return absl::UnavailableError(LogFileError(options_.file, errno));
  }

  /// REQUIRES: before the first line. The queue outlives the thread that calls sink_it_().
  void Watch(spdlog::details::thread_pool* queue) { queue_ = queue; }

  void WaitUntilFlushed(size_t flushes, absl::Duration timeout) {
    auto until = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(timeout);
    MutexLock lock(flushes_mutex_);
    while (flushes_ < flushes) {
      if (!flushed_.WaitUntil(flushes_mutex_, until)) return;
    }
  }
  size_t flushes() {
    MutexLock lock(flushes_mutex_);
    return flushes_;
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    ReopenIfAsked();
    SayWhatIsLost(message.time);
    std::string_view text(message.payload.data(), message.payload.size());
    Write(MakeLine(message.time, FromSpdlog(message.level), text));
  }

  void Write(const LogLine& line) {
    WriteAll(file_ == kNoFile ? STDOUT_FILENO : file_, Formatted(line));
    if (!options_.to_syslog) return;
    syslog(SyslogPriority(line.level), "%.*s", static_cast<int>(line.message.size()),
           line.message.data());
  }

  void SayWhatIsLost(std::chrono::system_clock::time_point time) {
    size_t lost = queue_->overrun_counter();
    if (lost == reported_) return;
    std::string text =
        fmt::format("{} lines of the log were lost: too many at once", lost - reported_);
    reported_ = lost;
    Write(MakeLine(time, LogLevel::kWarning, text));
  }

  // A flush that reopens is ReopenLog's, or is followed by it: FlushLog waits for another.
  void flush_() override {
    if (ReopenIfAsked()) return;
    MutexLock lock(flushes_mutex_);
    ++flushes_;
    flushed_.NotifyAll();
  }

  // If the new file cannot be opened, keeps the old one, moved away or not.
  bool ReopenIfAsked() {
    if (!switches().reopen.exchange(false)) return false;
    int old = file_;
    if (!options_.file.empty() && OpenFile() && old != kNoFile) close(old);
    return true;
  }

  bool OpenFile() {
    int fd = open(options_.file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd != kNoFile) file_ = fd;
    return fd != kNoFile;
  }

  const LogOptions options_;
  int file_ = kNoFile;
  spdlog::details::thread_pool* queue_ = nullptr;
  size_t reported_ = 0;  // lost lines that the log has reported
  Mutex flushes_mutex_;
  CondVar flushed_;
  size_t flushes_ ABSL_GUARDED_BY(flushes_mutex_) = 0;
};

// A started log. Its thread lives as long as `pool`, whose end writes what is queued.
struct Running {
  std::shared_ptr<Output> output;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
};

struct Process {
  Mutex flush_turn ABSL_ACQUIRED_BEFORE(mutex);  // one FlushLog at a time
  Mutex mutex;                                   // locked for moments
  std::shared_ptr<Running> running ABSL_GUARDED_BY(mutex);

  std::shared_ptr<Running> Get() {
    MutexLock lock(mutex);
    return running;
  }
};
Process& process() {
  static Process* const kProcess = new Process;
  return *kProcess;
}

}  // namespace

std::string LogFileError(const std::string& file, int error) {
  return fmt::format(
      "Can't open the log file: {}. Make the directory of '{}' and let this user write there, or "
      "change 'logfile'.",
      std::strerror(error), file);
}

absl::Status StartLog(const LogOptions& options) {
  auto running = std::make_shared<Running>();
  running->output = std::make_shared<Output>(options);
  if (absl::Status opened = running->output->Open(); !opened.ok()) return opened;
  StopLog();
  running->pool = std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1);
  running->output->Watch(running->pool.get());
  running->logger = std::make_shared<spdlog::async_logger>(
      "cloakroom", running->output, running->pool, spdlog::async_overflow_policy::overrun_oldest);
  running->logger->set_level(spdlog::level::trace);  // SetLogLevel decides, before the queue
  SetLogLevel(options.level);
  SetLogFormat(options.format);
  MutexLock lock(process().mutex);
  process().running = std::move(running);
  return absl::OkStatus();
}

void StopLog() {
  std::shared_ptr<Running> running;
  {
    MutexLock lock(process().mutex);
    running = std::move(process().running);
  }
  if (running) switches().lost += running->pool->overrun_counter();
}

bool FlushLog(absl::Duration timeout) {
  MutexLock turn(process().flush_turn);
  std::shared_ptr<Running> running = process().Get();
  if (running == nullptr) return true;
  size_t wanted = running->output->flushes() + 1;
  running->logger->flush();
  running->output->WaitUntilFlushed(wanted, timeout);
  return running->output->flushes() >= wanted;
}

void ReopenLog() {
  switches().reopen = true;
  if (auto running = process().Get()) running->logger->flush();
}

void SetLogLevel(LogLevel level) { switches().level.store(level, std::memory_order_relaxed); }

void SetLogFormat(LogFormat format) { switches().format.store(format, std::memory_order_relaxed); }

void SetLogRole(LogRole role) {
  switches().role.store(static_cast<char>(role), std::memory_order_relaxed);
}

bool LogEnabled(LogLevel level) {
  LogLevel least = switches().level.load(std::memory_order_relaxed);
  return level >= least && least != LogLevel::kNothing;
}

size_t LostLogLines() {
  auto running = process().Get();
  size_t now = running ? running->pool->overrun_counter() : 0;
  return switches().lost + now;
}

void WriteLog(LogLevel level, std::string_view message) {
  message = message.substr(0, kLongestMessage);
  if (auto running = process().Get()) {
    running->logger->log(ToSpdlog(level), spdlog::string_view_t(message.data(), message.size()));
  } else {
    WriteAll(STDOUT_FILENO, Formatted(MakeLine(std::chrono::system_clock::now(), level, message)));
  }
}

}  // namespace cloakroom
