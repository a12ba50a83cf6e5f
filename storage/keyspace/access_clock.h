#ifndef CLOAKROOM_STORAGE_KEYSPACE_ACCESS_CLOCK_H_
#define CLOAKROOM_STORAGE_KEYSPACE_ACCESS_CLOCK_H_

#include <cstdint>

#include "absl/random/bit_gen_ref.h"

namespace cloakroom {

/// What an entry remembers of its accesses, 24 bits, read by eviction and by OBJECT IDLETIME and
/// FREQ. Under an LFU policy: 16 bits of the minute in which the counter last decayed, and a
/// logarithmic counter of 8 bits, as Redis documents them for lfu-log-factor and lfu-decay-time.
/// Under every other policy: the second of the last access, modulo 2^24 (194 days).
namespace access_clock {

inline constexpr uint32_t kMask = (1u << 24) - 1;
/// The counter of a new key, which lets it collect hits before it is evicted.
inline constexpr uint8_t kLfuInitial = 5;

/// What a key had that comes from a file or another server.
struct Recorded {
  int64_t idle_seconds = -1;  ///< -1: not recorded
  int lfu_counter = -1;       ///< -1: not recorded
};
/// The access word of such a key.
uint32_t Restored(const Recorded& recorded, bool uses_lfu, int64_t now_ms);

inline uint32_t LruAt(int64_t now_ms) { return static_cast<uint32_t>(now_ms / 1000) & kMask; }
int64_t IdleSeconds(uint32_t access, int64_t now_ms);

uint32_t LfuNew(int64_t now_ms);
/// The counter after one decrement for every `decay_minutes` since it last decayed (0: never).
uint8_t LfuDecayed(uint32_t access, int64_t now_ms, int decay_minutes);
/// The access word after one more hit, which counts with probability 1/((n - 5) * factor + 1).
uint32_t LfuTouched(uint32_t access, int64_t now_ms, int decay_minutes, int log_factor,
                    absl::BitGenRef random);

}  // namespace access_clock
}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_KEYSPACE_ACCESS_CLOCK_H_
