#ifndef CLOAKROOM_REPLICATION_LINK_LINK_ERRORS_H_
#define CLOAKROOM_REPLICATION_LINK_LINK_ERRORS_H_

namespace cloakroom {

/// The error reply to an argument that has to be an integer and is none, in Redis' words.
inline constexpr char kNoInteger[] = "ERR value is not an integer or out of range";

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_LINK_LINK_ERRORS_H_
