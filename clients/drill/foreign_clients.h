#ifndef CLOAKROOM_CLIENTS_DRILL_FOREIGN_CLIENTS_H_
#define CLOAKROOM_CLIENTS_DRILL_FOREIGN_CLIENTS_H_

#include <string>
#include <string_view>
#include <vector>

namespace cloakroom::drill {

/// A line of CLIENT LIST.
struct ClientLine {
  std::string id;
  std::string address;
  std::string name;
  std::string flags;
  std::string command;

  /// A replica, the primary, a Sentinel, or the drill itself.
  bool is_expected() const;
};

std::vector<ClientLine> ReadClientList(std::string_view text);

/// Which clients there may be among those of several looks at one server, oldest look first.
enum class Looks {
  kAny,    ///< one that was there in any look, such as a page's short visit
  kLast2,  ///< one that stayed from the last look but one to the last: the drill's own clients
           ///< have no name yet for a moment
};

/// Those that are not expected. A client that gives its name later, as a Sentinel does after it has
/// connected, is none. Pure.
std::vector<ClientLine> ForeignClients(const std::vector<std::vector<ClientLine>>& looks,
                                       Looks which);

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_FOREIGN_CLIENTS_H_
