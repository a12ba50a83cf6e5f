#ifndef CLOAKROOM_REPLICATION_STREAM_OLDEST_READER_H_
#define CLOAKROOM_REPLICATION_STREAM_OLDEST_READER_H_

#include <cstdint>

namespace cloakroom {

/// The oldest Redis that reads the stream (repl-oldest-replica). An older one than 7.0 does not
/// learn how many entries of a stream its groups have read; one older than 6.2 does not learn of a
/// consumer before it reads. Fields and members that expire need Redis 7.4 and Cloakroom in any
/// case.
enum class OldestReader : uint8_t { kRedis5, kRedis62, kRedis7 };

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_STREAM_OLDEST_READER_H_
