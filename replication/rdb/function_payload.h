#ifndef CLOAKROOM_REPLICATION_RDB_FUNCTION_PAYLOAD_H_
#define CLOAKROOM_REPLICATION_RDB_FUNCTION_PAYLOAD_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace cloakroom {

// What FUNCTION DUMP replies and FUNCTION RESTORE reads, interchangeable with Redis:
//
//   payload = (kFunction source)… version checksum
//
// A source is a string of the RDB format; the version of that format has 2 bytes, least first, and
// the checksum 8 bytes of all before (crc64.h). Any thread.

/// `compression`: as for RDB files, rdbcompression.
std::string FunctionPayload(const std::vector<std::string_view>& sources, bool compression);

/// The sources of a payload. An error has the words of Redis' error reply, without its code.
absl::StatusOr<std::vector<std::string>> ReadFunctionPayload(std::string_view payload);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_FUNCTION_PAYLOAD_H_
