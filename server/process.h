#ifndef CLOAKROOM_SERVER_PROCESS_H_
#define CLOAKROOM_SERVER_PROCESS_H_

#include <cstdint>
#include <optional>
#include <string>

namespace cloakroom {

// What concerns the server as a process of the operating system. The main thread, at start and end.

/// Raises the limit of file descriptors so that `maxclients` fit, as far as the system lets us.
/// Returns how many clients fit then.
int64_t AllowClients(int64_t maxclients);

/// Goes on as a child process without a terminal. Before any thread starts.
void Daemonize();

/// From now on SIGTERM, SIGINT and SIGHUP interrupt neither this thread nor those that it starts:
/// they are read from the descriptor returned (signalfd(2)), and one that nobody reads any more,
/// as the server ends, does nothing.
int TakeSignals();

/// The next of them that has come; 0: none. Never waits.
int ReadSignal(int signals);

std::optional<std::string> WritePidFile(const std::string& path);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PROCESS_H_
