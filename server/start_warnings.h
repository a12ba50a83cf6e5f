#ifndef CLOAKROOM_SERVER_START_WARNINGS_H_
#define CLOAKROOM_SERVER_START_WARNINGS_H_

#include <string>
#include <vector>

#include "server/config/config_store.h"
#include "server/machine_limits.h"

namespace cloakroom {

/// What an operator should know before the first client comes, each with its remedy in the same
/// line. Reads the configuration and asks whether `dir` can be written to; changes nothing.
std::vector<std::string> StartWarnings(const ConfigStore& config, const MachineLimits& limits);

/// Why `dir` cannot be the working directory, by its errno, and what to do.
std::string DirectoryError(const std::string& dir, int error);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_START_WARNINGS_H_
