#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_STRING_SIZE_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_STRING_SIZE_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "server/execution/call.h"

namespace cloakroom {

/// How long a string may grow, in bytes: proto-max-bulk-len, and what a Blob can hold.
uint64_t MaxStringSize(Call& call);

/// Whether a string of this size may be; when not, the error has been replied.
bool CheckStringSize(Call& call, uint64_t size);

/// An argument that names a bit, from 0 to the last one of the longest string. With a `width`, "#3"
/// stands for the third field of so many bits. When it is none, the error has been replied.
std::optional<uint64_t> BitOffset(Call& call, size_t i, int width = 0);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_STRING_SIZE_H_
