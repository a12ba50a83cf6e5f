#include <functional>
#include <random>

#include "bench/sale_day/load.h"
#include "bench/sale_day/wire.h"

namespace cloakroom::bench {

namespace {

constexpr int kPreparedBatches = 4096;
constexpr size_t kFillBatch = 200;

const std::string kValue(100, 'x');
const std::string kScript = "return redis.call('GET', KEYS[1])";

std::string Key(const char* prefix, uint32_t n) {
  std::string digits = std::to_string(n);
  return prefix + std::string(12 - digits.size(), '0') + digits;
}

void AppendCommand(std::string& out, const std::string& command, uint32_t n) {
  const std::string string = Key("str:", n);
  const std::string hash = Key("hash:", n);
  if (command == "set")
    AppendRequest(out, {"SET", string, kValue});
  else if (command == "get")
    AppendRequest(out, {"GET", string});
  else if (command == "hset")
    AppendRequest(out, {"HSET", hash, "data", kValue});
  else if (command == "hget")
    AppendRequest(out, {"HGET", hash, "data"});
  else if (command == "hmget")
    AppendRequest(out, {"HMGET", hash, "data", "writes"});
  else if (command == "sadd")
    AppendRequest(out, {"SADD", Key("set:", n % 1000), Key("id:", n)});
  else if (command == "incr")
    AppendRequest(out, {"INCR", Key("count:", n)});
  else if (command == "eval")
    AppendRequest(out, {"EVAL", kScript, "1", string});
  else
    Fail("no such command: " + command);
}

/// Writes the keys that are read, so that no figure measures misses.
void Prepare(const LoadOptions& options) {
  Wire wire(options.port);
  std::string batch;
  size_t in_batch = 0;
  const auto flush = [&] {
    wire.Send(batch);
    wire.Await(in_batch);
    batch.clear();
    in_batch = 0;
  };
  for (uint32_t n = 0; n < static_cast<uint32_t>(options.keys); ++n) {
    AppendRequest(batch, {"SET", Key("str:", n), kValue});
    AppendRequest(batch, {"HSET", Key("hash:", n), "data", kValue, "writes", "7", "lock", "0"});
    in_batch += 2;
    if (in_batch >= kFillBatch) flush();
  }
  if (in_batch > 0) flush();
}

Visit SessionVisit(const std::string& id) {
  static const std::string blob(2000, 'b');
  const std::string key = "sess_" + id;
  const std::string select = Request({"SELECT", "2"});
  Visit visit;
  visit.push_back({select, 1});
  visit.push_back({Request({"HINCRBY", key, "lock", "1"}), 1});
  visit.push_back({Request({"HMGET", key, "data", "writes"}), 1});
  visit.push_back({Request({"HMSET", key, "pid", "web1|5042", "lock", "1", "req",
                            "GET shop.example/checkout/cart/"}) +
                       Request({"EXPIRE", key, "21600"}),
                   2});
  visit.push_back({select, 1});
  visit.push_back({Request({"HGET", key, "pid"}), 1});
  visit.push_back({select + Request({"HMSET", key, "data", blob, "lock", "0"}) +
                       Request({"HINCRBY", key, "writes", "1"}) + Request({"EXPIRE", key, "21600"}),
                   4});
  return visit;
}

}  // namespace

Figures RunCommand(const LoadOptions& options, const std::string& command) {
  Prepare(options);
  std::mt19937 random(7);
  std::uniform_int_distribution<uint32_t> any_key(0, static_cast<uint32_t>(options.keys) - 1);
  std::vector<Visit> batches(kPreparedBatches);
  for (Visit& batch : batches) {
    Step step;
    for (int i = 0; i < options.pipeline; ++i) AppendCommand(step.bytes, command, any_key(random));
    step.replies = static_cast<size_t>(options.pipeline);
    batch.push_back(std::move(step));
  }
  return RunLoad(options, batches, options.pipeline);
}

Figures RunSessionVisits(const LoadOptions& options) {
  std::mt19937 random(7);
  std::vector<Visit> visits;
  // Used in turn, and far more than connections: no two clients want the same session's lock.
  for (int i = 0; i < 10'000; ++i) {
    std::string id;
    for (int letter = 0; letter < 26; ++letter) id += "0123456789abcdef"[random() % 16];
    visits.push_back(SessionVisit(id));
  }
  return RunLoad(options, visits, 1);
}

}  // namespace cloakroom::bench
