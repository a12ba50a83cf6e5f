#ifndef CLOAKROOM_SERVER_CONTEXT_SUPERVISOR_H_
#define CLOAKROOM_SERVER_CONTEXT_SUPERVISOR_H_

#include <cstdint>
#include <string_view>

namespace cloakroom {

// Tells systemd what a service of Type=notify must tell it; see sd_notify(3). The environment says
// where; without that, these functions do nothing. Any thread.

/// Whether a supervisor listens.
bool HasSupervisor();

/// Sends assignments, one per line: "READY=1\nSTATUS=Serving". Never waits.
void TellSupervisor(std::string_view state);

/// For long work during which no heartbeat is sent: 30 seconds more from now.
inline constexpr std::string_view kStillAtWork = "WATCHDOG=1\nEXTEND_TIMEOUT_USEC=30000000";

/// The longest time between two WATCHDOG=1 that the supervisor accepts; 0: it has no watchdog.
int64_t WatchdogIntervalMs();

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_CONTEXT_SUPERVISOR_H_
