#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_COMBINE_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_COMBINE_H_

#include <cstdint>

namespace cloakroom {

/// What SINTER, SUNION and SDIFF, and the same of sorted sets, make of their inputs.
enum class Combine : uint8_t { kIntersection, kUnion, kDifference };

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_COMBINE_H_
