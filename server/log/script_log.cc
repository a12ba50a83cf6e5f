#include "server/log/script_log.h"

#include <array>

#include "server/log/log.h"

namespace cloakroom {

void LogFromScript(int level, std::string_view message) {
  constexpr std::array kLevels = {LogLevel::kDebug, LogLevel::kVerbose, LogLevel::kNotice,
                                  LogLevel::kWarning};
  Log(kLevels[static_cast<size_t>(level)], "{}", message);
}

}  // namespace cloakroom
