#include "storage/sessions/session_fences.h"

#include <algorithm>

namespace cloakroom {
namespace {

/// The clock counts up to here, the year 2109: two days later its number would be too great, and
/// the fences that only count on need room.
constexpr int64_t kLastMs = kMaxFence / SessionFences::kPerMs - 2 * SessionFences::kDayMs;

}  // namespace

int64_t SessionFences::Next(int64_t wall_ms, int64_t hash_fence) {
  const int64_t clock = std::clamp(wall_ms, int64_t{0}, kLastMs) * kPerMs + start_;
  int64_t least = std::max(clock, int64_t{1});
  if (hash_fence < clock + kDayMs * kPerMs) least = std::max(least, hash_fence + 1);
  int64_t last = last_.load(std::memory_order_relaxed);
  int64_t fence = 0;
  do {
    fence = std::min(std::max(least, last + 1), kMaxFence);
  } while (!last_.compare_exchange_weak(last, fence, std::memory_order_relaxed));
  return fence;
}

}  // namespace cloakroom
