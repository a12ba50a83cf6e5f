#include "bench/sale_day/persistence.h"

#include <functional>
#include <random>

#include "bench/sale_day/probe.h"
#include "bench/sale_day/process_tree.h"
#include "bench/sale_day/wire.h"

namespace cloakroom::bench {

namespace {

constexpr size_t kFillBatch = 200;
constexpr size_t kValueBytes = 1024;
constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kPollNs = 10'000'000;
constexpr int64_t kGiveUpNs = 500 * kSecond;
constexpr int64_t kSettleNs = 2 * kSecond;

/// Values of which half the bytes are noise and half repeat, as serialized sessions do. Cutting the
/// noise from a pool costs a copy and no random numbers.
class Values {
 public:
  Values() {
    std::mt19937_64 random(7);
    for (char& c : noise_) c = static_cast<char>(random());
    while (text_.size() < kValueBytes / 2) text_ += "s:9:\"last_seen\";i:1795457302;";
    text_.resize(kValueBytes / 2);
  }

  std::string_view At(int64_t n) {
    const size_t at = static_cast<size_t>(n) * 7919 % (noise_.size() - kValueBytes / 2);
    value_.assign(noise_, at, kValueBytes / 2);
    value_ += text_;
    return value_;
  }

 private:
  std::string noise_ = std::string(1 << 20, '\0');
  std::string text_;
  std::string value_;
};

/// The commands of one shape of data.
class Shape {
 public:
  explicit Shape(const std::string& name) : session_(name == "session") {
    if (!session_ && name != "string") Fail("no such shape: " + name);
  }

  /// Appends what stores item n for the first time; returns the number of commands.
  size_t AppendItem(std::string& out, int64_t n) {
    if (!session_) {
      AppendRequest(out, {"SET", Key(n), values_.At(n)});
      return 1;
    }
    AppendRequest(out, {"HSET", Key(n), "pid", "web1|5042", "lock", "0", "req", "GET /checkout/",
                        "writes", "7", "wait", "0", "data", values_.At(n)});
    AppendRequest(out, {"EXPIRE", Key(n), "86400"});
    return 2;
  }

  /// One command that replaces item n's value by the one that item `other` began with.
  void AppendWrite(std::string& out, int64_t n, int64_t other) {
    if (session_)
      AppendRequest(out, {"HSET", Key(n), "lock", "0", "data", values_.At(other)});
    else
      AppendRequest(out, {"SET", Key(n), values_.At(other)});
  }

  void AppendRead(std::string& out, int64_t n) {
    if (session_)
      AppendRequest(out, {"HGET", Key(n), "data"});
    else
      AppendRequest(out, {"GET", Key(n)});
  }

 private:
  std::string Key(int64_t n) const {
    return (session_ ? "sess_" : "product_") + std::to_string(1'000'000'000 + n);
  }

  bool session_;
  Values values_;
};

void Fill(Wire& wire, Shape& shape, int64_t items) {
  std::string batch;
  size_t replies = 0;
  for (int64_t n = 0; n < items; ++n) {
    replies += shape.AppendItem(batch, n);
    if (replies < kFillBatch && n + 1 < items) continue;
    wire.Send(batch);
    wire.Await(replies);
    batch.clear();
    replies = 0;
  }
}

/// A probe's requests: `append` for items drawn at random.
Probe::Requests AtRandom(int64_t items, uint32_t seed,
                         std::function<void(std::string&, int64_t, int64_t)> append) {
  return [append = std::move(append), random = std::mt19937_64(seed),
          any = std::uniform_int_distribution<int64_t>(0, items - 1),
          request = std::string()]() mutable -> std::string_view {
    request.clear();
    append(request, any(random), any(random));
    return request;
  };
}

void AddFigures(Figures& figures, const std::string& prefix, Latencies latencies) {
  Figures own;
  latencies.Report(own);
  for (const auto& [name, value] : own) figures[prefix + name] = value;
}

/// Runs `work` while one client writes and one reads; adds their latencies under their prefixes.
void Watched(const PersistenceOptions& options, const std::string& shape, const std::string& prefix,
             Figures& figures, const std::function<void()>& work) {
  Shape for_writer(shape);
  Shape for_reader(shape);
  Probe writer(options.port, options.probe_pause_us,
               AtRandom(options.items, 1, [&](std::string& out, int64_t n, int64_t other) {
                 for_writer.AppendWrite(out, n, other);
               }));
  Probe reader(options.port, options.probe_pause_us,
               AtRandom(options.items, 2, [&](std::string& out, int64_t n, int64_t) {
                 for_reader.AppendRead(out, n);
               }));
  work();
  AddFigures(figures, "write_" + prefix, writer.Stop());
  AddFigures(figures, "read_" + prefix, reader.Stop());
}

/// Waits until nothing is saved or rewritten.
void AwaitIdle(Wire& wire) {
  const int64_t start = NowNs();
  while (wire.Info("persistence", "rdb_bgsave_in_progress") != 0 ||
         wire.Info("persistence", "aof_rewrite_in_progress") != 0 ||
         wire.Info("persistence", "aof_rewrite_scheduled") != 0) {
    if (NowNs() - start > kGiveUpNs) Fail("it does not end");
    SleepNs(kPollNs);
  }
}

void Act(Wire& wire, const std::string& action) {
  if (wire.Ask({action})[0] != '+') Fail(action + " was refused");
  AwaitIdle(wire);
  const std::string info = wire.Ask({"INFO", "persistence"});
  const char* status =
      action == "BGSAVE" ? "rdb_last_bgsave_status:ok" : "aof_last_bgrewrite_status:ok";
  if (info.find(status) == std::string::npos) Fail(action + " failed");
}

/// The same action once more, for its memory alone: to read how much a process has, the kernel
/// walks its pages and keeps it from mapping any meanwhile, which for gigabytes stalls it for tens
/// of milliseconds.
void MeasureMemory(const PersistenceOptions& options, const std::string& shape,
                   const std::string& action, Wire& wire, Figures& figures) {
  Figures ignored;
  int64_t before_bytes = 0;
  int64_t peak_bytes = 0;
  Watched(options, shape, "", ignored, [&] {
    PeakMemory quiet(options.server_pid);
    SleepNs(kSettleNs);
    before_bytes = quiet.Stop();
    PeakMemory meanwhile(options.server_pid);
    Act(wire, action);
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
  {
    Shape filling(shape);
    Fill(wire, filling, options.items);
  }
  AwaitIdle(wire);
  SleepNs(kSettleNs);
  Figures figures;
  Watched(options, shape, "quiet_", figures, [&] { SleepNs(options.quiet_seconds * kSecond); });
  Watched(options, shape, "", figures, [&] {
    const int64_t start = NowNs();
    Act(wire, action);
    figures["seconds"] = static_cast<double>(NowNs() - start) / 1e9;
  });
  MeasureMemory(options, shape, action, wire, figures);
  for (const std::string client : {"write_", "read_"}) {
    figures[client + "p999_ratio"] =
        figures[client + "p999_us"] / figures[client + "quiet_p999_us"];
  }
  figures["keys"] = static_cast<double>(wire.DbSize());
  return figures;
}

}  // namespace cloakroom::bench
