#ifndef CLOAKROOM_BENCH_SALE_DAY_PROBE_H_
#define CLOAKROOM_BENCH_SALE_DAY_PROBE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>
#include <thread>

#include "bench/sale_day/figures.h"

namespace cloakroom::bench {

void SleepNs(int64_t ns);

/// A client of a server that another client keeps busy: it sends one request after another, with a
/// pause between, on a thread and a connection of its own, from construction until Stop.
class Probe {
 public:
  /// Gives the next request and owns its bytes until it is called again, on the probe's thread.
  using Requests = std::function<std::string_view()>;

  Probe(int port, int64_t pause_us, Requests requests);
  ~Probe();
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  /// Ends the thread. Returns the latencies of all requests.
  Latencies Stop();

 private:
  void Run(int port, int64_t pause_us);

  Requests requests_;
  std::atomic<bool> running_ = false;
  std::atomic<bool> stopping_ = false;
  Latencies latencies_;
  std::thread thread_;
};

}  // namespace cloakroom::bench

#endif  // CLOAKROOM_BENCH_SALE_DAY_PROBE_H_
