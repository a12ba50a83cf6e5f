#include "server/context/supervisor.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "absl/strings/numbers.h"

namespace cloakroom {
namespace {

constexpr char kSocket[] = "NOTIFY_SOCKET";

int64_t NumberIn(const char* variable) {
  const char* text = std::getenv(variable);
  int64_t number = 0;
  return text != nullptr && absl::SimpleAtoi(text, &number) ? number : 0;
}

}  // namespace

bool HasSupervisor() { return std::getenv(kSocket) != nullptr; }

void TellSupervisor(std::string_view state) {
  const char* path = std::getenv(kSocket);
  if (path == nullptr || std::strlen(path) >= sizeof(sockaddr_un::sun_path)) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path);
  // As in sd_notify: a socket without a file.
  if (path[0] == '@') address.sun_path[0] = '\0';
  socklen_t size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  static_cast<void>(sendto(fd, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                           reinterpret_cast<sockaddr*>(&address), size));
  close(fd);
}

int64_t WatchdogIntervalMs() {
  int64_t pid = NumberIn("WATCHDOG_PID");
  if (pid != 0 && pid != getpid()) return 0;
  return NumberIn("WATCHDOG_USEC") / 1000;
}

}  // namespace cloakroom
