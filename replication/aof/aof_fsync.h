#ifndef CLOAKROOM_REPLICATION_AOF_AOF_FSYNC_H_
#define CLOAKROOM_REPLICATION_AOF_AOF_FSYNC_H_

#include <cstdint>

namespace cloakroom {

/// The values of appendfsync: when what was written to the log goes to the disk.
enum class AofFsync : uint8_t {
  kAlways,    ///< before the client has its reply
  kEverySec,  ///< once a second
  kNo,        ///< when the system pleases
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_AOF_AOF_FSYNC_H_
