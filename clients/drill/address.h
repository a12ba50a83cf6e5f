#ifndef CLOAKROOM_CLIENTS_DRILL_ADDRESS_H_
#define CLOAKROOM_CLIENTS_DRILL_ADDRESS_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cloakroom::drill {

/// Where a server listens: a name or an address of IPv4 or IPv6, and a port. A plain value.
struct Address {
  std::string host;
  uint16_t port = 0;

  auto operator<=>(const Address&) const = default;
  bool operator==(const Address&) const = default;
};

/// Reads "host:port", or "[2001:db8::1]:6379". nullopt when the host is empty or the port is not
/// 1 to 65535.
std::optional<Address> ParseAddress(std::string_view text);
/// The same when host and port come apart, as in the replies of servers.
std::optional<Address> MakeAddress(std::string_view host, std::string_view port);

/// What ParseAddress() reads.
std::string ToText(const Address& address);

/// True for addresses that mean a different machine on each machine: 127.0.0.0/8, ::1, localhost.
bool IsLoopback(const Address& address);

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_ADDRESS_H_
