#include "storage/keyspace/access_clock.h"

#include <algorithm>

#include "absl/random/distributions.h"

namespace cloakroom::access_clock {
namespace {

uint32_t MinuteAt(int64_t now_ms) { return static_cast<uint32_t>(now_ms / 60'000) & 0xffff; }

}  // namespace

uint32_t Restored(const Recorded& recorded, bool uses_lfu, int64_t now_ms) {
  if (uses_lfu) {
    const uint32_t fresh = LfuNew(now_ms);
    constexpr uint32_t kCounter = 0xff;
    return recorded.lfu_counter < 0
               ? fresh
               : (fresh & ~kCounter) | static_cast<uint32_t>(recorded.lfu_counter);
  }
  // What is longer ago than the clock can tell is as long ago as it can tell.
  const int64_t idle_seconds = std::clamp<int64_t>(recorded.idle_seconds, 0, kMask);
  return LruAt(now_ms - idle_seconds * 1000);
}

int64_t IdleSeconds(uint32_t access, int64_t now_ms) { return (LruAt(now_ms) - access) & kMask; }

uint32_t LfuNew(int64_t now_ms) { return (MinuteAt(now_ms) << 8) | kLfuInitial; }

uint8_t LfuDecayed(uint32_t access, int64_t now_ms, int decay_minutes) {
  uint8_t counter = access & 0xff;
  if (decay_minutes <= 0) return counter;
  uint32_t elapsed = (MinuteAt(now_ms) - (access >> 8)) & 0xffff;
  uint32_t periods = elapsed / static_cast<uint32_t>(decay_minutes);
  return periods >= counter ? 0 : static_cast<uint8_t>(counter - periods);
}

uint32_t LfuTouched(uint32_t access, int64_t now_ms, int decay_minutes, int log_factor,
                    absl::BitGenRef random) {
  uint8_t counter = LfuDecayed(access, now_ms, decay_minutes);
  if (counter < 255) {
    double above = counter > kLfuInitial ? counter - kLfuInitial : 0;
    if (absl::Uniform<double>(random, 0, 1) < 1.0 / (above * log_factor + 1)) ++counter;
  }
  return (MinuteAt(now_ms) << 8) | counter;
}

}  // namespace cloakroom::access_clock
