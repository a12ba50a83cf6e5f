#include "bench/sale_day/stall.h"

#include <functional>

#include "bench/sale_day/probe.h"
#include "bench/sale_day/wire.h"

namespace cloakroom::bench {

namespace {

constexpr size_t kFillBatch = 500;
constexpr size_t kGrowBatch = 16;
constexpr int64_t kGiveUpNs = 60 * kSecond;

double Seconds(int64_t ns) { return static_cast<double>(ns) / 1e9; }

/// Adds `items` keys; `expire_at_ms` 0 means that they never expire.
void Fill(Wire& wire, int64_t items, int64_t expire_at_ms, size_t batch_size) {
  const std::string when = std::to_string(expire_at_ms);
  const std::string value(32, 'v');
  std::string batch;
  size_t in_batch = 0;
  for (int64_t n = 0; n < items; ++n) {
    const std::string key = "product_" + std::to_string(1'000'000'000 + n);
    if (expire_at_ms > 0)
      AppendRequest(batch, {"SET", key, value, "PXAT", when});
    else
      AppendRequest(batch, {"SET", key, value});
    if (++in_batch == batch_size || n + 1 == items) {
      wire.Send(batch);
      wire.Await(in_batch);
      batch.clear();
      in_batch = 0;
    }
  }
}

Figures Watched(const StallOptions& options, const std::function<void(Figures&)>& work) {
  Figures figures;
  const std::string get = Request({"GET", "probe"});
  Probe probe(options.port, options.probe_pause_us, [&get] { return std::string_view(get); });
  SleepNs(kSecond / 5);
  const int64_t start = NowNs();
  work(figures);
  figures["work_s"] = Seconds(NowNs() - start);
  SleepNs(kSecond / 5);
  probe.Stop().Report(figures);
  return figures;
}

/// How long one Fill of `items` takes, measured on a tenth of it.
int64_t FillMs(Wire& wire, int64_t items) {
  const int64_t start = NowNs();
  Fill(wire, items / 10, 0, kFillBatch);
  return (NowNs() - start) * 10 / 1'000'000;
}

Figures Expire(const StallOptions& options, Wire& wire) {
  const int64_t fill_ms = FillMs(wire, options.items);
  wire.Ask({"FLUSHALL", "SYNC"});
  const int64_t empty_bytes = wire.Info("memory", "used_memory");
  const int64_t expire_at_ms = UnixMs() + 2 * fill_ms + 2000;
  Fill(wire, options.items, expire_at_ms, kFillBatch);
  const int64_t full_bytes = wire.Info("memory", "used_memory");
  if (wire.DbSize() != options.items) Fail("keys expired while they were written");
  while (UnixMs() < expire_at_ms - 500) SleepNs(10'000'000);

  return Watched(options, [&](Figures& figures) {
    while (UnixMs() < expire_at_ms) SleepNs(1'000'000);
    const int64_t start = NowNs();
    const int64_t enough = empty_bytes + (full_bytes - empty_bytes) / 20;
    figures["gone_s"] = figures["memory_back_s"] = -1;
    while (NowNs() - start < kGiveUpNs) {
      SleepNs(20'000'000);
      const double now_s = Seconds(NowNs() - start);
      if (figures["gone_s"] < 0 && wire.DbSize() == 0) figures["gone_s"] = now_s;
      if (figures["memory_back_s"] < 0 && wire.Info("memory", "used_memory") <= enough) {
        figures["memory_back_s"] = now_s;
      }
      if (figures["gone_s"] >= 0 && figures["memory_back_s"] >= 0) return;
    }
    // It did not happen in time: report a figure that misses every goal.
    for (const char* figure : {"gone_s", "memory_back_s"}) {
      if (figures[figure] < 0) figures[figure] = Seconds(kGiveUpNs);
    }
  });
}

}  // namespace

Figures MeasureStall(const StallOptions& options, const std::string& scenario) {
  Wire wire(options.port);
  if (scenario == "quiet") {
    return Watched(options, [](Figures&) { SleepNs(3 * kSecond); });
  }
  if (scenario == "expire") return Expire(options, wire);
  if (scenario == "grow") {
    return Watched(options, [&](Figures&) { Fill(wire, options.items, 0, kGrowBatch); });
  }
  Fill(wire, options.items, 0, kFillBatch);
  if (scenario == "keys") {
    const std::string keys = Request({"KEYS", "*"});
    return Watched(options, [&](Figures&) {
      for (int i = 0; i < 3; ++i) {
        wire.Send(keys);
        wire.Await(1);
      }
    });
  }
  if (scenario == "flushall") {
    return Watched(options, [&](Figures&) { wire.Ask({"FLUSHALL"}); });
  }
  Fail("no such scenario: " + scenario);
}

}  // namespace cloakroom::bench
