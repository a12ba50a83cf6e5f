#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_SESSION_CALL_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_SESSION_CALL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "server/sessions/native_sessions.h"
#include "server/sessions/session_fields.h"
#include "storage/keyspace/key_guard.h"
#include "storage/sessions/session_lock.h"
#include "storage/sessions/session_locks.h"

namespace cloakroom {

/// A call of a command on one session, whose key is its first argument. If it may not go on,
/// because the key holds another type, or the command would change a session of a replica, the
/// error is replied, and ok() is false.
class SessionCall {
 public:
  enum class Intent : uint8_t { kRead, kChange };

  SessionCall(Call& call, Intent intent);
  SessionCall(const SessionCall&) = delete;
  SessionCall& operator=(const SessionCall&) = delete;

  bool ok() const { return ok_; }
  Call& call() { return call_; }
  const GuardedKey& key() const { return key_; }
  NativeSessions& sessions() { return sessions_; }
  const SessionContext& context() const { return context_; }
  SessionStats& stats() { return sessions_.stats(); }

  /// The session as it is now. Valid until its hash changes.
  SessionContent Content() const;
  /// Its lock; false if nothing is known of one.
  SessionLocks::Use FindLock() { return NativeSessions::LocksOf(key_).Find(key_.key); }
  SessionLocks::Use GetLock() { return NativeSessions::LocksOf(key_).Get(key_.key); }
  CommitCase Decide(const CommitRequest& request) {
    return NativeSessions::LocksOf(key_).Decide(key_.key, request, Content().hash);
  }
  /// The session is destroyed: no fence of the past may make it again.
  void NoteDestroyed() {
    // A number of the next millisecond is also above those that another server has given in this.
    const int64_t last = context_.fences->Next(context_.wall_ms + 1, /*hash_fence=*/0);
    NativeSessions::LocksOf(key_).NoteDestroyed(key_.key, last, context_.now_ms);
  }
  /// The fence has made the session.
  void NoteSpent(int64_t fence) { NativeSessions::LocksOf(key_).NoteSpent(fence, context_.now_ms); }
  void Apply(const SessionEffects& effects, const SessionLocks::Use& lock) {
    sessions_.Apply(key_, effects, lock);
  }

  /// The client's name for the locks.
  uint64_t party();
  /// The text for a client that says nothing of itself: its address.
  std::string DefaultOwner() const;
  /// Notes that the client has the session's lock, or has it no more.
  void NoteHeld(int64_t fence);
  void ForgetHeld(int64_t fence);
  void ForgetHeld();

  /// What OPEN and READ answer. Data is left out if the version is `known`. `fence`: 0: no lock.
  void ReplyState(int64_t fence, std::optional<std::string_view> known,
                  const BrokenSession* broken = nullptr);
  void ReplyFenced(const Fenced& fenced);
  /// Why an OPEN has not got the lock. `ahead`: how many wait before it.
  void ReplyLocked(SessionLock& lock, size_t ahead);

 private:
  Call& call_;
  NativeSessions& sessions_;
  const GuardedKey key_;
  const SessionContext context_;
  bool ok_ = true;
};

/// A fence among the arguments.
int64_t TakeFence(Arguments& args);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_SESSION_CALL_H_
