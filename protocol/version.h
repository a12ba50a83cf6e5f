#ifndef CLOAKROOM_PROTOCOL_VERSION_H_
#define CLOAKROOM_PROTOCOL_VERSION_H_

namespace cloakroom {

/// Cloakroom's own version.
inline constexpr char kCloakroomVersion[] = "0.1.0";
/// The Redis version whose commands and replies we speak; clients choose features by it.
inline constexpr char kRedisVersion[] = "7.2.4";

}  // namespace cloakroom

#endif  // CLOAKROOM_PROTOCOL_VERSION_H_
