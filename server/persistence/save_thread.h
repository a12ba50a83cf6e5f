#ifndef CLOAKROOM_SERVER_PERSISTENCE_SAVE_THREAD_H_
#define CLOAKROOM_SERVER_PERSISTENCE_SAVE_THREAD_H_

#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// The thread that saves: one job at a time. It collects what is saved, and so holds stripes that
/// commands wait for: it has the priority of those who wait, in short turns. What takes long, a
/// thread of low priority does for it (snapshot_file.h).
///
/// Thread rule: any thread.
class SaveThread {
 public:
  SaveThread();
  /// Waits for the job under way.
  ~SaveThread();
  SaveThread(const SaveThread&) = delete;
  SaveThread& operator=(const SaveThread&) = delete;

  /// REQUIRES: idle.
  void Run(std::function<void()> job);
  bool idle() const;
  void WaitUntilIdle();

 private:
  void Loop();

  mutable Mutex mutex_;
  CondVar changed_;
  std::function<void()> job_ ABSL_GUARDED_BY(mutex_);  ///< null: idle
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_SAVE_THREAD_H_
