#ifndef CLOAKROOM_SERVER_SESSIONS_NATIVE_SESSIONS_H_
#define CLOAKROOM_SERVER_SESSIONS_NATIVE_SESSIONS_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "server/context/server.h"
#include "server/sessions/open_request.h"
#include "server/sessions/session_stats.h"
#include "storage/keyspace/database.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/key_guard.h"
#include "storage/sessions/session_lock.h"
#include "storage/sessions/session_locks.h"

namespace cloakroom {

struct Client;

/// The native sessions of the server: does what the locks (storage/sessions/) decide. It hears of
/// every other change of a session's hash, edits the hash, wakes the requests that wait, counts,
/// and tells the operator. The commands are in commands/sessions.cc.
///
/// Thread rule: any thread. Functions with a key need its stripe held, or its gate closed.
class NativeSessions final : public KeyGuard {
 public:
  /// How long after CLIENT PAUSE no lease is broken: those who waited for its end come first. The
  /// same after an event loop that was late.
  static constexpr int64_t kGraceMs = 250;
  /// Later than this, a loop has not served its sockets for a while.
  static constexpr int64_t kLateMs = 100;
  /// How many sessions a connection may hold.
  static constexpr size_t kMostHeld = 64;

  /// Guards the server's keyspace from now on.
  explicit NativeSessions(Server& server);

  SessionContext Context();
  /// The locks of the key's stripe.
  static SessionLocks& LocksOf(const GuardedKey& key);
  /// What the hash says now.
  static SessionHash HashOf(const GuardedKey& key);

  /// Does what an event of the key's lock entails. `use`: from before the event.
  void Apply(const GuardedKey& key, const SessionEffects& effects, const SessionLocks::Use& use);
  /// A waiter wants its lock no more, or gives back one that it was granted. Nothing if neither.
  void Leave(const GuardedKey& key, OpenRequest& open);
  /// A connection ends, or resets its locks: gives this one back. False: it had none.
  bool Drop(const GuardedKey& key, uint64_t party);
  /// Whether a waiter may break a lease that is over, at `now_ms` of the monotonic clock. Otherwise
  /// `open` says when to ask again.
  bool MayBreak(OpenRequest& open, int64_t deadline_ms, int64_t now_ms);

  /// The server becomes a replica, or loads: all locks end and all who wait are called off.
  /// REQUIRES: all gates are closed.
  void RevokeAll();
  /// The process ends: nobody's place in a queue may outlive its request. Call it when no event
  /// loop runs any more and the gates are open.
  void End();
  /// Forgets what no lock needs any more and counts the rest. For cron, once a second.
  void Sweep();

  /// Strikes from the client's list the locks that it has lost, as far as their stripes are free.
  /// `hold`: the caller's.
  void PruneHeld(Hold& hold, Client& client);

  /// Calls `visit` for every lock of a stripe that is in use or waited for.
  using Visit = std::function<void(std::string_view key, SessionLock& lock)>;
  static void ForEachLock(Stripe& stripe, const Visit& visit);

  SessionStats& stats() { return stats_; }
  const SessionGauges& gauges() const { return gauges_; }
  /// Names a connection for the locks. Another one after each reset, so that what is still on its
  /// way to be dropped is not its own any more.
  uint64_t NewParty() { return ++last_party_; }
  /// Set once any lock was asked for.
  void NoteUse() {
    if (!used_.load(std::memory_order_relaxed)) used_.store(true, std::memory_order_relaxed);
  }

  // KeyGuard.
  bool BeforeWrite(const GuardedKey& key) override;
  void AfterWrite(const GuardedKey& key, Fate fate) override;
  void AfterReplace(Hold& hold, Database& db, Stripe& stripe, int64_t now_ms) override;

 private:
  void NoteEnd(const GuardedKey& key, const SessionEnd& end);
  /// `broken`, which was another's lock, is `by`'s now.
  void NoteTakeover(const GuardedKey& key, const BrokenSession& broken, const SessionClient& by);
  void CountStripe(Stripe& stripe, int64_t now_ms, SessionGauges& sum);

  Server& server_;
  SessionFences fences_;
  SessionStats stats_;
  SessionGauges gauges_;
  std::atomic<uint64_t> last_party_ = 0;
  std::atomic<bool> used_ = false;
};

/// A session's key for a log that others may read: the first 8 characters behind the "sess_" of the
/// shops' libraries, as the PHP package shows them.
std::string_view ShortKey(std::string_view key);
/// "web1|5042 (GET /cart/)", for a log.
std::string ShownClient(std::string_view owner, std::string_view req);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SESSIONS_NATIVE_SESSIONS_H_
