#ifndef CLOAKROOM_SERVER_SCRIPT_SHA1_H_
#define CLOAKROOM_SERVER_SCRIPT_SHA1_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace cloakroom {

// SHA1 (FIPS 180-4): the name of a script, and DEBUG DIGEST. Not for secrets.

using Sha1Bytes = std::array<uint8_t, 20>;

Sha1Bytes Sha1(std::string_view data);
/// 40 lower-case hex digits.
std::string Sha1Hex(std::string_view data);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_SHA1_H_
