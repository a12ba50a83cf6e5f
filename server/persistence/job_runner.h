#ifndef CLOAKROOM_SERVER_PERSISTENCE_JOB_RUNNER_H_
#define CLOAKROOM_SERVER_PERSISTENCE_JOB_RUNNER_H_

#include <functional>

namespace cloakroom {

/// Runs jobs one after another, somewhere else: a thread in a server, by hand in a test.
///
/// Thread rule: any thread.
class JobRunner {
 public:
  virtual ~JobRunner() = default;
  /// The job will run once those before it have. Never runs it at once.
  virtual void Run(std::function<void()> job) = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_JOB_RUNNER_H_
