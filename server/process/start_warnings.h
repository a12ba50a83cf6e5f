#ifndef CLOAKROOM_SERVER_PROCESS_START_WARNINGS_H_
#define CLOAKROOM_SERVER_PROCESS_START_WARNINGS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/config/config_store.h"
#include "server/process/machine_limits.h"

namespace cloakroom {

/// What an operator should know before the first client comes, each line with its remedy. Reads the
/// configuration and checks whether `dir` can be written to; changes nothing.
std::vector<std::string> StartWarnings(const ConfigStore& config, const MachineLimits& limits);

/// Refuses a configuration that asks for a protection that this server does not have yet. Who
/// relied on it would be left unprotected without notice.
absl::Status MayStart(const ConfigStore& config);

/// Why `dir` cannot be the working directory, by its errno, and what to do.
std::string DirectoryError(const std::string& dir, int error);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PROCESS_START_WARNINGS_H_
