#ifndef CLOAKROOM_TESTS_SUPPORT_TEST_CLOCK_H_
#define CLOAKROOM_TESTS_SUPPORT_TEST_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "storage/base/clock.h"

namespace cloakroom {

/// A clock that stands still until a test moves it. Any thread.
class TestClock final : public Clock {
 public:
  static constexpr int64_t kStartMs = 1'800'000'000'000;

  int64_t NowMs() const override { return now_ms; }
  int64_t MonotonicUs() const override {
    passed_us_ += step_us;
    return (now_ms - kStartMs) * 1000 + passed_us_;
  }
  void AdvanceMs(int64_t ms) { now_ms += ms; }

  std::atomic<int64_t> now_ms = kStartMs;
  /// For work that takes time: each reading of the monotonic clock moves it on by this much.
  std::atomic<int64_t> step_us = 0;

 private:
  mutable std::atomic<int64_t> passed_us_ = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_SUPPORT_TEST_CLOCK_H_
