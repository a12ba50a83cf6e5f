#include "bench/sale_day/replica_lag.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>

#include "bench/sale_day/probe.h"
#include "bench/sale_day/wire.h"
#include "clients/request.h"

namespace cloakroom::bench {

namespace {

constexpr int64_t kRecordKeys = 100'000;
constexpr size_t kRecordBatch = 200;

constexpr int64_t kLookAgainNs = 500'000;
constexpr int64_t kBetweenSamplesNs = 5'000'000;
constexpr int64_t kCatchUpNs = 60 * kSecond;

std::string RecordKey(int64_t n) {
  return "product_" + std::to_string(100'000'000'000'000'000 + n);
}

/// Samples the lag on a thread of its own, from construction until Stop.
class LagProbe {
 public:
  LagProbe(int port, int replica_port)
      : thread_([this, port, replica_port] { Run(port, replica_port); }) {}
  ~LagProbe() { Join(); }
  LagProbe(const LagProbe&) = delete;
  LagProbe& operator=(const LagProbe&) = delete;

  void Stop(Figures& figures) {
    Join();
    Figures times;
    lags_.Report(times);
    for (const std::string which : {"p50", "p99", "max"})
      figures["lag_" + which + "_ms"] = times.at(which + "_us") / 1e3;
    figures["lag_max_bytes"] = static_cast<double>(max_bytes_);
  }

 private:
  void Join() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  void Run(int port, int replica_port);

  std::atomic<bool> stopping_ = false;
  Latencies lags_;
  int64_t max_bytes_ = 0;
  std::thread thread_;
};

void LagProbe::Run(int port, int replica_port) {
  // It shares its core with the load, see Probe.
  const sched_param priority{.sched_priority = 1};
  sched_setscheduler(0, SCHED_FIFO, &priority);
  Wire primary(port);
  Wire replica(replica_port);
  const auto applied = [&] { return replica.Info("replication", "slave_repl_offset"); };
  while (!stopping_.load()) {
    int64_t there = applied();
    const int64_t start = NowNs();
    const int64_t written = primary.Info("replication", "master_repl_offset");
    max_bytes_ = std::max(max_bytes_, written - there);
    while ((there = applied()) < written) {
      if (NowNs() - start > kCatchUpNs) Fail("the replica does not catch up");
      SleepNs(kLookAgainNs);
    }
    lags_.Add(NowNs() - start);
    SleepNs(kBetweenSamplesNs);
  }
}

Visit OneStep(std::string bytes, size_t replies) {
  return {{.bytes = std::move(bytes), .replies = replies}};
}

}  // namespace

Figures WriteRecords(int port, int64_t records) {
  Wire wire(port);
  const std::string value(100, 'v');
  const int64_t start = NowNs();
  std::string batch;
  size_t in_batch = 0;
  for (int64_t n = 0; n < records; ++n) {
    // A step that has no factor in common with the number of keys reaches all of them.
    AppendRequest(batch, {"SET", RecordKey(n * 7919 % kRecordKeys), value});
    if (++in_batch < kRecordBatch && n + 1 < records) continue;
    wire.Send(batch);
    wire.Await(in_batch);
    batch.clear();
    in_batch = 0;
  }
  return {{"seconds", static_cast<double>(NowNs() - start) / 1e9},
          {"keys", static_cast<double>(wire.DbSize())}};
}

Figures MeasureLag(const LoadOptions& options, int replica_port) {
  LagProbe probe(options.port, replica_port);
  Figures figures = RunCommand(options, "set");
  probe.Stop(figures);
  return figures;
}

Figures MeasureWait(const LoadOptions& options) {
  LoadOptions one = options;
  one.connections = 1;
  const Figures ping = RunLoad(one, {OneStep(Request({"PING"}), 1)}, 1);
  const std::string set = Request({"SET", RecordKey(0), std::string(100, 'v')});
  Figures figures = RunLoad(one, {OneStep(set + Request({"WAIT", "1", "0"}), 2)}, 1);
  for (const std::string which : {"p50_us", "p99_us"}) figures["ping_" + which] = ping.at(which);
  return figures;
}

}  // namespace cloakroom::bench
