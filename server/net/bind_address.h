#ifndef CLOAKROOM_SERVER_NET_BIND_ADDRESS_H_
#define CLOAKROOM_SERVER_NET_BIND_ADDRESS_H_

#include <boost/asio/ip/address.hpp>
#include <optional>
#include <string>
#include <vector>

namespace cloakroom {

/// One word of 'bind'.
struct BindAddress {
  std::string name;       // an address or a host name
  bool optional = false;  // written with a dash: it need not exist on this machine
};

/// What the words of 'bind' mean: `*` and `::*` are all addresses of their kind; no words mean
/// both.
std::vector<BindAddress> BindAddresses(const std::vector<std::string>& words);

/// The first address that a name resolves to. Blocks on the resolver, unless the name is an
/// address.
std::optional<boost::asio::ip::address> Resolved(const std::string& name);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_BIND_ADDRESS_H_
