#include "bench/sale_day/probe.h"

#include <sched.h>
#include <time.h>

#include <utility>

#include "bench/sale_day/wire.h"

namespace cloakroom::bench {

void SleepNs(int64_t ns) {
  const timespec time{ns / 1'000'000'000, ns % 1'000'000'000};
  nanosleep(&time, nullptr);
}

Probe::Probe(int port, int64_t pause_us, Requests requests)
    : requests_(std::move(requests)), thread_([this, port, pause_us] { Run(port, pause_us); }) {
  while (!running_.load()) SleepNs(1'000'000);
}

Probe::~Probe() { Stop(); }

Latencies Probe::Stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  return std::move(latencies_);
}

void Probe::Run(int port, int64_t pause_us) {
  // The load shares the probe's core: without priority the probe would measure its own queueing.
  // Only root may set it; without it the figures are a little worse for both servers alike.
  const sched_param priority{.sched_priority = 1};
  sched_setscheduler(0, SCHED_FIFO, &priority);
  Wire wire(port);
  while (!stopping_.load(std::memory_order_relaxed)) {
    const std::string_view request = requests_();
    const int64_t start = NowNs();
    wire.Send(request);
    wire.Await(1);
    latencies_.Add(NowNs() - start);
    running_ = true;
    SleepNs(pause_us * 1000);
  }
}

}  // namespace cloakroom::bench
