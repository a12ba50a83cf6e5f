#include "server/process.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace cloakroom {
namespace {

/// Descriptors for everything but clients: log, files, event loops, listening sockets.
constexpr rlim_t kReservedDescriptors = 64;

}  // namespace

int64_t AllowClients(int64_t maxclients) {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return maxclients;
  rlim_t wanted = static_cast<rlim_t>(maxclients) + kReservedDescriptors;
  if (limit.rlim_cur >= wanted) return maxclients;
  rlimit raised{wanted, std::max(wanted, limit.rlim_max)};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return maxclients;
  raised = {std::min(wanted, limit.rlim_max), limit.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  rlim_t left = limit.rlim_cur > kReservedDescriptors ? limit.rlim_cur - kReservedDescriptors : 1;
  return std::min(maxclients, static_cast<int64_t>(left));
}

void Daemonize() {
  if (fork() != 0) std::_Exit(0);
  setsid();
  int null = open("/dev/null", O_RDWR);
  if (null < 0) return;
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
  if (null > STDERR_FILENO) close(null);
}

int TakeSignals() {
  sigset_t taken;
  sigemptyset(&taken);
  for (int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&taken, number);
  pthread_sigmask(SIG_BLOCK, &taken, nullptr);
  return signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
}

int ReadSignal(int signals) {
  signalfd_siginfo info{};
  if (read(signals, &info, sizeof(info)) != static_cast<ssize_t>(sizeof(info))) return 0;
  return static_cast<int>(info.ssi_signo);
}

std::optional<std::string> WritePidFile(const std::string& path) {
  std::ofstream file(path, std::ios::trunc);
  file << getpid() << "\n";
  file.flush();
  if (file) return std::nullopt;
  return absl::StrCat("Failed to write PID file ", path, ": ", std::strerror(errno));
}

}  // namespace cloakroom
