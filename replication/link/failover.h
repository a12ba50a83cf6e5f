#ifndef CLOAKROOM_REPLICATION_LINK_FAILOVER_H_
#define CLOAKROOM_REPLICATION_LINK_FAILOVER_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "replication/link/link_line.h"
#include "storage/base/clock.h"

namespace cloakroom {

/// A replica, as FAILOVER sees it.
struct FailoverReplica {
  std::string_view ip;  ///< as INFO shows it
  int64_t port = 0;
  bool online = false;
  int64_t ack = 0;
};

/// A server's address, as REPLICAOF takes it.
struct FailoverTarget {
  std::string host;
  int64_t port = 0;

  friend bool operator==(const FailoverTarget&, const FailoverTarget&) = default;
};

/// The words behind FAILOVER.
struct FailoverRequest {
  bool abort = false;  ///< alone
  std::optional<FailoverTarget> target;
  bool force = false;
  int64_t timeout_ms = 0;  ///< 0: none

  /// kInvalidArgument: the words are wrong. The message is the error reply, with its code.
  static absl::StatusOr<FailoverRequest> Read(std::span<const std::string_view> words);
};

/// What the server does, in the order of the list.
struct FailoverAction {
  enum class Kind : uint8_t {
    kPauseWrites,  ///< before any gate opens: the stream must not grow
    kAskForAcks,   ///< REPLCONF GETACK to all replicas
    kReplicaOf,    ///< become a replica of `target`, with PSYNC … FAILOVER
    kPromote,      ///< become a primary again
    kResume,       ///< end the pause
    kLog,          ///< `line`
  };

  Kind kind;
  FailoverTarget target = {};
  LinkLine line = {};

  friend bool operator==(const FailoverAction&, const FailoverAction&) = default;
};

/// FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT ms]: a primary changes roles with a replica
/// without losing a write. It stops writes, waits until the replica has executed the whole stream,
/// and asks it, with PSYNC … FAILOVER, to be the primary. A state machine without I/O.
///
///   no-failover -> waiting-for-sync -> failover-in-progress -> no-failover
///
/// Errors, log lines and their order are those of redis-server 7.0.15. A replica that is not online
/// is never chosen. Once in progress nothing but an answer of the replica or ABORT ends it, since
/// nobody else can know whether the replica was promoted. Thread rule: the owner's.
class Failover {
 public:
  enum class State : uint8_t { kNone, kWaitingForSync, kInProgress };

  /// FAILOVER, while all gates are closed. `tail`: the offset of the stream's last byte. The reply
  /// is OK, or that of the error. kFailedPrecondition: the request is refused, and nothing has
  /// changed; the message is the error reply, with its code.
  absl::StatusOr<std::vector<FailoverAction>> Start(const FailoverRequest& request, bool is_replica,
                                                    std::span<const FailoverReplica> replicas,
                                                    int64_t tail, int64_t now_ms);

  /// A replica has sent an ACK, or a deadline may have come: asks for `replicas` as they are now.
  /// `tail` may have grown by what a pause does not stop.
  [[nodiscard]] std::vector<FailoverAction> Check(std::span<const FailoverReplica> replicas,
                                                  int64_t tail, int64_t now_ms);
  /// When to call Check() although no ACK came; kNever if not at all.
  int64_t deadline_ms() const { return deadline_ms_; }

  /// What came of PSYNC … FAILOVER.
  [[nodiscard]] std::vector<FailoverAction> PsyncAccepted();
  [[nodiscard]] std::vector<FailoverAction> PsyncRejected();
  [[nodiscard]] std::vector<FailoverAction> PsyncNotSent();

  State state() const { return state_; }
  bool active() const { return state_ != State::kNone; }
  /// INFO's master_failover_state.
  std::string_view state_name() const;

 private:
  using Actions = std::vector<FailoverAction>;

  bool Synced(const FailoverReplica& replica, int64_t tail) const;
  Actions Begin(std::string why);
  Actions Abort(std::string_view why);
  Actions End();

  State state_ = State::kNone;
  std::optional<FailoverTarget> target_;
  bool force_ = false;
  int64_t deadline_ms_ = kNever;
  int64_t goal_ = 0;  // the offset that the target must have executed
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_LINK_FAILOVER_H_
