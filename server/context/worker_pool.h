#ifndef CLOAKROOM_SERVER_CONTEXT_WORKER_POOL_H_
#define CLOAKROOM_SERVER_CONTEXT_WORKER_POOL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// Threads for work that would hold up an event loop: KEYS, unions of large sets, file work. Jobs
/// start in the order in which they were posted. Any thread may post.
class WorkerPool {
 public:
  /// Whether the threads run behind event loops when cores are scarce (thread_priority.h), or share
  /// the cores with them: then jobs should spend their time in short system calls.
  enum class Priority : uint8_t { kBehindEventLoops, kAsEventLoops };

  explicit WorkerPool(int threads, Priority priority = Priority::kBehindEventLoops);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// After Stop, drops the job.
  void Post(std::function<void()> job);
  /// Whether a job waits for a thread. A long job should then give way.
  bool AnyWaits() const { return waiting_.load(std::memory_order_relaxed) > 0; }
  /// Drops the jobs that have not started, and waits for the others. Only one thread may call it,
  /// and no job.
  void Stop();

 private:
  void Run(Priority priority);

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> jobs_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::atomic<size_t> waiting_ = 0;  ///< size of jobs_
  std::vector<std::thread> threads_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_CONTEXT_WORKER_POOL_H_
