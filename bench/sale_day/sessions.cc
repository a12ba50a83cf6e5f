#include "bench/sale_day/sessions.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "bench/sale_day/probe.h"
#include "bench/sale_day/wire.h"
#include "clients/session_visit.h"

namespace cloakroom::bench {

namespace {

constexpr int kSessions = 10'000;
constexpr int kShoppersRequests = 6;
constexpr int64_t kWorkNs = 50'000'000;
constexpr int64_t kPollNs = 500'000'000;  // of the library
constexpr int kHeldLocks = 1'000;
constexpr int kHandOvers = 4'000;

const std::string kBlob(2000, 'b');
const std::string kKey = "sess_0123456789abcdef0123456789";

bool HasNativeSessions(int port) {
  Wire wire(port);
  return wire.Ask({"COMMAND", "INFO", "SESSION.OPEN"}).items.front().items.size() > 1;
}

Visit PlainVisit(const std::string& key) {
  const VisitedSession session = {.key = key};
  Visit visit;
  for (const auto& steps : {SessionRead(session), SessionWrite(session, kBlob)}) {
    for (const VisitStep& step : steps) visit.push_back({step.bytes, step.replies});
  }
  return visit;
}

std::string OpenRequest(const std::string& key) {
  return Request(
      {"SESSION.OPEN", key, "OWNER", "web1|5042", "REQ", "GET shop.example/checkout/cart/"});
}

/// `kept`: the connection is used again, so it gives back what an earlier request may have left.
Visit NativeVisit(const std::string& key, bool kept) {
  std::string first = Request({"SELECT", "2"}) + OpenRequest(key);
  if (kept) first = Request({"SESSION.RESET"}) + first;
  Step commit;
  // Other data each time, as in a shop; what has not changed would not be logged.
  const std::string data = std::string(kAnyFence) + kBlob.substr(kAnyFence.size());
  commit.bytes = Request({"SESSION.COMMIT", key, kAnyFence, "DATA", data, "EX", "21600"});
  commit.replies = 1;
  commit.fenced = true;
  return {{first, kept ? size_t{3} : size_t{2}}, commit};
}

// ---- six requests of one shopper

/// What several threads have found out.
struct Waits {
  std::mutex mutex;
  std::vector<int64_t> ns;
  int64_t commands = 0;
  int64_t committed_ns = 0;
  Latencies hand_overs;
};

int64_t OpenNatively(Wire& wire, int64_t* got_ns) {
  const ReplyValue state = wire.Ask({"SESSION.OPEN", kKey, "WAIT", "60000", "OWNER", "web1|5042"});
  *got_ns = NowNs();
  return state.items.front().integer;
}

/// Returns when the lock was got.
int64_t VisitNatively(Wire& wire, Waits& waits) {
  int64_t got_ns = 0;
  const int64_t fence = OpenNatively(wire, &got_ns);
  SleepNs(kWorkNs);
  wire.Ask({"SESSION.COMMIT", kKey, std::to_string(fence), "DATA", kBlob, "EX", "21600"});
  std::lock_guard lock(waits.mutex);
  waits.commands += 2;
  return got_ns;
}

int64_t VisitPlainly(Wire& wire, Waits& waits) {
  int64_t commands = 11;
  wire.Ask({"SELECT", "2"});
  bool waited = false;
  while (wire.Ask({"HINCRBY", kKey, "lock", "1"}).integer != 1) {
    if (!std::exchange(waited, true)) {
      wire.Ask({"HINCRBY", kKey, "wait", "1"});
      commands += 2;  // and the decrement
    }
    wire.Ask({"HGET", kKey, "pid"});
    commands += 2;
    SleepNs(kPollNs);
  }
  const int64_t got_ns = NowNs();
  if (waited) wire.Ask({"HINCRBY", kKey, "wait", "-1"});
  wire.Ask({"HMGET", kKey, "data", "writes"});
  wire.Ask({"HMSET", kKey, "pid", "web1|5042", "lock", "1", "req", "GET /"});
  wire.Ask({"EXPIRE", kKey, "21600"});
  SleepNs(kWorkNs);
  wire.Ask({"SELECT", "2"});
  wire.Ask({"HGET", kKey, "pid"});
  wire.Ask({"SELECT", "2"});
  wire.Ask({"HMSET", kKey, "data", kBlob, "lock", "0"});
  wire.Ask({"HINCRBY", kKey, "writes", "1"});
  wire.Ask({"EXPIRE", kKey, "21600"});
  std::lock_guard lock(waits.mutex);
  waits.commands += commands;
  return got_ns;
}

void SixRequests(int port, bool native, Waits& waits) {
  std::vector<std::unique_ptr<Wire>> wires;
  for (int i = 0; i < kShoppersRequests; ++i) wires.push_back(std::make_unique<Wire>(port));
  const int64_t began_ns = NowNs();
  std::vector<std::thread> threads;
  for (const auto& wire : wires) {
    threads.emplace_back([&] {
      const int64_t got_ns = native ? VisitNatively(*wire, waits) : VisitPlainly(*wire, waits);
      std::lock_guard lock(waits.mutex);
      waits.ns.push_back(got_ns - began_ns);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

/// Requests without work, in turn: from one's COMMIT to the next one's lock.
void HandOvers(int port, Waits& waits) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kShoppersRequests; ++i) {
    threads.emplace_back([&] {
      Wire wire(port);
      for (int n = 0; n < kHandOvers / kShoppersRequests; ++n) {
        int64_t got_ns = 0;
        const int64_t fence = OpenNatively(wire, &got_ns);
        {
          std::lock_guard lock(waits.mutex);
          if (waits.committed_ns != 0) waits.hand_overs.Add(got_ns - waits.committed_ns);
          waits.committed_ns = NowNs();
        }
        wire.Ask({"SESSION.COMMIT", kKey, std::to_string(fence), "DATA", "x", "EX", "21600"});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

double CpuOfSets(const LoadOptions& options) {
  return RunCommand(options, "set").at("cpu_us_per_op");
}

}  // namespace

Figures RunSessionVisits(const LoadOptions& options, bool native) {
  native = native && HasNativeSessions(options.port);
  std::mt19937 random(7);
  std::vector<Visit> visits;
  // Used in turn, and far more than connections: no two clients want the same session's lock.
  for (int i = 0; i < kSessions; ++i) {
    std::string key = "sess_";
    for (int letter = 0; letter < 26; ++letter) key += "0123456789abcdef"[random() % 16];
    visits.push_back(native ? NativeVisit(key, !options.reconnect) : PlainVisit(key));
  }
  return RunLoad(options, visits, 1);
}

Figures MeasureSessionWaits(int port, int rounds, bool native) {
  native = native && HasNativeSessions(port);
  Waits waits;
  for (int round = 0; round < rounds; ++round) SixRequests(port, native, waits);
  Figures figures;
  int64_t sum_ns = 0;
  for (const int64_t ns : waits.ns) sum_ns += ns;
  figures["mean_wait_ms"] =
      static_cast<double>(sum_ns) / 1e6 / static_cast<double>(waits.ns.size());
  figures["max_wait_ms"] =
      static_cast<double>(*std::max_element(waits.ns.begin(), waits.ns.end())) / 1e6;
  figures["commands"] = static_cast<double>(waits.commands) / rounds;
  if (!native) return figures;
  HandOvers(port, waits);
  waits.hand_overs.Report(figures);
  return figures;
}

Figures MeasureBesideLocks(const LoadOptions& options) {
  Wire filled(options.port);
  CpuOfSets(options);  // its keys are there from now on
  std::vector<double> ratios;
  for (int round = 0; round < 5; ++round) {
    const double alone = CpuOfSets(options);
    std::vector<std::unique_ptr<Wire>> holders;
    for (int i = 0; i < kHeldLocks; ++i) {
      if (i % 50 == 0) holders.push_back(std::make_unique<Wire>(options.port));
      holders.back()->Ask({"SESSION.OPEN", kKey + std::to_string(i)});
    }
    ratios.push_back(CpuOfSets(options) / alone);
  }
  std::sort(ratios.begin(), ratios.end());
  return {{"ratio", ratios[ratios.size() / 2]}};
}

Figures MeasureWaiters(int port, int server_pid, int waiters) {
  Wire control(port);
  control.Ask({"CONFIG", "SET", "session-max-waiters", "100000"});
  std::vector<std::unique_ptr<Wire>> wires;
  for (int i = 0; i < waiters; ++i) {
    wires.push_back(std::make_unique<Wire>(port));
    wires.back()->Ask({"PING"});
  }
  SleepNs(2'500'000'000);
  const int64_t idle = ResidentBytesOf(server_pid);
  control.Ask({"SESSION.OPEN", kKey});
  // With all options, as the PHP package sends it.
  const std::string open =
      Request({"SESSION.OPEN", kKey, "WAIT", "600000", "LEASE", "30000", "LIMIT", "100000", "OWNER",
               "web1.shop.example|50423", "REQ", "GET shop.example/checkout/cart/"});
  for (const auto& wire : wires) wire->Send(open);
  while (control.Info("sessions", "session_waiters") < waiters) SleepNs(100'000'000);
  SleepNs(2'500'000'000);
  const double grown = static_cast<double>(ResidentBytesOf(server_pid) - idle);
  const ProcessUse before = CpuOf(server_pid);
  const int64_t from_ns = NowNs();
  SleepNs(5'000'000'000);
  const double us = CpuOf(server_pid).total_us() - before.total_us();
  return {{"bytes_per_waiter", grown / waiters},
          {"cpu_percent", us * 1e5 / static_cast<double>(NowNs() - from_ns)}};
}

}  // namespace cloakroom::bench
