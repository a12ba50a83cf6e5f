#ifndef CLOAKROOM_SERVER_PROCESS_PROCESS_H_
#define CLOAKROOM_SERVER_PROCESS_PROCESS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"

namespace cloakroom {

// What concerns the server as a process of the operating system. The main thread, at start and end.

/// What decides how many descriptors the server needs besides those of its clients.
struct DescriptorNeeds {
  int64_t event_loops = 1;
  int64_t addresses = 1;  ///< that each of them listens on
};
/// All of them at the worst moment: while it saves, begins a new file of its log, and moves to as
/// many other addresses. A few are left over.
int64_t ReservedDescriptors(const DescriptorNeeds& needs);

/// What came of raising the limit of file descriptors.
struct DescriptorLimit {
  int64_t wanted = 0;
  int64_t before = 0;
  int64_t now = 0;
  int error = 0;        ///< why it is not what was wanted; 0 when it is enough
  int64_t clients = 0;  ///< that fit now, at most as many as were asked for; 0: not even one
};
/// Raises the limit so that `maxclients` fit beside `reserved` descriptors, as far as the system
/// lets us. Never lowers it.
DescriptorLimit AllowClients(int64_t maxclients, int64_t reserved);

/// Goes on as a child process without a terminal. Before any thread starts.
void Daemonize();

/// From now on SIGTERM, SIGINT and SIGHUP interrupt neither this thread nor those that it starts:
/// they are read from the descriptor returned (signalfd(2)), and one that nobody reads any more,
/// as the server ends, does nothing.
int TakeSignals();

/// The next of them that has come; 0: none. Never waits.
int ReadSignal(int signals);

absl::Status WritePidFile(const std::string& path);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PROCESS_PROCESS_H_
