#ifndef CLOAKROOM_SERVER_PERSISTENCE_JOB_RUNNER_H_
#define CLOAKROOM_SERVER_PERSISTENCE_JOB_RUNNER_H_

#include <functional>

namespace cloakroom {

/// Runs jobs one after another: on a thread in a server, by hand in a test.
///
/// Thread rule: any thread.
class JobRunner {
 public:
  virtual ~JobRunner() = default;
  /// Has the job run after those before it. Never runs it within the call.
  virtual void Run(std::function<void()> job) = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_JOB_RUNNER_H_
