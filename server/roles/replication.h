#ifndef CLOAKROOM_SERVER_ROLES_REPLICATION_H_
#define CLOAKROOM_SERVER_ROLES_REPLICATION_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/random/random.h"
#include "replication/link/ack_board.h"
#include "replication/link/replication_history.h"
#include "replication/link/sync_decision.h"
#include "replication/stream/change_stream.h"
#include "storage/base/mutex.h"

namespace cloakroom {

class Server;
class Stream;
struct Client;

/// A client that has asked to become a replica (PSYNC, SYNC), with its socket.
struct NewReplica {
  std::unique_ptr<Stream> stream;
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

/// What this server is to others: today a primary. It knows the history of its stream, what its
/// replicas have acknowledged, and whether there are enough of them. The sockets of the replicas
/// are net's (ReplicaTransport).
///
/// Thread rule: any thread, except where a comment names one.
class Replication final : private StreamReader {
 public:
  /// Serves the replicas.
  class Transport {
   public:
    virtual ~Transport() = default;
    /// Answers the request, and from then on owns the client. Any thread.
    virtual void Adopt(NewReplica replica) = 0;
    /// There are new bytes in the stream, and it listened. Any thread; must be quick.
    virtual void StreamMoved() = 0;
    /// Somebody waits for ACKs: asks all replicas for one. Any thread.
    virtual void RequestAcks() = 0;
    /// Closes all replicas, which will come back. Any thread.
    virtual void Dismiss() = 0;
  };

  explicit Replication(Server& server);
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
  /// The offset of the place behind `position` in the stream.
  int64_t OffsetAt(int64_t position) const;
  /// Whether min-replicas-to-write refuses writes. One load.
  bool too_few_replicas() const { return too_few_.load(std::memory_order_relaxed); }
  /// The data is another than the stream says: no replica may continue from it.
  void ForgetHistory();
  struct Figures {
    ReplicationId id1;
    ReplicationId id2;
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
    int64_t sent_bytes = 0;      ///< to all replicas
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
  void SetFacts(std::vector<ReplicaFacts> facts);
  void CountSent(int64_t bytes) { sent_bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  void CountError() { replica_errors_.fetch_add(1, std::memory_order_relaxed); }
  /// Counts the good replicas anew. Call it now and then, and when something has changed.
  void CountReplicas();
  ChangeStream& stream() { return stream_; }

 private:
  void StreamMoved() override;
  SyncServer Standing() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int64_t BacklogSize() const;

  Server& server_;
  ChangeStream& stream_;
  std::atomic<Transport*> transport_ = nullptr;
  AckBoard board_;
  std::atomic<bool> too_few_ = false;
  std::atomic<int64_t> replica_errors_ = 0;
  std::atomic<int64_t> sent_bytes_ = 0;

  mutable Mutex mutex_;
  absl::BitGen random_ ABSL_GUARDED_BY(mutex_);
  ReplicationHistory history_ ABSL_GUARDED_BY(mutex_);
  int64_t kept_ ABSL_GUARDED_BY(mutex_) = ChangeStream::kNothing;
  int64_t oldest_cursor_ ABSL_GUARDED_BY(mutex_) = INT64_MAX;
  int64_t pinned_ ABSL_GUARDED_BY(mutex_) = INT64_MAX;  ///< a full sync's instant
  std::vector<ReplicaFacts> facts_ ABSL_GUARDED_BY(mutex_);
  int64_t full_syncs_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t partial_syncs_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t refused_partial_syncs_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_ROLES_REPLICATION_H_
