#ifndef CLOAKROOM_SERVER_LOG_SCRIPT_LOG_H_
#define CLOAKROOM_SERVER_LOG_SCRIPT_LOG_H_

#include <string_view>

namespace cloakroom {

/// Writes what a script says with redis.log. `level`: 0 debug, 1 verbose, 2 notice, 3 warning. Any
/// thread.
void LogFromScript(int level, std::string_view message);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_LOG_SCRIPT_LOG_H_
