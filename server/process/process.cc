#include "server/process/process.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace cloakroom {
namespace {

// Descriptors of an event loop: its context's epoll set, timer and wake-up, its clients' epoll set,
// and a client that is being turned away.
constexpr int64_t kPerLoop = 5;
// While it moves, an event loop listens on the old addresses and on the new ones.
constexpr int64_t kPerAddress = 2;
// Standard streams, main loop, signals, log, unix socket, systemd; the append-only log, its next
// file, its new base, its manifest, a snapshot, and their directories; files of /proc. As many
// again are spare.
constexpr int64_t kForTheRest = 48;

}  // namespace

int64_t ReservedDescriptors(const DescriptorNeeds& needs) {
  return kForTheRest + needs.event_loops * (kPerLoop + kPerAddress * needs.addresses);
}

DescriptorLimit AllowClients(int64_t maxclients, int64_t reserved) {
  DescriptorLimit result{.wanted = maxclients + reserved, .clients = maxclients};
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return result;
  const auto wanted = static_cast<rlim_t>(result.wanted);
  result.before = result.now = static_cast<int64_t>(limit.rlim_cur);
  if (limit.rlim_cur >= wanted) return result;
  rlimit raised{wanted, std::max(wanted, limit.rlim_max)};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) {
    result.now = result.wanted;
    return result;
  }
  result.error = errno;
  raised = {std::min(wanted, limit.rlim_max), limit.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) result.now = static_cast<int64_t>(raised.rlim_cur);
  result.clients = std::clamp<int64_t>(result.now - reserved, 0, maxclients);
  if (result.clients == maxclients) result.error = 0;
  return result;
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

absl::Status WritePidFile(const std::string& path) {
  std::ofstream file(path, std::ios::trunc);
  file << getpid() << "\n";
  file.flush();
  if (file) return absl::OkStatus();
  return absl::UnknownError(
      absl::StrCat("Failed to write PID file ", path, ": ", std::strerror(errno)));
}

}  // namespace cloakroom
