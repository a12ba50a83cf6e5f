#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_STRING_SIZE_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_STRING_SIZE_H_

#include <cstddef>
#include <cstdint>

#include "server/execution/arguments.h"

namespace cloakroom {

/// The maximum size of a string in bytes, by proto-max-bulk-len and by what a Blob can hold.
uint64_t MaxStringSize(Call& call);

/// Whether a string of this size is allowed. If not, replies with the error.
bool CheckStringSize(Call& call, uint64_t size);

/// Takes a bit's offset, from 0 to the last bit of the longest string. With a `width`, "#3" means
/// field 3, counted from 0, of that many bits.
uint64_t TakeBitOffset(Arguments& args, int width = 0);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_STRING_SIZE_H_
