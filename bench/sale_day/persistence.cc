#include "bench/sale_day/persistence.h"

#include <functional>
#include <memory>
#include <random>
#include <string_view>
#include <vector>

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

/// Values with half of their bytes random and half repeated, as in serialized sessions. Cutting the
/// random half from a pool costs a copy, but no random numbers.
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

/// The commands for one shape of data. One thread fills and then writes; another may read.
class Shape {
 public:
  virtual ~Shape() = default;
  /// Appends the commands that store item n for the first time; returns their number.
  virtual size_t AppendItem(std::string& out, int64_t n) = 0;
  /// Appends one command that changes item n, for instance to the first value of item `other`.
  virtual void AppendWrite(std::string& out, int64_t n, int64_t other) = 0;
  virtual void AppendRead(std::string& out, int64_t n) const = 0;
};

std::string Name(const std::string& prefix, int64_t n) {
  return prefix + std::to_string(1'000'000'000 + n);
}

class Strings final : public Shape {
 public:
  size_t AppendItem(std::string& out, int64_t n) override {
    AppendWrite(out, n, n);
    return 1;
  }
  void AppendWrite(std::string& out, int64_t n, int64_t other) override {
    AppendRequest(out, {"SET", Key(n), values_.At(other)});
  }
  void AppendRead(std::string& out, int64_t n) const override {
    AppendRequest(out, {"GET", Key(n)});
  }

 private:
  static std::string Key(int64_t n) { return Name("product_", n); }

  Values values_;
};

class Sessions final : public Shape {
 public:
  size_t AppendItem(std::string& out, int64_t n) override {
    AppendRequest(out, {"HSET", Key(n), "pid", "web1|5042", "lock", "0", "req", "GET /checkout/",
                        "writes", "7", "wait", "0", "data", values_.At(n)});
    AppendRequest(out, {"EXPIRE", Key(n), "86400"});
    return 2;
  }
  void AppendWrite(std::string& out, int64_t n, int64_t other) override {
    AppendRequest(out, {"HSET", Key(n), "lock", "0", "data", values_.At(other)});
  }
  void AppendRead(std::string& out, int64_t n) const override {
    AppendRequest(out, {"HGET", Key(n), "data"});
  }

 private:
  static std::string Key(int64_t n) { return Name("sess_", n); }

  Values values_;
};

/// All items are members of one set. Writes alternately remove a member and add a new one: the set
/// keeps its size, and every write changes it.
class OneSet final : public Shape {
 public:
  size_t AppendItem(std::string& out, int64_t n) override {
    members_.push_back(n);
    AppendRequest(out, {"SADD", kKey, Member(n)});
    return 1;
  }
  void AppendWrite(std::string& out, int64_t n, int64_t) override {
    if (removed_ == nullptr) {
      removed_ = &members_[static_cast<size_t>(n)];
      AppendRequest(out, {"SREM", kKey, Member(*removed_)});
      return;
    }
    *removed_ = static_cast<int64_t>(members_.size()) + added_++;
    AppendRequest(out, {"SADD", kKey, Member(*removed_)});
    removed_ = nullptr;
  }
  void AppendRead(std::string& out, int64_t n) const override {
    AppendRequest(out, {"SISMEMBER", kKey, Member(n)});
  }

 private:
  static constexpr std::string_view kKey = "members";
  static std::string Member(int64_t n) { return Name("member_", n); }

  std::vector<int64_t> members_;
  int64_t* removed_ = nullptr;  // the place of the removed member, for the next one
  int64_t added_ = 0;
};

std::unique_ptr<Shape> MakeShape(const std::string& name) {
  if (name == "string") return std::make_unique<Strings>();
  if (name == "session") return std::make_unique<Sessions>();
  if (name == "set") return std::make_unique<OneSet>();
  Fail("no such shape: " + name);
}

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

/// A probe's requests: calls `append` for items drawn at random.
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

/// Runs `work` while one client writes and one reads; adds their latencies to the figures, under
/// their prefixes.
void Watched(const PersistenceOptions& options, Shape& shape, const std::string& prefix,
             Figures& figures, const std::function<void()>& work) {
  Probe writer(options.port, options.probe_pause_us,
               AtRandom(options.items, 1, [&](std::string& out, int64_t n, int64_t other) {
                 shape.AppendWrite(out, n, other);
               }));
  Probe reader(options.port, options.probe_pause_us,
               AtRandom(options.items, 2,
                        [&](std::string& out, int64_t n, int64_t) { shape.AppendRead(out, n); }));
  work();
  AddFigures(figures, "write_" + prefix, writer.Stop());
  AddFigures(figures, "read_" + prefix, reader.Stop());
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
  Watched(options, shape, "", ignored, [&] {
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
  Watched(options, *data, "quiet_", figures, [&] { SleepNs(options.quiet_seconds * kSecond); });
  Watched(options, *data, "", figures, [&] { figures["seconds"] = Act(options, action, wire); });
  MeasureMemory(options, *data, action, wire, figures);
  for (const std::string client : {"write_", "read_"}) {
    figures[client + "p999_ratio"] =
        figures[client + "p999_us"] / figures[client + "quiet_p999_us"];
  }
  figures["keys"] = static_cast<double>(wire.DbSize());
  return figures;
}

}  // namespace cloakroom::bench
