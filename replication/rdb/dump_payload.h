#ifndef CLOAKROOM_REPLICATION_RDB_DUMP_PAYLOAD_H_
#define CLOAKROOM_REPLICATION_RDB_DUMP_PAYLOAD_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "replication/rdb/rdb_format.h"
#include "storage/values/value.h"

namespace cloakroom {

// What DUMP replies and RESTORE takes: a value without its key and expiry.
//
//   payload  = type value version checksum
//   type     = the byte before a key in an RDB file, and value = what follows the key
//              (rdb_format.h)
//   version  = that of the RDB format, 2 bytes, low one first
//   checksum = 8 bytes, low ones first, of all before (crc64.h)
//
// Pure: any thread.

/// How to write a payload.
struct DumpOptions {
  int version = 0;          ///< of the RDB format; 0: one that redis-server 7.0 reads
  bool compression = true;  ///< rdbcompression
  int64_t now_ms = 0;       ///< items that have expired by then are left out
};

/// The payload of a value. Has a newer version than `options` say if that cannot hold the value:
/// fields that expire take version 12. Empty if all items of the value have expired.
std::string DumpValue(const ValueView& value, const DumpOptions& options);

/// A payload whose version and checksum are right. Valid as long as its bytes.
struct DumpPayload {
  int version = 0;
  rdb::Dialect dialect = rdb::Dialect::kRedis;
  uint8_t type = 0;
  std::string_view value;  ///< for RdbDecoder
};

/// Reads the frame of a payload: Redis' versions up to 12 and Valkey's 80. kDataLoss: the version
/// or the checksum is wrong, or bytes are missing; the message has the words of Redis' error reply,
/// without its code.
absl::StatusOr<DumpPayload> ReadDumpPayload(std::string_view payload);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_DUMP_PAYLOAD_H_
