#ifndef CLOAKROOM_STORAGE_KEYSPACE_KEY_GUARD_H_
#define CLOAKROOM_STORAGE_KEYSPACE_KEY_GUARD_H_

#include <cstdint>
#include <string_view>

#include "storage/keyspace/key_hash.h"

namespace cloakroom {

class Database;
class Hold;
struct Stripe;

/// A key under the hold of whoever reads or changes it.
struct GuardedKey {
  Hold& hold;
  Database& db;
  std::string_view key;
  KeyHash hash;
  int64_t now_ms;
};

/// Hears of every change of a key that is not its own, in stripes where a session's lock is known
/// (Stripe::sessions). It may change the key itself, by scopes that say so (Writer::kSession).
///
/// Thread rule: any thread, with the key's stripe held, or its gate closed.
class KeyGuard {
 public:
  enum class Fate : uint8_t {
    kWritten,   ///< its value or its expiry was changed
    kReplaced,  ///< it was deleted, renamed or overwritten
    kExpired,   ///< it has expired, or was evicted
  };

  virtual ~KeyGuard() = default;
  /// A command is about to open the key for a change. False: the key is not guarded, so AfterWrite
  /// need not follow.
  virtual bool BeforeWrite(const GuardedKey& key) = 0;
  /// It has changed the key. The calls for keys that are not guarded do nothing.
  virtual void AfterWrite(const GuardedKey& key, Fate fate) = 0;
  /// All contents of the stripe were flushed or swapped. REQUIRES: the gate is closed.
  virtual void AfterReplace(Hold& hold, Database& db, Stripe& stripe, int64_t now_ms) = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_KEYSPACE_KEY_GUARD_H_
