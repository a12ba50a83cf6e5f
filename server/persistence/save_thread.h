#ifndef CLOAKROOM_SERVER_PERSISTENCE_SAVE_THREAD_H_
#define CLOAKROOM_SERVER_PERSISTENCE_SAVE_THREAD_H_

#include <deque>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "server/persistence/job_runner.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// The thread that saves. While it collects the data it holds stripes that commands wait for; so it
/// has the same priority as event loops, and takes short turns. A thread of low priority does the
/// long work for it (snapshot_writer.h).
///
/// Thread rule: any thread.
class SaveThread final : public JobRunner {
 public:
  SaveThread();
  /// Waits for all jobs.
  ~SaveThread() override;
  SaveThread(const SaveThread&) = delete;
  SaveThread& operator=(const SaveThread&) = delete;

  void Run(std::function<void()> job) override;

 private:
  void Loop();

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> jobs_ ABSL_GUARDED_BY(mutex_);  ///< without the one that runs
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_SAVE_THREAD_H_
