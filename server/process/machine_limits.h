#ifndef CLOAKROOM_SERVER_PROCESS_MACHINE_LIMITS_H_
#define CLOAKROOM_SERVER_PROCESS_MACHINE_LIMITS_H_

#include <cstdint>
#include <string>

namespace cloakroom {

/// What the machine, or the container, grants this process. Read once, at the start.
struct MachineLimits {
  int64_t memory_bytes = 0;    ///< the machine's, or less if a cgroup limits us; 0: unknown
  int64_t listen_backlog = 0;  ///< net.core.somaxconn; 0: unknown

  /// `root` is a prefix of /proc and /sys, for tests.
  static MachineLimits Read(const std::string& root = "");
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PROCESS_MACHINE_LIMITS_H_
