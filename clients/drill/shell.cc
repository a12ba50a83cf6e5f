#include "clients/drill/shell.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <system_error>
#include <thread>
#include <vector>

#include "protocol/text.h"

namespace cloakroom::drill {
namespace {

using Clock = std::chrono::steady_clock;

/// The process of the command; 0 and `code` when there is none.
pid_t Spawn(const std::string& command, const Address& primary, int* code) {
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  sigset_t set;
  sigemptyset(&set);
  posix_spawnattr_setsigmask(&attributes, &set);
  sigaddset(&set, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &set);

  std::string host = "DRILL_HOST=" + primary.host;
  std::string port = "DRILL_PORT=" + std::to_string(primary.port);
  std::vector<char*> environment = {host.data(), port.data()};
  for (char** variable = environ; *variable != nullptr; ++variable) {
    // The passwords are for the drill alone.
    if (!std::string_view(*variable).starts_with("CLOAKROOM_DRILL_")) {
      environment.push_back(*variable);
    }
  }
  environment.push_back(nullptr);
  std::string shell = "sh";
  std::string option = "-c";
  std::string words = command;
  char* arguments[] = {shell.data(), option.data(), words.data(), nullptr};
  pid_t pid = 0;
  *code = posix_spawn(&pid, "/bin/sh", nullptr, &attributes, arguments, environment.data());
  posix_spawnattr_destroy(&attributes);
  return *code == 0 ? pid : 0;
}

}  // namespace

absl::Status RunShell(const std::string& command, const Address& primary,
                      std::chrono::milliseconds limit) {
  int code = 0;
  const pid_t pid = Spawn(command, primary, &code);
  if (pid == 0) {
    return absl::UnavailableError(
        Concat({"cannot start /bin/sh: ", std::generic_category().message(code)}));
  }
  const Clock::time_point until = Clock::now() + limit;
  int status = 0;
  while (waitpid(pid, &status, WNOHANG) == 0) {
    if (Clock::now() >= until) {
      kill(-pid, SIGKILL);
      waitpid(pid, &status, 0);
      return absl::DeadlineExceededError(Concat({"'", command, "' took too long"}));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  const std::string how = WIFEXITED(status) ? "status " + std::to_string(WEXITSTATUS(status))
                                            : "signal " + std::to_string(WTERMSIG(status));
  return absl::UnknownError(Concat({"'", command, "' ended with ", how}));
}

}  // namespace cloakroom::drill
