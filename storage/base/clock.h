#ifndef CLOAKROOM_STORAGE_BASE_CLOCK_H_
#define CLOAKROOM_STORAGE_BASE_CLOCK_H_

#include <chrono>
#include <cstdint>
#include <limits>

namespace cloakroom {

/// The time at which something expires or is due that never does: later than all times.
inline constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

/// A time at which nothing has expired yet, for replaying the log: the log itself says what
/// expired, and when.
inline constexpr int64_t kNothingExpiresMs = 0;

/// The server's source of time. Injected, so that tests can move it. Thread rule: any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Milliseconds since the Unix epoch; may jump when the administrator sets the clock.
  virtual int64_t NowMs() const = 0;
  /// The same in microseconds, as exactly as the clock knows it.
  virtual int64_t NowUs() const { return NowMs() * 1000; }
  /// Microseconds that never go back, from an arbitrary start: for durations.
  virtual int64_t MonotonicUs() const = 0;
};

class SystemClock final : public Clock {
 public:
  int64_t NowMs() const override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  int64_t NowUs() const override {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  int64_t MonotonicUs() const override {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_BASE_CLOCK_H_
