#ifndef CLOAKROOM_REPLICATION_LINK_PRIMARY_LINK_H_
#define CLOAKROOM_REPLICATION_LINK_PRIMARY_LINK_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "replication/link/primary_link_action.h"
#include "replication/link/replication_history.h"
#include "replication/link/reply_line.h"

namespace cloakroom {

/// The directives that the link obeys. A change takes effect when the link next needs the value.
struct PrimaryLinkSettings {
  std::string user;             ///< masteruser; empty: the default user
  std::string password;         ///< masterauth; empty: no AUTH
  std::string announced_ip;     ///< replica-announce-ip; empty: the primary takes the socket's
  int announced_port = 0;       ///< replica-announce-port, or the port we listen at
  int64_t timeout_ms = 60'000;  ///< repl-timeout
  SyncLoad load = SyncLoad::kDisk;
};

/// What REPLICAOF says.
struct PrimaryAddress {
  std::string host;
  int port = 0;
};

/// What INFO replication says of the link.
struct PrimaryLinkInfo {
  bool up = false;                   ///< master_link_status
  int64_t last_io_seconds_ago = -1;  ///< master_last_io_seconds_ago; -1 unless up
  int64_t down_since_seconds = -1;   ///< master_link_down_since_seconds; -1 if it never was up
  bool syncing = false;              ///< master_sync_in_progress; if so, the rest is shown
  int64_t sync_total_bytes = -1;     ///< -1 before the transfer begins, 0 if its length is unknown
  int64_t sync_read_bytes = 0;       ///< master_sync_read_bytes
  int64_t sync_left_bytes = -1;      ///< total less read, even if the total is unknown
  double sync_percent = 0;           ///< master_sync_perc; -0.0 before the transfer begins
  int64_t sync_last_io_seconds_ago = 0;  ///< master_sync_last_io_seconds_ago
};

/// The replica's end of a link to its primary, with the messages and log lines of redis-server
/// 7.0.15. A state machine without a socket: the owner reports events, and does the actions that
/// they return, in order. An event that does not fit the state (the result of an attempt that was
/// given up) changes nothing. The results do not depend on how the primary's bytes are cut:
///
///   while (!bytes.empty()) {
///     switch (link.bytes_to()) {
///       case kLink:     Do(link.Receive(bytes, now_ms));  // removes what it used
///       case kReceiver: receiver->Receive(...); Do(link.TransferReceived(...));
///       case kStream:   ... append them to the stream ...; link.StreamReceived(now_ms);
///       case kNobody:   ... keep the rest for later, or drop it if the socket was closed ...
///     }
///   }
///
/// After a full sync that failed it connects again at once, after other failures a second after the
/// last attempt; never more often than once a second. But if a stream is lost and may be continued,
/// it connects at once even so, up to kMostAtOnce times in a row: a primary that is a replica
/// closes its own replicas each time its stream gets another ID, and who misses two IDs needs a
/// full sync. Tick() is due ten times a second, and must come at least once. Keeps at most 1 KB of
/// what the primary sends.
///
/// Times are milliseconds that never go back, from any start. Not thread safe.
class PrimaryLink {
 public:
  enum class State : uint8_t {
    kOff,         ///< no primary
    kConnect,     ///< between two attempts
    kConnecting,  ///< looking up the name, or connecting
    kPing,        ///< waiting for the answer to PING
    kReplies,     ///< for those to AUTH and REPLCONF
    kPsync,       ///< for that to PSYNC
    kHeader,      ///< for the beginning of a full sync's transfer
    kTransfer,    ///< receiving it
    kLoading,     ///< it is whole, and is loaded
    kConnected,   ///< the stream flows
  };
  /// Who is to get the primary's next bytes.
  enum class BytesTo : uint8_t { kNobody, kLink, kReceiver, kStream };

  static constexpr int64_t kRetryMs = 1000;
  static constexpr int kMostAtOnce = 8;
  static constexpr int64_t kAckEveryMs = 1000;

  explicit PrimaryLink(PrimaryLinkSettings settings = {}) : settings_(std::move(settings)) {}

  void set_settings(PrimaryLinkSettings settings) { settings_ = std::move(settings); }

  /// The offset up to which the stream is applied, and if known that up to which it is on the disk:
  /// for ACKs, and for PSYNC after a loss.
  void set_progress(int64_t applied, std::optional<int64_t> synced_to_disk);

  /// REPLICAOF host port, in any state: connects to another primary. `cached` is the place up to
  /// which our data is, if any primary may know it. `failover`: says PSYNC ... FAILOVER.
  PrimaryLinkActions Start(PrimaryAddress primary, std::optional<HistoryPoint> cached,
                           bool failover, int64_t now_ms);
  /// REPLICAOF NO ONE, in any state.
  PrimaryLinkActions Stop();

  PrimaryLinkActions Tick(int64_t now_ms);

  PrimaryLinkActions Resolved(uint64_t attempt, const absl::Status& result, int64_t now_ms);
  PrimaryLinkActions Connected(uint64_t attempt, const absl::Status& result, int64_t now_ms);
  /// The socket failed, or the primary closed it: then `error` is empty.
  PrimaryLinkActions ConnectionLost(std::string_view error, int64_t now_ms);

  /// Removes from `bytes` what belongs to replies; nothing unless bytes_to() is kLink.
  PrimaryLinkActions Receive(std::string_view& bytes, int64_t now_ms);

  /// The receiver took this many bytes; `done` as it says.
  PrimaryLinkActions TransferReceived(size_t bytes, bool done, int64_t now_ms);
  /// The file cannot be written; also while it is loaded, as far as the link knows.
  PrimaryLinkActions TransferFailed(const absl::Status& error, int64_t now_ms);
  PrimaryLinkActions LoadDone(int64_t now_ms);
  PrimaryLinkActions LoadFailed(const absl::Status& error, int64_t now_ms);

  /// Bytes of the stream came; or none could, since the owner itself does not read.
  void StreamReceived(int64_t now_ms);
  /// RecordReader's error. No primary is asked to go on from here: a full sync follows.
  PrimaryLinkActions StreamBroken(const absl::Status& error, int64_t now_ms);
  /// The stream said GETACK. As in Redis the progress does not count the bytes of that yet.
  PrimaryLinkActions AnswerGetAck();

  State state() const { return state_; }
  BytesTo bytes_to() const;
  /// As ROLE names it: "none", "connect", "connecting", "handshake", "sync", "connected".
  std::string_view role_state() const;
  PrimaryLinkInfo Info(int64_t now_ms) const;
  const PrimaryAddress& primary() const { return primary_; }
  /// Of a full sync under way: the place that its data will be at, if the primary named one.
  const std::optional<HistoryPoint>& sync_point() const { return sync_point_; }

 private:
  /// When to connect again, and what the log says then.
  enum class Retry : uint8_t { kLater, kAfterFailure, kAfterLoss };
  enum class Reply : uint8_t { kAuth, kPort, kIp, kCapa };

  PrimaryLinkActions TakeActions();
  void Do(PrimaryLinkAction action) { actions_.push_back(std::move(action)); }
  void Notice(std::string text) { Do(LinkLine::Notice(std::move(text))); }
  void Warn(std::string text) { Do(LinkLine::Warning(std::move(text))); }
  void Send(std::initializer_list<std::string_view> arguments);

  void Attempt();
  void Leave();
  void Close();
  void RetryAfter(Retry retry);
  void ForgetHistory();
  bool TimedOut() const { return now_ms_ - last_io_ms_ > settings_.timeout_ms; }

  // One per kind of line.
  void OnLine(std::string_view line);
  void OnPingReply(std::string_view line);
  void OnHandshakeReply(std::string_view line);
  void OnPsyncReply(std::string_view line);
  void OnHeader(std::string_view line);
  void NoReply(std::string_view error);

  void SendHandshake();
  void SendPsync();
  void SendAck();
  void SendNewline();
  void FullSync(std::string_view line);
  void Continue(std::string_view line);
  void FallBackToSync(std::string_view line);
  void AwaitHeader();
  void OpenReceiver(const SyncSize& size);
  void EnterConnected();

  PrimaryLinkSettings settings_;
  PrimaryAddress primary_;
  State state_ = State::kOff;
  PrimaryLinkActions actions_;  // of the present event

  int64_t now_ms_ = 0;
  int64_t last_io_ms_ = 0;
  int64_t attempt_ms_ = 0;  // when the last attempt began
  int at_once_ = 0;         // how many in a row came less than kRetryMs after the one before
  uint64_t attempt_ = 0;
  Retry retry_ = Retry::kLater;
  std::optional<int64_t> down_since_ms_;
  int64_t beat_ms_ = 0;  // when the next ACK or newline is due

  ReplyLine line_;
  std::vector<Reply> replies_;  // to come, the last one first
  bool socket_open_ = false;
  bool failover_ = false;  // the next PSYNC says FAILOVER
  bool acks_ = false;      // the primary understands them

  // The history that the data belongs to, if a primary may know it.
  std::optional<ReplicationId> id_;
  int64_t applied_ = 0;
  std::optional<int64_t> synced_to_disk_;

  std::optional<HistoryPoint> sync_point_;  // of the full sync under way
  SyncLoad load_ = SyncLoad::kDisk;
  int64_t sync_total_ = -1;
  int64_t sync_read_ = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_LINK_PRIMARY_LINK_H_
