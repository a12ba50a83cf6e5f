#ifndef CLOAKROOM_SERVER_PROCESS_PROCESS_H_
#define CLOAKROOM_SERVER_PROCESS_PROCESS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"

namespace cloakroom {

// The server as a process of the operating system. Thread rule: the main thread, at start and end.

/// Determines how many descriptors the server needs besides those of its clients.
struct DescriptorNeeds {
  int64_t event_loops = 1;
  int64_t addresses = 1;  ///< that each loop listens on
};
/// The descriptors needed at the worst moment: while the server saves, begins a new file of its
/// log, and moves to as many other addresses; plus a few spare ones.
int64_t ReservedDescriptors(const DescriptorNeeds& needs);

/// The result of raising the limit of file descriptors.
struct DescriptorLimit {
  int64_t wanted = 0;
  int64_t before = 0;
  int64_t now = 0;
  int error = 0;        ///< why the limit is lower than wanted; 0: it is not
  int64_t clients = 0;  ///< how many fit now, at most as many as wanted; 0: not even one
};
/// Raises the limit so that `maxclients` fit beside `reserved` descriptors, as far as the system
/// allows. Never lowers it.
DescriptorLimit AllowClients(int64_t maxclients, int64_t reserved);

/// Continues as a child process without a terminal. Call it before any thread starts.
void Daemonize();

/// From now on SIGTERM, SIGINT and SIGHUP interrupt neither this thread nor those that it starts:
/// they are read from the returned descriptor (signalfd(2)). A signal that nobody reads any more,
/// as the server ends, does nothing.
int TakeSignals();

/// The next signal that has come; 0: none. Never waits.
int ReadSignal(int signals);

absl::Status WritePidFile(const std::string& path);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PROCESS_PROCESS_H_
