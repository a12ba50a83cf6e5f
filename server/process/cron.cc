#include "server/process/cron.h"

#include <chrono>

#include "server/config/config.h"
#include "server/context/thread_priority.h"
#include "server/info/sampler.h"
#include "server/metrics/latency_monitor.h"
#include "server/persistence/persistence.h"
#include "server/sessions/native_sessions.h"
#include "server/tracking/tracking_table.h"
#include "storage/base/memory_meter.h"
#include "storage/keyspace/reclaimer.h"

namespace cloakroom {

Cron::Cron(Server& server)
    : server_(server),
      expirer_(server.keyspace()),
      evictor_(server.keyspace(), server.keyspace().background_slot()),
      thread_([this] { Run(); }) {}

Cron::~Cron() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

bool Cron::stopping() const {
  MutexLock lock(mutex_);
  return stopping_;
}

void Cron::Run() {
  MemoryMeter::RegisterThread();
  GiveWayToEventLoops();
  for (int turn = 0;; ++turn) {
    const int turns_per_second = server_.settings().hz;
    const auto next =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(1000 / turns_per_second);
    {
      MutexLock lock(mutex_);
      if (!stopping_) static_cast<void>(changed_.WaitUntil(mutex_, next));
      if (stopping_) return;
    }
    // Saves do not publish their memory by themselves.
    MemoryMeter::PublishAll();
    if (server_.keyspace().settings().active_expire) Expire();
    Evict();
    server_.sampler().SampleRates(server_);
    server_.persistence().Tick();
    server_.tracking().Trim();
    if (turn % turns_per_second != 0) continue;
    server_.sampler().SampleFigures(server_);
    server_.sessions().Sweep();
  }
}

void Cron::Expire() {
  int64_t started_us = server_.clock().MonotonicUs();
  expirer_.Run([this] { return !stopping(); });
  int64_t took_ms = (server_.clock().MonotonicUs() - started_us) / 1000;
  int64_t threshold_ms = server_.settings().latency_monitor_threshold_ms;
  if (threshold_ms > 0 && took_ms >= threshold_ms) {
    server_.latency().Add("expire-cycle", server_.clock().NowMs() / 1000, took_ms);
  }
}

/// Whoever writes makes the room that it needs. This is for a limit that was lowered on a server
/// that is only read. What was evicted already may not be free yet: then it stops.
void Cron::Evict() {
  constexpr int kMostSlices = 32;
  for (int i = 0; i < kMostSlices && evictor_.OverLimit() && !stopping(); ++i) {
    if (server_.keyspace().reclaimer().pending() > 0) return;
    if (evictor_.MakeRoom() != Evictor::Room::kBelowLimit) return;
  }
}

}  // namespace cloakroom
