#ifndef CLOAKROOM_REPLICATION_LINK_REPLICA_OPTIONS_H_
#define CLOAKROOM_REPLICATION_LINK_REPLICA_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cloakroom {

/// What a client has said about itself with REPLCONF, before or after it became a replica. A value.
struct ReplicaOptions {
  int32_t listening_port = 0;                  ///< 0: not said
  std::optional<std::string> ip_address = {};  ///< replica-announce-ip; at most 255 bytes
  bool capa_eof = false;                       ///< can read an RDB that ends with a mark
  bool capa_psync2 = false;                    ///< knows `+CONTINUE <id>`
  bool rdb_only = false;                       ///< wants no stream behind the RDB
  bool exclude_data = false;                   ///< rdb-filter-only: no keys in the RDB
  bool exclude_functions = false;              ///< rdb-filter-only: no functions either
  /// Of a Valkey from 8.0 on: 0x080100 is 8.1.0. 0: not said.
  int32_t version = 0;

  bool filtered() const { return exclude_data || exclude_functions; }
  /// INFO's ip: what it announced, else its socket's address.
  std::string_view Ip(std::string_view peer_ip) const {
    return ip_address ? std::string_view(*ip_address) : peer_ip;
  }
  /// What log lines call it: "10.0.0.2:6379", "[::1]:6379", "10.0.0.2:<unknown-replica-port>".
  std::string Name(std::string_view peer_ip) const;

  friend bool operator==(const ReplicaOptions&, const ReplicaOptions&) = default;
};

/// "host:port", with brackets around an IPv6 address.
std::string HostAndPort(std::string_view host, int64_t port);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_LINK_REPLICA_OPTIONS_H_
