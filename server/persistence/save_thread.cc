#include "server/persistence/save_thread.h"

#include <utility>

#include "server/context/thread_priority.h"
#include "storage/base/memory_meter.h"

namespace cloakroom {

SaveThread::SaveThread() : thread_([this] { Loop(); }) {}

SaveThread::~SaveThread() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

void SaveThread::Run(std::function<void()> job) {
  {
    MutexLock lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  changed_.NotifyAll();
}

void SaveThread::Loop() {
  MemoryMeter::RegisterThread();
  TakeShortTurns();
  MutexLock lock(mutex_);
  while (true) {
    while (jobs_.empty() && !stopping_) changed_.Wait(mutex_);
    if (jobs_.empty()) return;
    std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    mutex_.Unlock();
    job();
    // Destroying what the job holds may take locks.
    job = nullptr;
    mutex_.Lock();
  }
}

}  // namespace cloakroom
