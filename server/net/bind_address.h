#ifndef CLOAKROOM_SERVER_NET_BIND_ADDRESS_H_
#define CLOAKROOM_SERVER_NET_BIND_ADDRESS_H_

#include <boost/asio/ip/address.hpp>
#include <optional>
#include <string>
#include <vector>

namespace cloakroom {

/// One word of 'bind'.
struct BindAddress {
  std::string name;       // an address or a host's name
  bool optional = false;  // a dash before it: it need not exist on this machine
};

/// What the words of 'bind' mean: `*` and `::*` are all addresses of their kind, and no word at all
/// is both.
std::vector<BindAddress> BindAddresses(const std::vector<std::string>& words);

/// The address that a name stands for, the first of several. Blocks on the resolver for what is no
/// address.
std::optional<boost::asio::ip::address> Resolved(const std::string& name);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_BIND_ADDRESS_H_
