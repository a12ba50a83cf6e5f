#include "bench/sale_day/persistence.h"

#include <memory>

#include "bench/sale_day/probe.h"
#include "bench/sale_day/process_tree.h"
#include "bench/sale_day/shapes.h"
#include "bench/sale_day/two_clients.h"
#include "bench/sale_day/wire.h"

namespace cloakroom::bench {

namespace {

constexpr int64_t kPollNs = 10'000'000;
constexpr int64_t kGiveUpNs = 500 * kSecond;
constexpr int64_t kSettleNs = 2 * kSecond;

TwoClients ClientsOf(const PersistenceOptions& options) {
  return {.port = options.port, .items = options.items, .pause_us = options.probe_pause_us};
}

/// Waits until no save and no rewrite runs.
void AwaitIdle(Wire& wire) {
  const int64_t start = NowNs();
  while (wire.Info("persistence", "rdb_bgsave_in_progress") != 0 ||
         wire.Info("persistence", "aof_rewrite_in_progress") != 0 ||
         wire.Info("persistence", "aof_rewrite_scheduled") != 0) {
    if (NowNs() - start > kGiveUpNs) Fail("it does not end");
    SleepNs(kPollNs);
  }
}

void ActOnce(Wire& wire, const std::string& action) {
  wire.Ask({action});
  AwaitIdle(wire);
  const std::string info = wire.Ask({"INFO", "persistence"}).text;
  const char* status =
      action == "BGSAVE" ? "rdb_last_bgsave_status:ok" : "aof_last_bgrewrite_status:ok";
  if (info.find(status) == std::string::npos) Fail(action + " failed");
}

/// Returns how many seconds the action took, on average.
double Act(const PersistenceOptions& options, const std::string& action, Wire& wire) {
  const int64_t start = NowNs();
  for (int i = 0; i < options.times; ++i) ActOnce(wire, action);
  return static_cast<double>(NowNs() - start) / 1e9 / options.times;
}

/// Runs the same action once more to measure only its memory: to read how much a process has, the
/// kernel walks its pages and keeps it from mapping any, which stalls it for tens of milliseconds
/// when it has gigabytes.
void MeasureMemory(const PersistenceOptions& options, Shape& shape, const std::string& action,
                   Wire& wire, Figures& figures) {
  Figures ignored;
  int64_t before_bytes = 0;
  int64_t peak_bytes = 0;
  Watched(ClientsOf(options), shape, "", ignored, [&] {
    PeakMemory quiet(options.server_pid);
    SleepNs(kSettleNs);
    before_bytes = quiet.Stop();
    PeakMemory meanwhile(options.server_pid);
    Act(options, action, wire);
    peak_bytes = meanwhile.Stop();
  });
  figures["memory_before_bytes"] = static_cast<double>(before_bytes);
  figures["memory_peak_bytes"] = static_cast<double>(peak_bytes);
  figures["memory_ratio"] = static_cast<double>(peak_bytes) / static_cast<double>(before_bytes);
}

}  // namespace

Figures MeasurePersistence(const PersistenceOptions& options, const std::string& shape,
                           const std::string& action) {
  Wire wire(options.port);
  const std::unique_ptr<Shape> data = MakeShape(shape);
  Fill(wire, *data, options.items);
  AwaitIdle(wire);
  SleepNs(kSettleNs);
  Figures figures;
  const TwoClients clients = ClientsOf(options);
  Watched(clients, *data, "quiet_", figures, [&] { SleepNs(options.quiet_seconds * kSecond); });
  Watched(clients, *data, "", figures, [&] { figures["seconds"] = Act(options, action, wire); });
  MeasureMemory(options, *data, action, wire, figures);
  AddRatiosToQuiet(figures);
  figures["keys"] = static_cast<double>(wire.DbSize());
  return figures;
}

}  // namespace cloakroom::bench
