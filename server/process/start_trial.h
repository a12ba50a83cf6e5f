#ifndef CLOAKROOM_SERVER_PROCESS_START_TRIAL_H_
#define CLOAKROOM_SERVER_PROCESS_START_TRIAL_H_

#include <string>
#include <vector>

#include "server/config/config_store.h"

namespace cloakroom {

/// The errors and warnings that a start with this configuration would give on this machine, in the
/// same words.
struct StartTrial {
  std::vector<std::string> errors;    // these would end the start
  std::vector<std::string> warnings;  // these too, unless the service manager fixes them before
};

/// Tries the steps of a start that leave no trace: may this user enter 'dir', write the server log,
/// make the unix socket; are the addresses of 'bind' this machine's. Makes and changes nothing, and
/// ignores a server that already has the port or the socket: it may be the one to be restarted.
/// Blocks on the disk and the resolver. Thread rule: the main thread.
StartTrial TryStart(const ConfigStore& config);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PROCESS_START_TRIAL_H_
