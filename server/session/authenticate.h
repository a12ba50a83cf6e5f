#ifndef CLOAKROOM_SERVER_SESSION_AUTHENTICATE_H_
#define CLOAKROOM_SERVER_SESSION_AUTHENTICATE_H_

#include <string>
#include <string_view>

#include "server/config/config_store.h"

namespace cloakroom {

/// The only user.
inline constexpr std::string_view kDefaultUser = "default";

/// Whether clients need no password.
inline bool NeedsNoPassword(const ConfigStore& config) {
  return config.Text("requirepass").empty();
}

/// Whether the password is this user's. Takes as long for a wrong one as for a right one of the
/// same length. Any thread.
inline bool PasswordIsRight(const ConfigStore& config, std::string_view user,
                            std::string_view password) {
  if (user != kDefaultUser) return false;
  std::string right = config.Text("requirepass");
  if (right.empty()) return true;
  unsigned difference = right.size() == password.size() ? 0 : 1;
  for (size_t i = 0; i < password.size(); ++i) {
    difference |= static_cast<unsigned char>(password[i]) ^
                  static_cast<unsigned char>(right[i % right.size()]);
  }
  return difference == 0;
}

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SESSION_AUTHENTICATE_H_
