#include "replication/link/replica_options.h"

#include "protocol/text.h"
#include "replication/link/link_line.h"

namespace cloakroom {

std::string HostAndPort(std::string_view host, int64_t port) {
  const bool ipv6 = host.find(':') != host.npos;
  return Concat({ipv6 ? "[" : "", host, ipv6 ? "]:" : ":", std::to_string(port)});
}

std::string ReplicaOptions::Name(std::string_view peer_ip) const {
  const std::string_view ip = BeforeNul(Ip(peer_ip));
  if (listening_port == 0) return Concat({ip, ":<unknown-replica-port>"});
  return HostAndPort(ip, listening_port);
}

}  // namespace cloakroom
