#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_STRING_SIZE_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_STRING_SIZE_H_

#include <cstddef>
#include <cstdint>

#include "server/execution/arguments.h"

namespace cloakroom {

/// How long a string may grow, in bytes: proto-max-bulk-len, and what a Blob can hold.
uint64_t MaxStringSize(Call& call);

/// Whether a string of this size may be; when not, the error has been replied.
bool CheckStringSize(Call& call, uint64_t size);

/// Takes an argument that names a bit, from 0 to the last one of the longest string. With a
/// `width`, "#3" stands for the third field of so many bits.
uint64_t TakeBitOffset(Arguments& args, int width = 0);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_STRING_SIZE_H_
