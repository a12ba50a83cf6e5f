#ifndef CLOAKROOM_SERVER_CONTEXT_SUPERVISOR_H_
#define CLOAKROOM_SERVER_CONTEXT_SUPERVISOR_H_

#include <cstdint>
#include <string_view>

namespace cloakroom {

// What systemd wants to hear of a service of Type=notify; see sd_notify(3). It says where in the
// environment; without that, nothing happens here. Any thread.

/// Whether somebody listens.
bool HasSupervisor();

/// Sends assignments, one a line: "READY=1\nSTATUS=Serving". Never waits.
void TellSupervisor(std::string_view state);

/// For work that takes long while nobody beats the heart: half a minute more from here.
inline constexpr std::string_view kStillAtWork = "WATCHDOG=1\nEXTEND_TIMEOUT_USEC=30000000";

/// How often it wants to hear WATCHDOG=1 at the latest; 0 where it does not.
int64_t WatchdogIntervalMs();

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_CONTEXT_SUPERVISOR_H_
