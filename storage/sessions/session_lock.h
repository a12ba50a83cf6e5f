#ifndef CLOAKROOM_STORAGE_SESSIONS_SESSION_LOCK_H_
#define CLOAKROOM_STORAGE_SESSIONS_SESSION_LOCK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "storage/base/clock.h"
#include "storage/sessions/commit_decision.h"
#include "storage/sessions/fenced_notes.h"
#include "storage/sessions/plain_pollers.h"
#include "storage/sessions/session_effects.h"
#include "storage/sessions/session_fences.h"
#include "storage/sessions/session_hash.h"
#include "storage/sessions/session_queue.h"

namespace cloakroom {

/// What an event brings along from outside.
struct SessionContext {
  int64_t now_ms = 0;   ///< of the monotonic clock: for leases, turns and patience
  int64_t wall_ms = 0;  ///< since the Unix epoch: for fences
  /// CLIENT PAUSE stops writes: no hash may be edited, so no lease ends, and a published lock that
  /// ends stays in its hash as an orphan.
  bool writes_paused = false;
  SessionFences* fences = nullptr;  ///< those of the process; never null
  int64_t plain_patience_ms = 2000;
  int64_t plain_turn_ms = 600;  ///< 0: plain clients get no turns
};

/// A native client that holds a session's lock.
struct SessionHolder {
  SessionClient client = {};
  int64_t fence = 0;  ///< 0: nobody holds it
  int64_t since_ms = 0;
  int64_t lease_ms = 0;
};

/// What OPEN came to.
struct SessionOpened {
  enum class Answer : uint8_t {
    kHeld,     ///< the client holds the lock: reply with `fence` and the hash
    kQueued,   ///< the waiter has a place: wait
    kLocked,   ///< somebody holds it, and the client will not wait
    kTooMany,  ///< too many wait already
  };

  Answer answer = Answer::kHeld;
  int64_t fence = 0;
  SessionEffects effects = {};
};

/// How far OPEN goes.
struct SessionOpenTerms {
  bool may_wait = true;       ///< false: WAIT 0, or in MULTI
  size_t max_waiting = 1000;  ///< refuse when so many wait already
};

/// What a demotion comes to.
struct SessionDemotion {
  std::vector<SessionWaiter*> unblocked;  ///< no longer placed; to be answered UNBLOCKED
  std::optional<SessionEnd> ended;
};

/// The lock of one session, as a state machine without I/O and clock: what happened goes in, what
/// is to be done comes out. The README has its table of states and events.
///
/// Native clients hold the lock here and queue here. Plain clients know only the session's hash:
/// one of them holds the lock while the hash counts 1 to 999,999. So that they see a native lock,
/// it is published in the hash as soon as somebody else writes there.
///
/// Promises, if the caller tells every event and does what the effects say:
/// - One client at most holds the lock, native or plain.
/// - Native clients get it in the order in which they came, each with a greater fence.
/// - While a native client holds it, every other change of the session's content that follows plain
///   clients' rules ends the hold. So DecideCommit applies a commit only to what its sender read.
/// - Nobody waits while the lock is free, but for a turn of the plain clients.
///
/// An event takes constant time, and at most 32 steps for polling clients; Demote and Ahead take a
/// step for each waiter. `hash` is what the hash says at the event. Texts in it must live for the
/// call.
///
/// Thread rule: the stripe is held, or the gate closed.
class SessionLock {
 public:
  enum class State : uint8_t {
    kFree,       ///< no native client; the hash may say that a plain one holds the lock
    kHeld,       ///< by a native client; the hash does not say so
    kPublished,  ///< by a native client, and the hash says so
    kPlain,      ///< a plain client holds the lock, or writes its last; native ones wait
    kTurn,       ///< left free for plain clients
  };

  /// `fenced`: of the stripe; must outlive it.
  explicit SessionLock(FencedNotes& fenced) : fenced_(fenced) {}
  SessionLock(const SessionLock&) = delete;
  SessionLock& operator=(const SessionLock&) = delete;

  // ---- commands

  /// OPEN, at first and whenever its request runs again. The waiter is in no other lock. If it was
  /// granted the lock meanwhile, this is the delivery, from which its lease counts. A connection
  /// that holds the lock gets the same fence.
  SessionOpened Open(SessionWaiter& waiter, const SessionHash& hash, const SessionContext& context,
                     const SessionOpenTerms& terms);
  /// A plain client's poll, before it runs. True: it would find the lock taken, and has a place in
  /// the queue. Call it again when it was woken, or when its time is over. False: its time is over,
  /// or it was granted, which means that the lock was left free for it. A client that has polled in
  /// vain for kParksForMs is not parked: plain clients measure their patience in polls. The waiter
  /// is in no other lock, and its connection is that of its foreign writes.
  bool ParkPoll(SessionWaiter& waiter, const SessionHash& hash, const SessionContext& context,
                size_t max_waiting);
  /// The waiter does not want the lock any more, or its connection ends. If it was granted the lock
  /// but has not run, it gives the lock back; a waiter whose time is over should run instead.
  SessionEffects Leave(SessionWaiter& waiter, const SessionHash& hash,
                       const SessionContext& context);
  /// The decision about COMMIT. kHeld: write, then Release() with the hash as it is now.
  CommitCase Decide(const CommitRequest& request, const SessionHash& hash) const {
    return DecideCommit(request, holder_.fence, hash, fenced_.Spent(request.fence));
  }
  /// Why a fence is not good: for COMMIT in CommitCase::kFenced, and for RENEW and DESTROY. If it
  /// is not known, but the version is given, says what became of that.
  Fenced WhyFenced(const CommitRequest& request, const SessionHash& hash,
                   const SessionContext& context) const;
  /// COMMIT, RELEASE, or DESTROY with a fence, behind its write. nullopt: not the holder's fence.
  std::optional<SessionEffects> Release(int64_t fence, const SessionHash& hash,
                                        const SessionContext& context);
  /// RENEW: the lease counts from now on. False: not the holder's fence.
  bool Renew(int64_t fence, std::optional<int64_t> lease_ms, int64_t now_ms);
  /// The connection ends or resets its locks. Nothing, if it does not hold this one.
  SessionEffects Drop(uint64_t connection, const SessionHash& hash, const SessionContext& context);
  /// BREAK: whoever holds the lock loses it, a plain client too: the hash's pid is not its own any
  /// more. nullopt: nobody held it. `by`: for the holder's FENCED.
  std::optional<SessionEffects> Break(std::string_view by, const SessionHash& hash,
                                      const SessionContext& context);

  // ---- time

  /// When to call OnTime(); kNever if not at all. While writes are paused it
  /// may have passed.
  int64_t NextDeadline() const;
  /// The waiters' turn: a deadline may have come. Too early is harmless. To put a takeover off,
  /// call it later.
  SessionEffects OnTime(const SessionHash& hash, const SessionContext& context);
  /// The part of it that grants nothing: forgets polling clients, and ends a turn for which nobody
  /// waits.
  void Forget(int64_t now_ms);

  // ---- other changes of the hash: those that no session command made

  /// Before a write, whatever it will be; `hash` as it is.
  SessionEffects BeforeForeignWrite(const SessionHash& hash);
  /// After it, if it has changed anything; also if the hash is gone. `connection`: whose; 0: none.
  /// REQUIRES: BeforeForeignWrite, and its effects done.
  SessionEffects AfterForeignWrite(const SessionHash& hash, uint64_t connection,
                                   const SessionContext& context);
  /// The session was deleted, renamed, overwritten, flushed or swapped; `hash` is what is there
  /// now.
  SessionEffects Replaced(const SessionHash& hash, const SessionContext& context);
  /// It has expired, or was evicted.
  SessionEffects Expired(const SessionContext& context);
  /// The server becomes a replica, or loads: nobody holds or waits any more. Edits no hash.
  SessionDemotion Demote(const SessionContext& context);

  // ---- what it is

  /// Since when a plain client is known to hold it, while somebody waits; kNever: it is not known.
  int64_t plain_since_ms() const { return state_ == State::kPlain ? timer_ms_ : kNever; }
  State state() const { return state_; }
  /// A plain client sets the count to 0 and then counts its write: so long it is waited for.
  static constexpr int64_t kPlainLastMs = 5;
  static constexpr int64_t kParksForMs = 2000;
  /// Null: no native client holds it.
  const SessionHolder* holder() const { return holder_.fence != 0 ? &holder_ : nullptr; }
  const SessionQueue& queue() const { return queue_; }
  /// It knows nothing: there need be no record of it.
  bool idle() const;
  /// The memory that it has allocated, without itself.
  size_t bytes() const;

 private:
  /// What is known of plain clients. Few locks ever meet one.
  struct Plain {
    // What the hash said before the write that is under way.
    int64_t lock = 0;
    int64_t writes = 0;
    uint64_t pid = 0;  ///< a hash of it
    PlainPollers pollers;
  };

  Plain& plain();
  void NotePoll(const SessionHash& hash, bool new_pid, uint64_t connection, int64_t now_ms);
  SessionOpened Deliver(const SessionHash& hash, const SessionContext& context);
  void Hold(SessionWaiter& waiter, const SessionHash& hash, const SessionContext& context);
  void Publish(const SessionHash& hash, SessionEffects& effects);
  /// A native hold is about to end: takes it out of the hash if it is there.
  void Unpublish(const SessionHash& hash, const SessionContext& context,
                 SessionEffects& effects) const;
  /// Ends the native hold. REQUIRES: a state follows, by Next or Grant.
  void EndHold(SessionEndCause cause, const SessionTexts& by, const SessionContext& context,
               SessionEffects& effects);
  void GiveUp(const SessionHash& hash, const SessionContext& context, SessionEffects& effects);
  /// Nobody holds the lock natively: it goes to whom it is due.
  void Next(const SessionHash& hash, const SessionContext& context, SessionEffects& effects);
  /// The lock is left free for the plain client whose poll is the head of the queue.
  void FreeForPoll(bool orphan, const SessionContext& context, SessionEffects& effects);
  /// To the head of the queue. `publish`: the hash says of another that he holds the lock.
  void Grant(bool publish, const SessionHash& hash, const SessionContext& context,
             SessionEffects& effects);
  void TakeOver(const SessionHash& hash, const SessionContext& context, SessionEffects& effects);
  void PlainHolds(int64_t now_ms);
  void AfterPlainWrite(const SessionHash& hash, bool new_pid, const SessionContext& context,
                       SessionEffects& effects);

  FencedNotes& fenced_;
  SessionHolder holder_;
  /// The waiter that holds the lock and whose request has not run again yet; it is in no queue.
  SessionWaiter* undelivered_ = nullptr;
  SessionQueue queue_;
  /// Held or published: from when the lease counts, kNever if it does not. Plain: since when the
  /// plain holder is known, or its pid last changed. Turn: when that ends.
  int64_t timer_ms_ = kNever;
  /// Plain: until when its last write is waited for, since the count is 0; kNever: it is not.
  int64_t plain_last_ms_ = kNever;
  std::unique_ptr<Plain> plain_;
  State state_ = State::kFree;
  bool native_is_due_ = false;  ///< there was a turn, and no native hold since
};

/// "free", "held", "published", "plain", "turn".
std::string_view SessionStateName(SessionLock::State state);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_SESSIONS_SESSION_LOCK_H_
