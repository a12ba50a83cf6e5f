#ifndef CLOAKROOM_SERVER_SESSIONS_SESSION_FIELDS_H_
#define CLOAKROOM_SERVER_SESSIONS_SESSION_FIELDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/keyspace/entry.h"
#include "storage/keyspace/key_guard.h"
#include "storage/sessions/session_effects.h"
#include "storage/sessions/session_hash.h"
#include "storage/values/item.h"

namespace cloakroom {

/// The fields of a session's hash, by the names of the library php-redis-session-abstract, which
/// Magento uses. What else is in the hash is left alone.
namespace session_field {
inline constexpr std::string_view kData = "data";      ///< the session, opaque here
inline constexpr std::string_view kWrites = "writes";  ///< how often it was written
inline constexpr std::string_view kLock = "lock";      ///< the lock's count
inline constexpr std::string_view kPid = "pid";        ///< who took the lock, or wrote last
inline constexpr std::string_view kReq = "req";        ///< the request of the lock's holder
inline constexpr std::string_view kWait = "wait";      ///< how many plain clients wait
}  // namespace session_field

/// A session as its hash says it. A key that is absent, or holds another type, is no session.
/// Valid until the hash changes.
struct SessionContent {
  SessionHash hash;
  std::optional<ItemValue> data;
  bool only_lock = false;  ///< of a hash: it was made for the lock, and holds no session
  int64_t ttl_ms = -2;     ///< as PTTL says it: -1: it does not expire, -2: there is none
};
SessionContent ReadSession(const Entry* entry, int64_t now_ms);

/// What a COMMIT writes besides the lock's count, which becomes 0.
struct SessionCommit {
  std::optional<std::string_view> data;  ///< nullopt: unchanged
  int64_t writes = 0;
  std::string pid;
  std::optional<int64_t> expire_at_ms;  ///< nullopt: as it is; kNoExpiry: never
};
/// Writes the fields that differ, as one change of the key. REQUIRES: the key is absent or holds a
/// hash.
void WriteSession(const GuardedKey& key, const SessionCommit& commit);

/// Publishes a lock in the hash, or takes it out; a hash that had nothing else is gone then.
/// `ttl_ms`: of a hash that this makes.
void EditSession(const GuardedKey& key, const SessionEffects& effects, int64_t ttl_ms);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SESSIONS_SESSION_FIELDS_H_
