#ifndef CLOAKROOM_STORAGE_SESSIONS_SESSION_EFFECTS_H_
#define CLOAKROOM_STORAGE_SESSIONS_SESSION_EFFECTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/sessions/session_queue.h"

namespace cloakroom {

/// What a native lock needs of the session's hash.
enum class SessionHashEdit : uint8_t {
  kNone,
  kPublish,  ///< write kPublishedLock as the lock's count, and the texts; make the hash if needed
  kClear,    ///< write 0 as the lock's count, and the pid if there is one
};

/// Why a native hold has ended.
enum class SessionEndCause : uint8_t {
  kReleased,  ///< by COMMIT, RELEASE or DESTROY
  kDropped,   ///< the connection ended, or reset its locks
  kDemoted,   ///< the server became a replica, or loads
  // Those that the holder did not want; FencedReason has the same.
  kBroken,
  kTaken,
  kChanged,
  kDeleted,
};

/// What a client says of itself.
struct SessionTexts {
  std::string_view owner = {};
  std::string_view req = {};
};

/// A native hold that has ended.
struct SessionEnd {
  SessionEndCause cause = SessionEndCause::kReleased;
  SessionClient client = {};
  int64_t fence = 0;
  int64_t held_ms = 0;
  std::string by = {};  ///< who ended it; empty: its client, or not known
  std::string by_req = {};
};

/// What the caller has to do after an event, before it gives the stripe back. All of it is in force
/// already as far as the lock is concerned.
struct SessionEffects {
  /// To write into the hash, as the server's own change. In one change with a COMMIT's fields.
  SessionHashEdit edit = SessionHashEdit::kNone;
  std::string pid = {};  ///< of kPublish; of kClear if not empty
  std::string req = {};  ///< of kPublish

  /// This waiter has the lock: its request must run again, on its own event loop. It may be told
  /// twice, after a grant that was revoked before its request ran.
  SessionWaiter* granted = nullptr;
  /// The lock was broken for it; whose that was, SessionWaiter::broken says.
  bool took_over = false;
  /// A native client has lost the lock. Not told of a grant that was revoked before the request of
  /// its waiter ran: nobody knew of that one.
  std::optional<SessionEnd> ended = {};
  bool turn_began = false;  ///< the lock is left free for plain clients
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_SESSIONS_SESSION_EFFECTS_H_
