#ifndef CLOAKROOM_SERVER_SESSION_CLIENT_NAMES_H_
#define CLOAKROOM_SERVER_SESSION_CLIENT_NAMES_H_

#include <algorithm>
#include <string>
#include <string_view>

#include "server/session/client.h"

namespace cloakroom {

inline constexpr std::string_view kBadClientName =
    "ERR Client names cannot contain spaces, newlines or special characters.";

/// Whether a text may be part of a CLIENT LIST line: empty, or printable ASCII without spaces.
inline bool FitsClientList(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '!' && c <= '~'; });
}

/// "" removes the name. REQUIRES: FitsClientList(name).
inline void SetClientName(Client& client, std::string_view name) {
  MutexLock lock(client.mutex);
  client.name = std::string(name);
}

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SESSION_CLIENT_NAMES_H_
