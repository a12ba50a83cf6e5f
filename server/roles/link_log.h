#ifndef CLOAKROOM_SERVER_ROLES_LINK_LOG_H_
#define CLOAKROOM_SERVER_ROLES_LINK_LOG_H_

#include "replication/link/link_line.h"
#include "server/log/log.h"

namespace cloakroom {

/// Writes a line of replication into the server log. Any thread.
inline void LogLink(const LinkLine& line) {
  if (line.level == LinkLevel::kWarning) {
    LogWarning("{}", line.text);
  } else {
    LogNotice("{}", line.text);
  }
}

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_ROLES_LINK_LOG_H_
