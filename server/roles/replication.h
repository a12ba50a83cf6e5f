#ifndef CLOAKROOM_SERVER_ROLES_REPLICATION_H_
#define CLOAKROOM_SERVER_ROLES_REPLICATION_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "replication/files/files.h"
#include "replication/link/ack_board.h"
#include "replication/link/discarded_tail.h"
#include "replication/link/failover.h"
#include "replication/link/primary_link.h"
#include "replication/link/replication_history.h"
#include "replication/link/sync_decision.h"
#include "replication/stream/change_stream.h"
#include "server/persistence/history_places.h"
#include "server/roles/primary_stream.h"
#include "server/roles/record_runner.h"
#include "storage/base/mutex.h"

namespace cloakroom {

class Server;
class SocketStream;
struct Client;

/// A client that has asked to become a replica (PSYNC, SYNC), with its socket.
struct NewReplica {
  std::unique_ptr<SocketStream> stream;
  std::shared_ptr<Client> client;  ///< fresh, and in no registry yet
  std::string unparsed;            ///< what came behind its request
  bool psync = true;
  std::string id;
  std::string offset;
  bool failover = false;
};

/// What INFO and ROLE say about a replica.
struct ReplicaFacts {
  std::string line;  ///< of INFO, without its end
  std::string ip;
  int port = 0;
  int64_t acked = 0;  ///< the offset that it has acknowledged
  bool online = false;
};

/// What INFO and ROLE say about the link to our primary.
struct LinkFacts {
  PrimaryLinkInfo info;
  std::string role_state = "connect";
};

/// What this server is to others: a primary, or a replica of another server. It knows the history
/// of its stream, what its replicas have acknowledged, and whether there are enough of them. The
/// sockets of the replicas and of the primary are net's (Transport).
///
/// A role changes only while all gates are closed, so no write slips behind a change: who has a
/// hold and then finds that writes are not refused may write.
///
/// Thread rule: any thread, except where a comment names one.
class Replication final : public HistoryPlaces, private StreamReader {
 public:
  /// The number of a role's turn: another one each time that REPLICAOF changes something.
  using Turn = uint64_t;
  /// Whose replica this server is to be.
  struct Following {
    PrimaryAddress primary;
    std::optional<HistoryPoint> cached;  ///< where it may continue
    bool failover = false;               ///< asks it to become a primary
    Turn turn = 0;
  };

  /// Serves the replicas, and the link to the primary.
  class Transport {
   public:
    virtual ~Transport() = default;
    /// Begins a link to the primary, in place of any other. Any thread.
    virtual void Follow(Following following) = 0;
    /// Ends the link. Any thread.
    virtual void Unfollow() = 0;
    /// The primary has asked for an ACK of this position. Any thread.
    virtual void AnswerAck(int64_t position) = 0;
    /// The applier has room for more of the primary's stream. Any thread.
    virtual void ReadPrimary() = 0;
    /// The primary sends no stream of commands. Any thread.
    virtual void StreamBroken(absl::Status error) = 0;
    /// Answers the request, and from then on owns the client. Any thread.
    virtual void Adopt(NewReplica replica) = 0;
    /// There are new bytes in the stream, and it listened. Any thread; must be quick.
    virtual void StreamMoved() = 0;
    /// Somebody waits for ACKs: asks all replicas for one. Any thread.
    virtual void RequestAcks() = 0;
    /// Somebody waits for our own log: calls NoteSynced() from now on. Any thread.
    virtual void WatchLog() = 0;
    /// Closes all replicas, which will come back. Any thread.
    virtual void Dismiss() = 0;
  };

  /// `runners` is called when the server first becomes a replica.
  Replication(Server& server, Files& files, RecordRunnerFactory runners);
  ~Replication() override;
  Replication(const Replication&) = delete;
  Replication& operator=(const Replication&) = delete;

  /// Set before the first command; null when no command runs any more.
  void set_transport(Transport* transport) { transport_.store(transport); }
  Transport* transport() { return transport_.load(); }

  // ---- what commands need

  /// The answer to SYNC or PSYNC as things stand; nothing is noted.
  SyncDecision Foresee(const SyncRequest& request) const;
  AckBoard& board() { return board_; }
  /// Tells the board how far our own log is on the disk.
  void NoteSynced();
  /// The offset of the place behind `position` in the stream.
  int64_t OffsetAt(int64_t position) const;
  /// Whether anything is refused. One load, as each of the next three.
  bool refuses_any() const { return refusals_.load(std::memory_order_relaxed) != 0; }
  /// min-replicas-to-write refuses writes.
  bool too_few_replicas() const { return Refuses(kTooFew); }
  /// This server is a replica whose clients may not write.
  bool read_only() const { return Refuses(kReadOnly); }
  /// This server is a replica with old data, which it is not to serve.
  bool stale() const { return Refuses(kStaleData); }

  // ---- roles

  bool is_replica() const { return is_replica_.load(std::memory_order_relaxed); }
  /// Whether this server was a primary when the client connected, and is a replica now.
  bool demoted_since(uint64_t client_id) const {
    return client_id < demoted_at_id_.load(std::memory_order_relaxed);
  }
  /// nullopt: this server is a primary.
  std::optional<PrimaryAddress> primary() const;
  /// REPLICAOF host port. Requests that are blocked get an error, and their clients are closed.
  /// `failover`: asks the primary, which is a replica, to become one. `hold` closes all gates.
  /// REQUIRES: it is not a replica of that server already.
  void BecomeReplica(Hold& hold, PrimaryAddress primary, bool failover = false);
  /// REPLICAOF NO ONE. First applies what was received from the primary. `hold` closes all gates.
  void BecomePrimary(Hold& hold);
  /// FAILOVER: changes roles with a replica (link/failover.h). An error has its code. `hold` closes
  /// all gates.
  absl::Status Fail(const FailoverRequest& request, Hold& hold);
  /// A failover is under way.
  bool failing_over() const { return failing_over_.load(std::memory_order_relaxed); }

  // HistoryPlaces.
  void AddFields(RdbAuxFields* fields) override;
  void NoteField(std::string_view name, std::string_view value) override;
  void TakeUpFields() override;
  void TakeUp(const std::optional<AofPlace>& place) override;
  /// Becomes what `replicaof` says.
  void BeginRole(Hold& hold) override;
  void Seal() override;
  void Unseal() override;
  /// The offset that replicas must have, so that nothing is lost with this server.
  int64_t last_offset() const;

  /// No replica may continue from here: the stream has another name. `log_agrees`: the log still
  /// holds the data; otherwise nobody may continue from the log either, until it is rewritten.
  void ForgetHistory(bool log_agrees = true);
  struct Figures {
    ReplicationId id1;
    ReplicationId id2;
    std::optional<PrimaryAddress> primary;
    bool diverged = false;
    std::string_view failover;  ///< its state, as INFO names it
    LinkFacts link;             ///< if there is a primary
    int64_t read_ahead = 0;     ///< received from it and not applied, in bytes
    int64_t second_offset = -1;
    int64_t offset = 0;  ///< master_repl_offset
    bool backlog = false;
    int64_t first_byte = 0;  ///< the offset of the backlog's first byte
    int64_t good_replicas = 0;
    std::vector<ReplicaFacts> replicas;
    int64_t full_syncs = 0;
    int64_t partial_syncs = 0;
    int64_t refused_partial_syncs = 0;
    int64_t stream_bytes = 0;    ///< memory of the stream
    int64_t spooled_bytes = 0;   ///< on the disk, for slow replicas
    int64_t sent_bytes = 0;      ///< to all replicas
    int64_t received_bytes = 0;  ///< from the primary
    int64_t replica_errors = 0;  ///< commands of replicas that made no sense
  };
  Figures figures() const;
  /// CONFIG RESETSTAT.
  void ResetCounters();

  // ---- for the transport

  /// Decides for good: counts, and logs why.
  SyncDecision Decide(const SyncRequest& request);
  /// The instant of a full sync. Makes a backlog if there is none. REQUIRES: all gates are closed.
  struct FullSyncPoint {
    HistoryPoint point;
    int64_t position = 0;
  };
  FullSyncPoint BeginFullSync();
  /// The replicas of the last full sync have their cursors: nothing is kept for them besides.
  void EndPin();
  /// Keeps the stream from the oldest cursor on, or from where the backlog begins.
  void KeepFrom(int64_t oldest_cursor);
  /// Drops the backlog if nobody has come for repl-backlog-ttl. Never waits for a gate.
  void DropIdleBacklog(int64_t now_ms, int64_t no_replicas_since_ms);
  void SetFacts(std::vector<ReplicaFacts> facts, int64_t spooled_bytes);
  void CountSent(int64_t bytes) { sent_bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  void CountReceived(int64_t bytes) { received_bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  /// To all replicas, and from the primary, as Figures has them.
  int64_t sent_bytes() const { return sent_bytes_.load(std::memory_order_relaxed); }
  int64_t received_bytes() const { return received_bytes_.load(std::memory_order_relaxed); }
  void CountError() { replica_errors_.fetch_add(1, std::memory_order_relaxed); }
  /// A command of the primary was skipped, or has failed: our data is no longer the primary's.
  /// Until a full sync the server is no candidate for a promotion (INFO's slave_priority is 0).
  void NoteDiverged() { diverged_ = true; }
  bool diverged() const { return diverged_.load(std::memory_order_relaxed); }
  /// Counts the good replicas anew. Call it now and then, and when something has changed.
  void CountReplicas();
  ChangeStream& stream() { return stream_; }

  // ---- for the link to the primary; false, or nullptr: this turn is over

  bool IsTurn(Turn turn) const;
  /// The primary's data is about to be loaded; ask IsTurn with all gates closed before anything of
  /// ours goes, and keep them closed until one of the next two. One load at a time.
  bool BeginLoad(Turn turn);
  /// Whether our data is an earlier state of the same history.
  bool SharesHistory(const ReplicationId& id) const;
  /// Our data is about to go: keeps in files what only we may have (DiscardedTail). Waits for the
  /// disk.
  void KeepDiscarded();
  /// The primary's data has been loaded in place of ours; it is that of `point`. nullopt: the
  /// primary names no place. Our replicas are closed, for their data is another.
  void TakeOver(const std::optional<HistoryPoint>& point);
  /// What was ours is gone, and the primary's data could not be loaded.
  void LoseData();
  /// Goes on with a failover: call it often, on the thread of the replicas.
  void CheckFailover();
  /// What the replica said to PSYNC ... FAILOVER.
  void FailoverAnswered(bool accepted);
  /// The primary goes on where we are, from here on under this id.
  bool Continue(Turn turn, const ReplicationId& id);
  /// The primary's stream begins, behind what is applied.
  bool BeginStream(Turn turn);
  /// Whether the link is to ask for a full sync, since our data has diverged: a minute after that,
  /// and then once a minute. Call it now and then; times of one clock, in milliseconds.
  bool WantsFullSync(int64_t now_ms);
  void SetLink(LinkFacts facts);
  /// REQUIRES: the server has been a replica.
  PrimaryStream& primary_stream() { return *primary_stream_; }
  /// Ends the applier. Call it after the last command.
  void StopApplier() { primary_stream_.reset(); }

 private:
  /// Why something is refused, as bits.
  enum Refusal : uint8_t { kTooFew = 1, kReadOnly = 2, kStaleData = 4 };
  /// What the AUX fields of an RDB say.
  struct Loaded {
    std::optional<ReplicationId> id;
    int64_t offset = -1;
    int db = 0;
  };

  void StreamMoved() override;
  bool Refuses(Refusal refusal) const {
    return (refusals_.load(std::memory_order_relaxed) & refusal) != 0;
  }
  void DecideRefusals();
  void FollowSettings();
  void MakeStream();
  void UnblockClients();
  std::vector<FailoverReplica> FailoverReplicas() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Add(std::vector<FailoverAction> actions) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  /// `hold` closes all gates; null: takes them itself, or does the rest later.
  void Perform(Hold* hold);
  bool PerformOne(const FailoverAction& action, Hold* hold);
  void ApplyRole(bool replica);
  void KeepStream() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoteDiscarded(const ReplicationId& id, std::optional<int64_t> acked)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetOwnRecords() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PostTailWork();
  void DoTailWork() ABSL_LOCKS_EXCLUDED(mutex_);
  void WriteTail() ABSL_EXCLUSIVE_LOCKS_REQUIRED(keeping_) ABSL_LOCKS_EXCLUDED(mutex_);
  void RemoveTails() ABSL_EXCLUSIVE_LOCKS_REQUIRED(keeping_) ABSL_LOCKS_EXCLUDED(mutex_);
  void StateHistory() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int SelectedDb() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  SyncServer Standing() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int64_t BacklogSize() const;

  Server& server_;
  Files& files_;
  ChangeStream& stream_;
  std::atomic<Transport*> transport_ = nullptr;
  AckBoard board_;
  Mutex refusals_mutex_;  ///< held to decide and store refusals_
  std::atomic<uint8_t> refusals_ = 0;
  std::atomic<bool> is_replica_ = false;
  std::atomic<bool> link_up_ = false;
  std::atomic<bool> failing_over_ = false;
  std::atomic<uint64_t> demoted_at_id_ = 0;  ///< clients with lower ids came to a primary
  const RecordRunnerFactory runners_;
  std::unique_ptr<PrimaryStream> primary_stream_;  ///< made with all gates closed
  std::atomic<int64_t> replica_errors_ = 0;
  std::atomic<bool> diverged_ = false;
  std::atomic<int64_t> sent_bytes_ = 0;
  std::atomic<int64_t> received_bytes_ = 0;

  mutable Mutex mutex_;
  absl::BitGen random_ ABSL_GUARDED_BY(mutex_);
  ReplicationHistory history_ ABSL_GUARDED_BY(mutex_);
  Turn turn_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<PrimaryAddress> primary_ ABSL_GUARDED_BY(mutex_);
  LinkFacts link_ ABSL_GUARDED_BY(mutex_);
  Failover failover_ ABSL_GUARDED_BY(mutex_);
  std::deque<FailoverAction> failover_actions_ ABSL_GUARDED_BY(mutex_);  ///< to be performed
  bool performing_ ABSL_GUARDED_BY(mutex_) = false;                      ///< the first of them
  Loaded loaded_ ABSL_GUARDED_BY(mutex_);
  int db_at_start_ ABSL_GUARDED_BY(mutex_) = 0;  ///< that the history has selected there
  bool data_lost_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<int64_t> sealed_at_ ABSL_GUARDED_BY(mutex_);  ///< an offset
  int64_t kept_ ABSL_GUARDED_BY(mutex_) = ChangeStream::kNothing;
  /// Where the first record begins that this server made as a primary, if another server may not
  /// have it.
  std::optional<int64_t> own_from_ ABSL_GUARDED_BY(mutex_);
  bool restarted_ ABSL_GUARDED_BY(mutex_) = false;  ///< as the primary whose records those are
  std::optional<int64_t> full_sync_at_ms_ ABSL_GUARDED_BY(mutex_);  ///< see WantsFullSync
  /// Set on a replica that was a primary, until it is written to an undecided file, or its primary
  /// turns out to have it.
  std::optional<DiscardedTail> discarded_ ABSL_GUARDED_BY(mutex_);
  /// The primary has what is in undecided files: they are to be removed, before another is written.
  bool remove_tails_ ABSL_GUARDED_BY(mutex_) = false;
  /// There may be undecided files, perhaps from before the start.
  bool undecided_tails_ ABSL_GUARDED_BY(mutex_) = true;
  Mutex keeping_;                                          ///< held to work on the files of tails
  int64_t read_from_ ABSL_GUARDED_BY(mutex_) = INT64_MAX;  ///< by WriteTail
  int64_t oldest_cursor_ ABSL_GUARDED_BY(mutex_) = INT64_MAX;
  int64_t pinned_ ABSL_GUARDED_BY(mutex_) = INT64_MAX;  ///< a full sync's instant
  std::vector<ReplicaFacts> facts_ ABSL_GUARDED_BY(mutex_);
  int64_t spooled_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t full_syncs_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t partial_syncs_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t refused_partial_syncs_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_ROLES_REPLICATION_H_
