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

  /// For a keyspace beside another one.
  void CopyFrom(const StorageSettings& other) {
    const auto copy = [](auto& to, const auto& from) { to.store(from.load()); };
    copy(policy, other.policy);
    copy(maxmemory_bytes, other.maxmemory_bytes);
    copy(maxmemory_samples, other.maxmemory_samples);
    copy(lfu_log_factor, other.lfu_log_factor);
    copy(lfu_decay_minutes, other.lfu_decay_minutes);
    copy(active_expire, other.active_expire);
    copy(unchanging_until_ms, other.unchanging_until_ms);
    copy(expires_by_primary, other.expires_by_primary);
    copy(evicts_by_primary, other.evicts_by_primary);
    copy(hash_max_listpack_entries, other.hash_max_listpack_entries);
    copy(hash_max_listpack_value_bytes, other.hash_max_listpack_value_bytes);
    copy(set_max_intset_entries, other.set_max_intset_entries);
    copy(set_max_listpack_entries, other.set_max_listpack_entries);
    copy(set_max_listpack_value_bytes, other.set_max_listpack_value_bytes);
    copy(zset_max_listpack_entries, other.zset_max_listpack_entries);
    copy(zset_max_listpack_value_bytes, other.zset_max_listpack_value_bytes);
    copy(list_max_listpack_size, other.list_max_listpack_size);
    copy(stream_node_max_bytes, other.stream_node_max_bytes);
    copy(stream_node_max_entries, other.stream_node_max_entries);
  }

  /// Whether expired entries are only hidden at this time.
  bool keeps_expired(int64_t now_ms) const {
    return unchanging_until_ms.load(std::memory_order_relaxed) > now_ms ||
           expires_by_primary.load(std::memory_order_relaxed);
  }

  std::atomic<uint32_t> hash_max_listpack_entries = 128;
  std::atomic<uint32_t> hash_max_listpack_value_bytes = 64;
  std::atomic<uint32_t> set_max_intset_entries = 512;
  std::atomic<uint32_t> set_max_listpack_entries = 128;
  std::atomic<uint32_t> set_max_listpack_value_bytes = 64;
  std::atomic<uint32_t> zset_max_listpack_entries = 128;
  std::atomic<uint32_t> zset_max_listpack_value_bytes = 64;
  std::atomic<int> list_max_listpack_size = -2;
  std::atomic<uint32_t> stream_node_max_bytes = 4096;
  std::atomic<uint32_t> stream_node_max_entries = 100;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_KEYSPACE_SETTINGS_H_
