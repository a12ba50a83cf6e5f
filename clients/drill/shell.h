#ifndef CLOAKROOM_CLIENTS_DRILL_SHELL_H_
#define CLOAKROOM_CLIENTS_DRILL_SHELL_H_

#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "clients/drill/address.h"

namespace cloakroom::drill {

/// Runs a command of the user in /bin/sh and waits for its end. It finds the primary in the
/// variables DRILL_HOST and DRILL_PORT. It has a process group of its own, so that a Ctrl-C for the
/// drill does not end it halfway. An error when it cannot be started, ends with another status than
/// 0, or is not done in time; then it is killed with what it has started.
absl::Status RunShell(const std::string& command, const Address& primary,
                      std::chrono::milliseconds limit = std::chrono::minutes(1));

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_SHELL_H_
