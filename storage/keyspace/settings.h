#ifndef CLOAKROOM_STORAGE_KEYSPACE_SETTINGS_H_
#define CLOAKROOM_STORAGE_KEYSPACE_SETTINGS_H_

#include <atomic>
#include <cstdint>

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
  std::atomic<EvictionPolicy> policy = EvictionPolicy::kNoEviction;
  std::atomic<int64_t> maxmemory_bytes = 0;  ///< 0: no limit
  std::atomic<int> maxmemory_samples = 5;
  std::atomic<int> lfu_log_factor = 10;
  std::atomic<int> lfu_decay_minutes = 1;
  std::atomic<bool> active_expire = true;  ///< DEBUG SET-ACTIVE-EXPIRE
  /// CLIENT PAUSE, in ms since the epoch: until then nothing changes by itself. Expired entries are
  /// hidden but kept, and nothing is evicted.
  std::atomic<int64_t> unchanging_until_ms = 0;
  /// Of a replica: keys expire by their primary's commands. Expired entries are hidden but kept,
  /// unless somebody writes to them here.
  std::atomic<bool> expires_by_primary = false;
  /// Of a replica, as a rule: keys are evicted by the primary's commands alone.
  std::atomic<bool> evicts_by_primary = false;

  /// Whether expired entries are only hidden at this time.
  bool keeps_expired(int64_t now_ms) const {
    return unchanging_until_ms.load(std::memory_order_relaxed) > now_ms ||
           expires_by_primary.load(std::memory_order_relaxed);
  }

  std::atomic<uint32_t> hash_max_listpack_entries = 128;
  std::atomic<uint32_t> hash_max_listpack_value = 64;
  std::atomic<uint32_t> set_max_intset_entries = 512;
  std::atomic<uint32_t> set_max_listpack_entries = 128;
  std::atomic<uint32_t> set_max_listpack_value = 64;
  std::atomic<uint32_t> zset_max_listpack_entries = 128;
  std::atomic<uint32_t> zset_max_listpack_value = 64;
  std::atomic<int> list_max_listpack_size = -2;
  std::atomic<uint32_t> stream_node_max_bytes = 4096;
  std::atomic<uint32_t> stream_node_max_entries = 100;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_KEYSPACE_SETTINGS_H_
