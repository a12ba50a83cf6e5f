#ifndef CLOAKROOM_REPLICATION_LINK_LINK_LINE_H_
#define CLOAKROOM_REPLICATION_LINK_LINK_LINE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace cloakroom {

/// The levels of the server log that replication uses.
enum class LinkLevel : uint8_t { kNotice, kWarning };

/// A line for the server log. The pure parts of replication return such lines, and the caller logs
/// them in their order, without a lock.
struct LinkLine {
  static LinkLine Notice(std::string text) { return {LinkLevel::kNotice, std::move(text)}; }
  static LinkLine Warning(std::string text) { return {LinkLevel::kWarning, std::move(text)}; }

  LinkLevel level = LinkLevel::kNotice;
  std::string text;

  friend bool operator==(const LinkLine&, const LinkLine&) = default;
};

/// The bytes before the first NUL. Redis prints what a client sent as a C string, so that its
/// replies and log lines end there.
inline std::string_view BeforeNul(std::string_view text) { return text.substr(0, text.find('\0')); }

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_LINK_LINK_LINE_H_
