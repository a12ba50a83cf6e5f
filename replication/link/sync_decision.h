#ifndef CLOAKROOM_REPLICATION_LINK_SYNC_DECISION_H_
#define CLOAKROOM_REPLICATION_LINK_SYNC_DECISION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replication/link/link_line.h"
#include "replication/link/replica_options.h"
#include "replication/link/replication_history.h"

namespace cloakroom {

/// A SYNC, or a PSYNC with its words as they came.
struct SyncRequest {
  bool psync = true;            ///< false: SYNC, without an id and an offset
  std::string_view id;          ///< "?" asks for a full sync
  std::string_view offset;      ///< of the first byte that it wants
  bool failover = false;        ///< PSYNC's third word is FAILOVER
  ReplicaOptions options;       ///< what the client has said about itself
  std::string_view peer_ip;     ///< its socket's address
  std::string_view client;      ///< its line of CLIENT LIST, for the server log
  bool is_replica = false;      ///< a replica already, or in MONITOR
  bool pending_output = false;  ///< replies to it are unsent, even after a flush
};

/// What the server is at that moment.
struct SyncServer {
  bool is_replica = false;
  bool link_up = false;  ///< of a replica: the link to its primary is connected
  bool failing_over = false;
  StreamExtent stream;
  int64_t backlog_size = 0;  ///< repl-backlog-size
};

/// The answer to a SYNC or PSYNC.
struct SyncDecision {
  enum class Kind : uint8_t {
    kNothing,   ///< no reply at all
    kError,     ///< `error`
    kPromote,   ///< become a primary, log `promoted`, and decide again without `failover`
    kContinue,  ///< `reply`; then the stream from `position`
    kFull,      ///< wait for the next full sync, which says +FULLRESYNC itself
  };
  /// Why a full sync and not a partial one.
  enum class Reason : uint8_t {
    kNone,           ///< it is no full sync
    kWanted,         ///< SYNC, or an id that begins with ?
    kOtherId,        ///< the id is neither id1 nor id2
    kBeyondId2,      ///< it has bytes of id2 that we do not have
    kNoBacklog,      ///< the backlog is off
    kBeforeBacklog,  ///< the backlog does not reach back that far
    kBehindTail,     ///< we do not have that byte yet
  };

  Kind kind = Kind::kNothing;
  Reason reason = Reason::kNone;
  std::string error;  ///< with its code
  std::string reply;  ///< the whole line, with its end
  int64_t position = 0;
  std::vector<LinkLine> lines;       ///< in their order
  std::optional<LinkLine> promoted;  ///< of kPromote

  /// What to add to INFO's sync_full, sync_partial_ok and sync_partial_err.
  bool sync_full = false;
  bool sync_partial_ok = false;
  bool sync_partial_err = false;
};

/// Decides as redis-server 7.0.15 does, in its order; replies, errors and log lines are its own,
/// and one line more says by how many bytes the backlog is too small. Grants only what lies between
/// the backlog's first byte and the one behind the tail. A pure function; any thread. REQUIRES: the
/// stream and the history stand still, or the caller decides again when they have moved.
SyncDecision DecideSync(const ReplicationHistory& history, const SyncRequest& request,
                        const SyncServer& server);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_LINK_SYNC_DECISION_H_
