#ifndef CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_SERVER_H_
#define CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_SERVER_H_

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "replication/link/ack_board.h"
#include "replication/link/failover.h"
#include "replication/link/replication_history.h"
#include "replication/link/sync_decision.h"
#include "replication/stream/change_stream.h"
#include "tests/replication/simulator/sim_data.h"
#include "tests/replication/simulator/sim_environment.h"
#include "tests/replication/simulator/sim_follower.h"
#include "tests/replication/simulator/sim_log.h"
#include "tests/replication/simulator/sim_peer.h"

namespace cloakroom {

/// One life of a simulated server's process: the real stream, log, history and state machines, with
/// the scheduler of the simulation in place of threads and sockets. What the server's drivers do in
/// `server/roles/` and `server/net/`, this does in the same order, but one thing at a time.
///
/// Checks what it says and grants against the ledger.
///
/// Not thread safe.
class SimServer final : private StreamReader {
 public:
  /// What waits to be done, for the scheduler to choose from.
  enum class Work : uint8_t {
    kApply,
    kServeReplicas,
    kBeginSync,
    kEndSync,
    kFollow,  ///< what the link waits for: a name, a connection, a load
    kSend,
    kStepLog,
    kBeginRewrite,
    kEndRewrite,
  };
  static constexpr int kWorks = static_cast<int>(Work::kEndRewrite) + 1;

  /// A write that a replica, or a log, has been shown to have.
  struct Holder {
    int server = 0;
    int life = 0;  ///< the process that has it; kOnDisk: any, since it is on the disk
    int loads = 0;
  };
  static constexpr int kOnDisk = -1;
  static constexpr char kHost[] = "server";
  static int PortOf(int number) { return 1000 + number; }
  struct Acknowledged {
    int64_t write = 0;
    std::vector<Holder> holders;
  };

  /// Starts from its log.
  SimServer(SimEnvironment& environment, SimMachine& machine);
  ~SimServer() override;

  // ---- what clients ask for

  /// Sets the write's own key, and one that others set too if `shared`. False: refused.
  bool Write(int64_t write, bool shared);
  /// WAIT for one replica, or WAITAOF for it or for the own log.
  void Wait(int64_t write, bool fsynced, bool local);
  void Publish();
  void Promote();
  void Follow(int primary, bool failover = false);
  void StartFailover(const FailoverRequest& request);
  /// What WAIT has answered since the last call.
  std::vector<Acknowledged> TakeAcknowledged();

  // ---- the network

  void Accept(int connection, int replica, int life);
  /// How many bytes it takes.
  size_t Receive(int connection, SimEnd end, std::string_view bytes);
  void NoteEnded(int connection, SimEnd end);

  // ---- time and work

  void Tick();
  /// `chance`: below 1000; what may fail does so if it is 0.
  void Do(Work work, int chance, int most_records);

  // ---- what others may know

  bool is_replica() const { return machine_.primary.has_value(); }
  bool link_up() const { return follower_.up(); }
  bool data_lost() const { return data_lost_; }
  bool paused() const { return paused_; }
  bool failing_over() const { return failover_.active(); }
  const SimData& data() const { return data_; }
  const ReplicationHistory& history() const { return history_; }
  int64_t offset() const { return history_.OffsetAt(stream_.tail()); }
  HistoryPoint point() const { return {history_.id1(), offset()}; }
  SimMachine& machine() { return machine_; }
  /// Describes it in a line.
  std::string Text() const;
  /// The answer to a PSYNC, which is checked.
  SyncDecision Decide(const SyncRequest& request, std::string_view who);
  int64_t first_byte() const { return history_.FirstByte(Extent(), machine_.backlog_size); }
  int64_t id2_limit() const { return true_id2_limit_; }
  SimLog& log() { return log_; }

 private:
  friend class SimPeer;
  friend class SimFollower;
  struct Waiter {
    int64_t write = 0;
    AckBoard::Goal goal;
    int64_t deadline_ms = 0;
    std::optional<AckBoard::Ticket> ticket;
    std::shared_ptr<bool> woken;
  };

  void StreamMoved() override {}
  StreamExtent Extent() const {
    return {.tail = stream_.tail(), .first_kept = kept_, .oldest_cursor = oldest_cursor_};
  }
  void CheckGrant(const SyncRequest& request, const SyncDecision& decision, std::string_view who);
  /// Says that the data is that of the offset.
  void Claim(int64_t offset);
  void ClaimTail() { Claim(offset()); }
  void CheckNames();

  // At the start.
  void TakeUp(const std::optional<AofPlace>& place);
  std::string Base();
  int SelectedDb() const;

  // The role.
  void BranchOff(const HistoryPoint& at);
  void NoteSynced();
  void KeepFrom();
  void DropIdleBacklog();
  /// What the threads of a real server would have posted.
  void RunPosted();
  bool Holds(const AckBoard::Goal& goal) const;
  void Acknowledge(const Waiter& waiter);
  void StateHistory();
  void KeepStream();
  void Replicate(std::initializer_list<std::string_view> words);
  void DismissReplicas();
  void EndWaits();
  void NoteWoken();
  void Second();

  // For the link to the primary.
  void NoteContinued(const ReplicationId& id);
  void TakeOver(const std::optional<HistoryPoint>& point, SimData::Loaded loaded);
  void LoseData();

  // Full syncs.
  void JoinGroup(int connection) { group_.insert(connection); }
  void BeginSync();
  void EndSync(bool ok);

  // Failover.
  std::vector<FailoverReplica> FailoverReplicas() const;
  void CheckFailover();
  void NoteFailover(int target);
  /// Has become the primary by a failover of this server.
  void CheckPromoted();
  void NoteFailoverAnswer(bool accepted);
  void Perform(const std::vector<FailoverAction>& actions);

  SimEnvironment& environment_;
  SimMachine& machine_;
  ChangeStream stream_{0};
  SimLog log_;
  SimData data_;
  ReplicationHistory history_;
  AckBoard board_;
  Failover failover_;
  SimFollower follower_;
  std::map<int, std::unique_ptr<SimPeer>> peers_;  // by connection

  int64_t true_id2_limit_ = ReplicationHistory::kNoLimit;
  int restart_db_ = 0;  // that was selected at the start
  int64_t kept_ = ChangeStream::kNothing;
  int64_t oldest_cursor_ = INT64_MAX;
  bool data_lost_ = false;
  bool paused_ = false;
  bool forced_ = false;          // the failover that was begun
  int64_t failing_over_at_ = 0;  // the offset then: no write comes behind it
  bool wants_acks_ = false;
  std::map<int64_t, int64_t> ends_;  // of writes of this life: the offsets behind them
  std::list<Waiter> waiters_;
  std::vector<Acknowledged> acknowledged_;

  std::set<int> group_;               // connections that wait for a full sync
  std::set<int> syncing_;             // those of the one under way
  std::string rdb_;                   // that it sends
  std::shared_ptr<FanOutSink> sink_;  // into which; null: a file
  bool sync_runs_ = false;
  std::optional<bool> failover_answer_;
  int64_t next_second_ms_ = 0;
  int64_t no_replicas_since_ms_ = 0;
  int64_t next_ping_ms_ = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_SERVER_H_
