#include "server/context/worker_pool.h"

#include <utility>

#include "server/context/thread_priority.h"
#include "storage/base/memory_meter.h"

namespace cloakroom {

WorkerPool::WorkerPool(int threads, Priority priority) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this, priority] { Run(priority); });
}

WorkerPool::~WorkerPool() { Stop(); }

void WorkerPool::Stop() {
  std::deque<std::function<void()>> dropped;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    // Not under the mutex: destroying what a job holds may post another.
    dropped.swap(jobs_);
    waiting_ = 0;
  }
  dropped.clear();
  changed_.NotifyAll();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void WorkerPool::Post(std::function<void()> job) {
  MutexLock lock(mutex_);
  if (stopping_) return;
  jobs_.push_back(std::move(job));
  waiting_ = jobs_.size();
  // Under the mutex: as soon as the job has run, the pool may be destroyed.
  changed_.NotifyOne();
}

void WorkerPool::Run(Priority priority) {
  MemoryMeter::RegisterThread();
  if (priority == Priority::kBehindEventLoops) GiveWayToEventLoops();
  while (true) {
    std::function<void()> job;
    {
      MutexLock lock(mutex_);
      while (jobs_.empty() && !stopping_) changed_.Wait(mutex_);
      if (stopping_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
      waiting_ = jobs_.size();
    }
    job();
    job = nullptr;
    MemoryMeter::Publish();
  }
}

}  // namespace cloakroom
