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
    job_ = std::move(job);
  }
  changed_.NotifyAll();
}

bool SaveThread::idle() const {
  MutexLock lock(mutex_);
  return job_ == nullptr;
}

void SaveThread::WaitUntilIdle() {
  MutexLock lock(mutex_);
  while (job_ != nullptr) changed_.Wait(mutex_);
}

void SaveThread::Loop() {
  MemoryMeter::RegisterThread();
  TakeShortTurns();
  MutexLock lock(mutex_);
  while (true) {
    while (job_ == nullptr && !stopping_) changed_.Wait(mutex_);
    if (job_ == nullptr) return;
    const std::function<void()> job = job_;
    mutex_.Unlock();
    job();
    mutex_.Lock();
    job_ = nullptr;
    changed_.NotifyAll();
  }
}

}  // namespace cloakroom
