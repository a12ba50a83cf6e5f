// SHA1 (FIPS 180-4), the name of a script. Not for secrets.
#pragma once

#include <string>
#include <string_view>

namespace cloakroom {

// 40 lower-case hex digits.
std::string Sha1Hex(std::string_view data);

}  // namespace cloakroom
