#ifndef CLOAKROOM_REPLICATION_LINK_REPLCONF_H_
#define CLOAKROOM_REPLICATION_LINK_REPLCONF_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "replication/link/replica_options.h"

namespace cloakroom {

/// What a REPLCONF asks for, besides the options that it sets.
struct Replconf {
  enum class Reply : uint8_t {
    kOk,
    kError,
    kNone,  ///< ACK and GETACK are never answered
  };

  Reply reply = Reply::kOk;
  std::string error = {};  ///< with its code: "ERR ..."; of kError
  /// A well-formed ACK came: the replica lives.
  bool acked = false;
  std::optional<int64_t> ack = {};   ///< it has executed the stream up to this offset
  std::optional<int64_t> fack = {};  ///< its log has it on the disk up to this one (Redis 7.2)
  /// GETACK: a replica is to send its ACK now; others do nothing.
  bool getack = false;
};

/// Executes the pairs of REPLCONF as redis-server 7.0.15 does, from left to right until one is
/// refused or is an ACK or GETACK; those before it stay in force. Beyond 7.0 it knows FACK (Redis
/// 7.2) and VERSION (Valkey 8).
///
/// `pairs` are the words behind REPLCONF. `is_replica`: PSYNC or SYNC was answered; the ACK of
/// another client is ignored. Pure; any thread.
Replconf ReadReplconf(std::span<const std::string_view> pairs, bool is_replica,
                      ReplicaOptions& options);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_LINK_REPLCONF_H_
