#ifndef CLOAKROOM_STORAGE_KEYSPACE_SETTINGS_H_
#define CLOAKROOM_STORAGE_KEYSPACE_SETTINGS_H_

#include <cstdint>

#include "storage/base/relaxed.h"
#include "storage/values/encoding_limits.h"

namespace cloakroom {

/// The eight values of maxmemory-policy.
enum class EvictionPolicy : uint8_t {
  kNoEviction,
  kAllKeysLru,
  kAllKeysLfu,
  kAllKeysRandom,
  kVolatileLru,
  kVolatileLfu,
  kVolatileRandom,
  kVolatileTtl,
};

inline bool UsesLfu(EvictionPolicy policy) {
  return policy == EvictionPolicy::kAllKeysLfu || policy == EvictionPolicy::kVolatileLfu;
}
inline bool OnlyVolatile(EvictionPolicy policy) { return policy >= EvictionPolicy::kVolatileLru; }

/// The settings that the keyspace reads while it works. Each is independent of the others, so any
/// thread may change or read one at any time.
struct StorageSettings {
  Relaxed<EvictionPolicy> policy = EvictionPolicy::kNoEviction;
  Relaxed<int64_t> maxmemory_bytes = 0;  ///< 0: no limit
  Relaxed<int> maxmemory_samples = 5;
  Relaxed<int> lfu_log_factor = 10;
  Relaxed<int> lfu_decay_minutes = 1;
  Relaxed<bool> active_expire = true;  ///< DEBUG SET-ACTIVE-EXPIRE
  /// CLIENT PAUSE, in ms since the epoch: until then nothing changes by itself. Expired entries are
  /// hidden but kept, and nothing is evicted.
  Relaxed<int64_t> unchanging_until_ms = 0;
  /// Of a replica: keys expire by their primary's commands. Expired entries are hidden but kept,
  /// unless somebody writes to them here.
  Relaxed<bool> expires_by_primary = false;
  /// Of a replica, as a rule: keys are evicted by the primary's commands alone.
  Relaxed<bool> evicts_by_primary = false;
  EncodingLimits encoding;

  /// Whether expired entries are only hidden at this time.
  bool keeps_expired(int64_t now_ms) const {
    return unchanging_until_ms > now_ms || expires_by_primary;
  }
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_KEYSPACE_SETTINGS_H_
