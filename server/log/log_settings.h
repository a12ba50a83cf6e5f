#ifndef CLOAKROOM_SERVER_LOG_LOG_SETTINGS_H_
#define CLOAKROOM_SERVER_LOG_LOG_SETTINGS_H_

#include "server/config/config_store.h"
#include "server/log/log.h"

namespace cloakroom {

/// What the configuration says about the server log. A daemon without a log file writes to
/// /dev/null.
LogOptions LogOptionsFrom(const ConfigStore& store);

/// Makes CONFIG SET loglevel and log-format take effect. Call it once, at the start.
void FollowLogSettings(ConfigStore& store);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_LOG_LOG_SETTINGS_H_
