#ifndef CLOAKROOM_TESTS_REPLICATION_SUPPORT_MANUAL_CLOCK_H_
#define CLOAKROOM_TESTS_REPLICATION_SUPPORT_MANUAL_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "storage/base/clock.h"

namespace cloakroom {

/// Stands until a test moves it. Any thread.
class ManualClock final : public Clock {
 public:
  int64_t NowMs() const override { return us_ / 1000; }
  int64_t MonotonicUs() const override { return us_; }
  void AdvanceMs(int64_t ms) { us_ += ms * 1000; }

 private:
  std::atomic<int64_t> us_ = int64_t{1'700'000'000} * 1'000'000;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_REPLICATION_SUPPORT_MANUAL_CLOCK_H_
