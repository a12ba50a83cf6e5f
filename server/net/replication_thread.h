#ifndef CLOAKROOM_SERVER_NET_REPLICATION_THREAD_H_
#define CLOAKROOM_SERVER_NET_REPLICATION_THREAD_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/random/random.h"
#include "server/context/server.h"
#include "server/net/poller.h"
#include "server/net/primary_connection.h"
#include "server/net/replica_connection.h"
#include "server/net/replica_spools.h"
#include "server/roles/full_sync.h"
#include "server/roles/replication.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// The thread that serves the replicas, and the link to the primary of a replica: their sockets,
/// the group that waits for a full sync, PING and time-outs. It starts with the first of them.
///
/// While replicas are online and have everything, it sleeps until the stream moves; then it gathers
/// for a millisecond, so that a busy server pays for one send, not one for each change.
///
/// Thread rule: its own thread; Transport's functions and Post from any thread.
class ReplicationThread final : public Replication::Transport {
 public:
  explicit ReplicationThread(Server& server);
  /// Closes all replicas and the link to the primary, ends the applier, and ends the thread.
  ~ReplicationThread() override;

  void Adopt(NewReplica replica) override;
  void StreamMoved() override;
  void RequestAcks() override;
  void WatchLog() override;
  void Dismiss() override;
  void Follow(Replication::Following following) override;
  void Unfollow() override;
  void AnswerAck(int64_t position) override;
  void ReadPrimary() override;
  void StreamBroken(absl::Status error) override;
  /// Runs `task` on the thread, soon, in the order of these calls.
  void Post(std::function<void()> task);

  /// Post for threads that may outlive this.
  std::function<void(std::function<void()>)> Poster() {
    return [mailbox = mailbox_](std::function<void()> task) { mailbox->Post(std::move(task)); };
  }

  // For its connections.
  Server& server() { return server_; }
  Poller& poller() { return poller_; }
  /// Milliseconds of the server's monotonic clock.
  int64_t now_ms() const { return server_.clock().MonotonicUs() / 1000; }
  /// How far the stream was complete when this round began.
  int64_t published() const { return published_; }
  void JoinGroup(ReplicaConnection& replica);
  /// Feeds the replicas again at that time of the steady clock.
  void FeedAt(int64_t at_us) { feed_at_us_ = std::min(feed_at_us_, at_us); }
  /// Goes on in the next round, which does not wait.
  void ServeAgain() { serve_again_ = true; }
  ReplicaSpools& spools() { return spools_; }
  void CountError() { server_.replication().CountError(); }
  void NoteClosed() { closed_ = true; }

 private:
  using Connections = std::vector<std::shared_ptr<ReplicaConnection>>;
  /// How often it looks after the stream's memory and the waiting group.
  static constexpr int64_t kTurnUs = 100'000;
  /// After so many full syncs that slow replicas held up, the next ones go through a file.
  static constexpr int kMaxSlowSyncs = 2;

  /// Of the steady clock, by which the thread sleeps.
  static int64_t SteadyUs();
  /// What is to run on the thread. Shared with jobs of full syncs, which may outlive it.
  struct Mailbox {
    explicit Mailbox(Poller& its_poller) : poller(its_poller) {}
    /// False: the thread has been told to end, and the task is dropped.
    bool Post(std::function<void()> task);

    Poller& poller;
    Mutex mutex;
    std::vector<std::function<void()>> tasks ABSL_GUARDED_BY(mutex);
    bool stopped ABSL_GUARDED_BY(mutex) = false;
  };
  void Run();
  void RunTasks();
  void Serve();
  void FeedReplicas();
  PrimaryConnection& primary();
  void Turn();
  void Second();
  void Wait();
  void DropClosed();
  void PublishFacts();
  void SpoolStream();
  void KeepStream();

  // The full sync.
  void StartGroup();
  bool GroupIsDue() const;
  void BeginSync(Connections group);
  void OnInstant(const Connections& group, const Replication::FullSyncPoint& begin,
                 const std::optional<ReplicationId>& mark);
  void OnDone(const Connections& group, const absl::Status& status, bool by_file);
  void RelieveSync();

  Server& server_;
  Poller poller_;
  absl::BitGen random_;
  std::shared_ptr<PrimaryConnection> primary_;
  Connections replicas_;
  Connections group_;  ///< those that wait for a full sync
  int64_t group_since_ms_ = 0;
  bool syncing_ = false;
  Connections sync_group_;  ///< those of the sync under way
  std::shared_ptr<std::atomic<bool>> sync_unwanted_ = std::make_shared<std::atomic<bool>>();
  std::weak_ptr<FanOutSink> sink_;  ///< of the sync under way
  bool sync_was_slow_ = false;      ///< a replica was dropped because it held up the sync
  int slow_syncs_ = 0;              ///< such syncs in a row
  int64_t published_ = 0;
  int64_t feed_at_us_ = INT64_MAX;
  bool serve_again_ = false;
  bool closed_ = false;  ///< some connection has been closed
  bool wants_acks_ = false;
  int64_t next_turn_us_ = 0;
  int64_t next_second_ms_ = 0;
  int64_t last_ping_ms_ = 0;  ///< when one was due
  int64_t no_replicas_since_ms_ = 0;

  std::atomic<bool> asleep_ = false;
  const std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>(poller_);
  ReplicaSpools spools_;
  Mutex mutex_;
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;  ///< it must not start any more
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_REPLICATION_THREAD_H_
