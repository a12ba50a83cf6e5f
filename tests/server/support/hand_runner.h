#ifndef CLOAKROOM_TESTS_SERVER_SUPPORT_HAND_RUNNER_H_
#define CLOAKROOM_TESTS_SERVER_SUPPORT_HAND_RUNNER_H_

#include <deque>
#include <functional>
#include <utility>

#include "gtest/gtest.h"
#include "server/persistence/job_runner.h"

namespace cloakroom {

/// Keeps jobs until the test runs them, on its own thread. One thread.
class HandRunner final : public JobRunner {
 public:
  void Run(std::function<void()> job) override { jobs_.push_back(std::move(job)); }

  size_t waiting() const { return jobs_.size(); }
  /// Runs the next job, as the save thread would.
  void RunNext() {
    ASSERT_FALSE(jobs_.empty());
    const std::function<void()> job = std::exchange(jobs_.front(), nullptr);
    jobs_.pop_front();
    job();
  }

 private:
  std::deque<std::function<void()>> jobs_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_SERVER_SUPPORT_HAND_RUNNER_H_
