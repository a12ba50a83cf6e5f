#ifndef CLOAKROOM_REPLICATION_LINK_ACK_BOARD_H_
#define CLOAKROOM_REPLICATION_LINK_ACK_BOARD_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// How far the online replicas and the server's own log have come, and who waits for that: WAIT,
/// WAITAOF, and the rule of min-replicas-to-write.
///
/// Offsets are those of the present history; Clear() when its id changes. A replica is on the board
/// while it is online, under the number that the caller gives it (its client id). Times are of one
/// clock, in milliseconds.
///
/// Thread rule: any thread. The mutex is held for a walk over the replicas, and over the waiters
/// whose offset was just reached. A waiter's `wake` is called at most once and without the mutex,
/// on the thread that brought the news; it must only post to the waiter's own thread. A `wake` that
/// another thread has just taken may still run after Cancel().
class AckBoard {
 public:
  using Replica = uint64_t;

  /// What a waiter waits for; it holds when all of it holds.
  struct Goal {
    int64_t offset = 0;    ///< of the stream: the end of the client's last record
    int64_t replicas = 0;  ///< so many have executed it, or have it on their disk:
    bool fsynced = false;  ///< WAITAOF
    bool local = false;    ///< our own log has it on the disk
  };
  /// Names a waiter: its offset, and a number.
  using Ticket = std::pair<int64_t, uint64_t>;

  /// A replica is online. What it has acknowledged before counts. `name`:
  /// "host:port", where it listens; empty for a tool, which does not.
  void Join(Replica replica, std::string name, int64_t ack, int64_t fack, int64_t now_ms);
  void Leave(Replica replica);
  /// Offsets never go back; an ACK of a replica that is not on the board does nothing.
  void Acked(Replica replica, int64_t ack, int64_t fack, int64_t now_ms);
  /// Our own log is synced up to the offset.
  void LocalSynced(int64_t offset);
  /// Another history begins: no replicas, nothing synced. Waiters stay, for their deadlines.
  void Clear();

  size_t online() const;
  /// How many have executed the stream up to the offset: the reply of WAIT.
  int64_t CountAcked(int64_t offset) const;
  /// How many have it on their disk: WAITAOF.
  int64_t CountFsynced(int64_t offset) const;
  bool IsLocalSynced(int64_t offset) const;
  /// What all replicas of this history have acknowledged, also those that have left and not come
  /// back: any of them may become the next primary. Only those with a name count. nullopt: there
  /// has been none.
  std::optional<int64_t> LeastAcked() const;

  /// INFO's min_slaves_good_slaves: replicas with an ACK in the last `max_lag_s` seconds.
  int64_t CountGood(int64_t now_ms, int64_t max_lag_s) const;
  /// Whether writes are allowed under min-replicas-to-write and min-replicas-max-lag; one of them 0
  /// turns the rule off.
  bool EnoughGood(int64_t now_ms, int64_t min_replicas, int64_t max_lag_s) const;

  /// Waits for the goal, until `deadline_ms` (kNever: for ever). nullopt: it holds already, and
  /// `wake` is not called.
  std::optional<Ticket> Wait(const Goal& goal, int64_t deadline_ms, std::function<void()> wake);
  /// The waiter does not want to know any more. Harmless if it was woken.
  void Cancel(const Ticket& ticket);
  /// Wakes those whose deadline has come.
  void Expire(int64_t now_ms);
  /// When to call Expire() next; kNever if nobody has a deadline.
  int64_t NextDeadline() const;
  size_t waiters() const;

 private:
  /// So many of the replicas that have left are remembered, at most. If there are more, those with
  /// the highest offsets are forgotten.
  static constexpr size_t kMostGone = 64;

  struct Progress {
    std::string name;
    int64_t ack = 0;
    int64_t fack = 0;
    int64_t acked_at_ms = 0;
  };
  struct Waiter {
    Goal goal;
    int64_t deadline_ms = kNever;
    std::function<void()> wake;
  };
  using Wakes = std::vector<std::function<void()>>;

  int64_t Count(int64_t offset, int64_t Progress::* field) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Holds(const Goal& goal) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  /// Takes out the waiters with an offset above `from`, up to `to`, whose goal holds now.
  void TakeReached(int64_t from, int64_t to, Wakes& wakes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Advance(int64_t& at, int64_t to, Wakes& wakes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::function<void()> Take(std::map<Ticket, Waiter>::iterator waiter)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  std::map<Replica, Progress> replicas_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, int64_t> gone_ ABSL_GUARDED_BY(mutex_);  ///< their ACKs, by name
  int64_t local_synced_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<Ticket, Waiter> waiters_ ABSL_GUARDED_BY(mutex_);
  std::set<std::pair<int64_t, Ticket>> deadlines_ ABSL_GUARDED_BY(mutex_);  // without kNever
  uint64_t next_number_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_LINK_ACK_BOARD_H_
