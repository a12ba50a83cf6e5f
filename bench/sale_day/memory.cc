#include "bench/sale_day/memory.h"

#include <time.h>

#include <memory>
#include <vector>

#include "bench/sale_day/wire.h"

namespace cloakroom::bench {

namespace {

constexpr size_t kFillBatch = 200;
constexpr size_t kTagSetSize = 1000;
/// Items of one collection of a shape: those of Redis' packed encoding, and of its others.
constexpr int64_t kListSize = 100;
constexpr int64_t kSmallZsetSize = 20;
constexpr int64_t kBigZsetSize = 100'000;
constexpr int64_t kStreamSize = 1000;
constexpr int64_t kFirstEntryMs = 1'790'000'000'000;

/// A name of `length` characters that ends in n and differs for every n; not stored as a number.
std::string Name(std::string prefix, size_t length, int64_t n) {
  const std::string digits = std::to_string(n);
  prefix.resize(length - digits.size(), 'k');
  return prefix + digits;
}

/// Appends the command that adds item n to a list, sorted set or stream; false when `shape` is
/// none.
bool AppendCollectionItem(std::string& out, const std::string& shape, int64_t n) {
  if (shape == "list" || shape == "biglist") {
    const int64_t list = shape == "list" ? n / kListSize : 0;
    AppendRequest(out, {"RPUSH", Name("queue_", 24, list), Name("job_", 20, n)});
  } else if (shape == "zset" || shape == "bigzset") {
    const int64_t set = n / (shape == "zset" ? kSmallZsetSize : kBigZsetSize);
    // 7,919 is prime: the scores come in no order, and few are equal.
    AppendRequest(out, {"ZADD", Name("sold_", 24, set), std::to_string(n * 7919 % 1'000'003),
                        Name("sku_", 16, n)});
  } else if (shape == "stream") {
    AppendRequest(out, {"XADD", Name("events_", 24, n / kStreamSize),
                        std::to_string(kFirstEntryMs + n) + "-0", "kind", "sale", "order",
                        Name("o_", 16, n), "sum", std::to_string(n % 10'000)});
  } else {
    return false;
  }
  return true;
}

/// Appends the commands that store item n and returns their number.
size_t AppendItem(std::string& out, const std::string& shape, int64_t n) {
  static const std::string session_blob(2000, 's');
  static const std::string cache_blob(500, 'd');
  if (shape == "string") {
    AppendRequest(out, {"SET", Name("product_", 26, n), std::string(32, 'v'), "EX", "86400"});
    return 1;
  }
  if (shape == "session") {
    const std::string key = Name("sess_", 31, n);
    AppendRequest(out, {"HSET", key, "pid", "web1|5042", "lock", "0", "req", "GET /checkout/",
                        "writes", "7", "wait", "0", "data", session_blob});
    AppendRequest(out, {"EXPIRE", key, "86400"});
    return 2;
  }
  if (shape == "cache") {
    const std::string key = Name("zc:k:b1f_", 49, n);
    AppendRequest(out, {"HMSET", key, "d", cache_blob, "t", "b1f_CONFIG,b1f_MAGE", "m",
                        "1795457302", "i", "0"});
    AppendRequest(out, {"EXPIRE", key, "86400"});
    return 2;
  }
  if (AppendCollectionItem(out, shape, n)) return 1;
  const int64_t set = shape == "bigtag" ? 0 : n / static_cast<int64_t>(kTagSetSize);
  AppendRequest(out, {"SADD", Name("zc:ti:b1f_", 24, set), Name("b1f_", 40, n)});
  return 1;
}

void SleepMs(int64_t ms) {
  const timespec time{ms / 1000, ms % 1000 * 1'000'000};
  nanosleep(&time, nullptr);
}

/// used_memory once it has not changed for a while: a table may still be moving.
int64_t SettledMemory(Wire& wire) {
  int64_t last = wire.Info("memory", "used_memory");
  for (int i = 0; i < 50; ++i) {
    SleepMs(200);
    const int64_t now = wire.Info("memory", "used_memory");
    if (std::abs(now - last) < 4096) return now;
    last = now;
  }
  return last;
}

}  // namespace

Figures MeasureMemory(int port, const std::string& shape, int64_t items) {
  Wire wire(port);
  if (wire.DbSize() != 0) Fail("memory is measured on an empty server");
  const int64_t before = SettledMemory(wire);
  std::string batch;
  size_t replies = 0;
  for (int64_t n = 0; n < items; ++n) {
    replies += AppendItem(batch, shape, n);
    if (replies >= kFillBatch || n + 1 == items) {
      wire.Send(batch);
      wire.Await(replies);
      batch.clear();
      replies = 0;
    }
  }
  const int64_t grown = SettledMemory(wire) - before;
  return {{"bytes_per_item", static_cast<double>(grown) / static_cast<double>(items)},
          {"items", static_cast<double>(items)}};
}

Figures MeasureIdle(int port, int server_pid, int connections) {
  Wire control(port);
  control.Ask({"PING"});
  SleepMs(300);
  const int64_t before = ResidentBytesOf(server_pid);
  std::vector<std::unique_ptr<Wire>> idle;
  for (int i = 0; i < connections; ++i) {
    idle.push_back(std::make_unique<Wire>(port));
    // Each client has sent one request: a server that frees nothing afterwards shows it here.
    idle.back()->Ask({"PING"});
    // The peak of what the server holds for clients that have just sent depends on the pace.
    if (i % 100 == 99) SleepMs(30);
  }
  SleepMs(2500);
  const double grown = static_cast<double>(ResidentBytesOf(server_pid) - before);
  if (control.Info("clients", "connected_clients") < connections) Fail("connections were dropped");
  return {{"rss_bytes", grown}, {"bytes_per_connection", grown / connections}};
}

}  // namespace cloakroom::bench
