#ifndef CLOAKROOM_SERVER_SCRIPT_SHA1_H_
#define CLOAKROOM_SERVER_SCRIPT_SHA1_H_

#include <string>
#include <string_view>

namespace cloakroom {

// SHA1 (FIPS 180-4), the name of a script. Not for secrets.

/// 40 lower-case hex digits.
std::string Sha1Hex(std::string_view data);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_SHA1_H_
