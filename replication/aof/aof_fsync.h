#ifndef CLOAKROOM_REPLICATION_AOF_AOF_FSYNC_H_
#define CLOAKROOM_REPLICATION_AOF_AOF_FSYNC_H_

#include <cstdint>

namespace cloakroom {

/// The values of appendfsync: when written bytes of the log are synced to the disk.
enum class AofFsync : uint8_t {
  kAlways,    ///< before the client gets its reply
  kEverySec,  ///< once a second
  kNo,        ///< when the system chooses
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_AOF_AOF_FSYNC_H_
