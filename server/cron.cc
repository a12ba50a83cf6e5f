#include "server/cron.h"

#include <chrono>

#include "storage/memory_meter.h"

namespace cloakroom {
namespace {

constexpr auto kPeriod = std::chrono::milliseconds(100);

}  // namespace

Cron::Cron(Server& server)
    : server_(server), expirer_(server.keyspace()), thread_([this] { Run(); }) {}

Cron::~Cron() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool Cron::stopping() const {
  MutexLock lock(mutex_);
  return stopping_;
}

void Cron::Run() {
  MemoryMeter::RegisterThread();
  while (true) {
    {
      MutexLock lock(mutex_);
      if (!stopping_) changed_.wait_for(mutex_, kPeriod);
      if (stopping_) return;
    }
    if (server_.keyspace().settings().active_expire) {
      expirer_.Run([this] { return !stopping(); });
    }
  }
}

}  // namespace cloakroom
