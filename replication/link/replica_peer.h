#ifndef CLOAKROOM_REPLICATION_LINK_REPLICA_PEER_H_
#define CLOAKROOM_REPLICATION_LINK_REPLICA_PEER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replication/link/peer_events.h"
#include "replication/link/replica_options.h"

namespace cloakroom {

/// What the primary knows of one replica, and what it does next: a state machine without I/O.
///
///   Client -> Online                                  PSYNC was granted
///   Client -> Waiting -> Streaming -> AwaitAck -> Online   the RDB is sent while it is made
///   Client -> Waiting -> FileWait -> SendFile -> Online    the RDB is sent from a file
///   any -> Gone
///
/// A replica gets the RDB of the instant P, then the stream from P on; its cursor stays at P until
/// then. What is sent while the RDB is made ends with a mark, and only the replica's first ACK
/// shows that it has seen the mark, so the stream waits for that. An event that has no meaning in a
/// state does nothing.
///
/// Replies and log lines are those of redis-server 7.0.15. Times are of one clock that does not
/// jump. Thread rule: the replication thread.
class ReplicaPeer {
 public:
  enum class State : uint8_t {
    kClient,    ///< no replica yet
    kWaiting,   ///< for the next snapshot's instant
    kFileWait,  ///< for the file
    kSendFile,
    kStreaming,  ///< the RDB, while it is made
    kAwaitAck,   ///< the whole RDB is sent
    kOnline,     ///< gets the stream
    kGone,
  };

  /// Bytes of the stream that are not sent at once wait for more, but no longer than this.
  static constexpr int64_t kGatherUs = 1000;
  static constexpr int64_t kGatherBytes = 64 << 10;

  /// `peer_ip`: its socket's address.
  ReplicaPeer(ReplicaOptions options, std::string peer_ip);

  [[nodiscard]] std::vector<PeerAction> On(const PeerEvent& event);

  State state() const { return state_; }
  const ReplicaOptions& options() const { return options_; }
  /// For log lines, and whether it is FAILOVER's target.
  std::string_view ip() const { return options_.Ip(peer_ip_); }
  std::string name() const { return options_.Name(peer_ip_); }
  /// INFO's state: "wait_bgsave", "send_bulk", "online"; "" if it is no replica.
  std::string_view state_name() const;
  /// Whether INFO calls it online and WAIT counts it.
  bool online() const { return state_ == State::kOnline || state_ == State::kAwaitAck; }
  /// Seconds since its last ACK; 0 unless it is online.
  int64_t LagS(int64_t now_ms) const;
  /// INFO's line, without its end: "slave0:ip=…,port=…,state=…,offset=…,lag=…".
  std::string InfoLine(size_t index, int64_t now_ms) const;

  /// The largest offsets that it has acknowledged to have executed, and to have on its disk.
  int64_t ack() const { return ack_; }
  int64_t fack() const { return fack_; }
  /// Where it continues to read the stream.
  int64_t cursor() const { return cursor_; }

 private:
  using Actions = std::vector<PeerAction>;
  using Kind = PeerAction::Kind;

  Actions Handle(const PeerGranted& granted);
  Actions Handle(const PeerFull& full);
  Actions Handle(const PeerSecond& second);
  Actions Handle(const PeerSnapshotRefused& refused);
  Actions Handle(const PeerInstant& instant);
  Actions Handle(const PeerFileReady& file);
  Actions Handle(const PeerSaveFailed& failed);
  Actions Handle(const PeerTaken& taken);
  Actions Handle(const PeerBlocked& blocked);
  Actions Handle(const PeerRdbSent& sent);
  Actions Handle(const PeerAck& ack);
  Actions Handle(const PeerPublished& published);
  Actions Handle(const PeerCommand& command);
  Actions Handle(const PeerOverLimit& limit);
  Actions Handle(const PeerDismissed& dismissed);
  Actions Handle(const PeerLost& lost);

  bool is_replica() const { return state_ != State::kClient && state_ != State::kGone; }
  bool sending_rdb() const { return state_ == State::kStreaming || state_ == State::kSendFile; }
  PeerAction Log(LinkLevel level, std::initializer_list<std::string_view> parts) const;
  void Leave(Actions& actions, Kind close);
  bool TimedOut(const PeerSecond& second) const;

  ReplicaOptions options_;
  std::string peer_ip_;
  State state_ = State::kClient;
  bool psync_ = true;  // false: it came by SYNC and never sends an ACK
  std::string mark_;   // ends the RDB in kStreaming
  int64_t cursor_ = 0;
  int64_t ack_ = 0;
  int64_t fack_ = 0;
  int64_t acked_at_ms_ = 0;
  std::optional<int64_t> blocked_since_ms_;    // its socket takes no byte of the RDB
  std::optional<int64_t> gathering_since_us_;  // bytes of the stream wait for more
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_LINK_REPLICA_PEER_H_
