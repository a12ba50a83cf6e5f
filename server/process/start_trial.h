#ifndef CLOAKROOM_SERVER_PROCESS_START_TRIAL_H_
#define CLOAKROOM_SERVER_PROCESS_START_TRIAL_H_

#include <string>
#include <vector>

#include "server/config/config_store.h"

namespace cloakroom {

/// What a start with this configuration would meet on this machine, each in the words that the
/// start would use.
struct StartTrial {
  std::vector<std::string> errors;    // it would end the start
  std::vector<std::string> warnings;  // it would, unless the service manager sees to it before
};

/// Tries what of a start leaves no trace: may this user enter 'dir', write the log, make the unix
/// socket; are the addresses of 'bind' this machine's. Nothing is made or changed, and a server
/// that has the port or the socket already is none of its business: it may be the one that is to be
/// restarted. Blocks on the disk and the resolver. The main thread.
StartTrial TryStart(const ConfigStore& config);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PROCESS_START_TRIAL_H_
