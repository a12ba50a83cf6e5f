#ifndef CLOAKROOM_TESTS_SERVER_SUPPORT_REPLIES_H_
#define CLOAKROOM_TESTS_SERVER_SUPPORT_REPLIES_H_

#include <string>
#include <string_view>
#include <vector>

namespace cloakroom {

/// A bulk string as a server sends it.
inline std::string Bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

/// A flat array of bulk strings.
inline std::string Bulks(const std::vector<std::string>& items) {
  std::string reply = "*" + std::to_string(items.size()) + "\r\n";
  for (const std::string& item : items) reply += Bulk(item);
  return reply;
}

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_SERVER_SUPPORT_REPLIES_H_
