#include <functional>
#include <random>

#include "bench/sale_day/load.h"
#include "bench/sale_day/wire.h"

namespace cloakroom::bench {

namespace {

constexpr int kPreparedBatches = 4096;
constexpr size_t kFillBatch = 200;
constexpr uint32_t kCollections = 1000;       // lists and streams
constexpr uint32_t kItemsOfCollection = 100;  // more than a round of batches takes out
constexpr uint32_t kRange = 10;               // members that ZRANGE reads

const std::string kValue(100, 'x');
const std::string kScript = "return redis.call('GET', KEYS[1])";

/// What a command is about: a number drawn at random. For some commands the second half of the
/// batches has those of the first half `again`, and undoes what that has done: no list grows or
/// empties.
struct Draw {
  uint32_t n;
  bool again;
};

bool HasTwoHalves(const std::string& command) {
  return command == "lpush" || command == "zadd" || command == "xreadgroup";
}

std::string Key(const char* prefix, uint32_t n) {
  std::string digits = std::to_string(n);
  return prefix + std::string(12 - digits.size(), '0') + digits;
}

void AppendXAdd(std::string& out, const std::string& stream) {
  AppendRequest(out, {"XADD", stream, "MAXLEN", "~", "1000", "*", "kind", "sale", "data", kValue});
}

/// The commands on lists, sorted sets and streams; false when it is none of them.
bool AppendCollectionCommand(std::string& out, const std::string& command, Draw draw,
                             uint32_t members) {
  const std::string list = Key("list:", draw.n % kCollections);
  const std::string stream = Key("stream:", draw.n % kCollections);
  if (command == "lpush") {
    if (draw.again)
      AppendRequest(out, {"LPOP", list});
    else
      AppendRequest(out, {"LPUSH", list, kValue});
  } else if (command == "zadd") {
    const uint64_t score = draw.n * (draw.again ? uint64_t{7919} : uint64_t{104'729}) % members;
    AppendRequest(out, {"ZADD", "rank", std::to_string(score), Key("id:", draw.n)});
  } else if (command == "zrange") {
    AppendRequest(out,
                  {"ZRANGE", "rank", std::to_string(draw.n), std::to_string(draw.n + kRange - 1)});
  } else if (command == "zrank") {
    AppendRequest(out, {"ZRANK", "rank", Key("id:", draw.n)});
  } else if (command == "xadd" || (command == "xreadgroup" && !draw.again)) {
    AppendXAdd(out, stream);
  } else if (command == "xreadgroup") {
    AppendRequest(out,
                  {"XREADGROUP", "GROUP", "readers", "one", "COUNT", "1", "STREAMS", stream, ">"});
  } else {
    return false;
  }
  return true;
}

void AppendCommand(std::string& out, const std::string& command, Draw draw, uint32_t keys) {
  if (AppendCollectionCommand(out, command, draw, keys)) return;
  const std::string string = Key("str:", draw.n);
  const std::string hash = Key("hash:", draw.n);
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
    AppendRequest(out, {"SADD", Key("set:", draw.n % 1000), Key("id:", draw.n)});
  else if (command == "incr")
    AppendRequest(out, {"INCR", Key("count:", draw.n)});
  else if (command == "eval")
    AppendRequest(out, {"EVAL", kScript, "1", string});
  else
    Fail("no such command: " + command);
}

/// Sends what is appended in batches, and waits for the replies of each.
class Filler {
 public:
  explicit Filler(int port) : wire_(port) {}

  template <typename Append>
  void Send(size_t replies, Append append) {
    append(batch_);
    in_batch_ += replies;
    if (in_batch_ >= kFillBatch) Flush();
  }
  void Flush() {
    if (in_batch_ == 0) return;
    wire_.Send(batch_);
    wire_.Await(in_batch_);
    batch_.clear();
    in_batch_ = 0;
  }

 private:
  Wire wire_;
  std::string batch_;
  size_t in_batch_ = 0;
};

/// The collections that `command` works on; nothing when it is a command on strings or hashes.
void PrepareCollections(Filler& filler, const std::string& command, uint32_t members) {
  const auto each = [&](uint32_t count, auto append) {
    for (uint32_t n = 0; n < count; ++n) filler.Send(1, [&](std::string& out) { append(out, n); });
  };
  if (command == "lpush") {
    each(kCollections * kItemsOfCollection, [](std::string& out, uint32_t n) {
      AppendRequest(out, {"RPUSH", Key("list:", n % kCollections), kValue});
    });
  } else if (command.starts_with('z')) {
    each(members, [](std::string& out, uint32_t n) {
      AppendRequest(out, {"ZADD", "rank", std::to_string(n), Key("id:", n)});
    });
  } else if (command.starts_with('x')) {
    each(kCollections, [](std::string& out, uint32_t n) {
      AppendRequest(out, {"XGROUP", "CREATE", Key("stream:", n), "readers", "0", "MKSTREAM"});
    });
    each(kCollections * kItemsOfCollection,
         [](std::string& out, uint32_t n) { AppendXAdd(out, Key("stream:", n % kCollections)); });
  }
  filler.Flush();
}

/// Writes the keys that are read, so that no figure measures misses.
void Prepare(const LoadOptions& options, const std::string& command) {
  Filler filler(options.port);
  for (uint32_t n = 0; n < static_cast<uint32_t>(options.keys); ++n) {
    filler.Send(2, [&](std::string& out) {
      AppendRequest(out, {"SET", Key("str:", n), kValue});
      AppendRequest(out, {"HSET", Key("hash:", n), "data", kValue, "writes", "7", "lock", "0"});
    });
  }
  PrepareCollections(filler, command, static_cast<uint32_t>(options.keys));
}

}  // namespace

Figures RunCommand(const LoadOptions& options, const std::string& command) {
  Prepare(options, command);
  std::mt19937 random(7);
  const auto keys = static_cast<uint32_t>(options.keys);
  std::uniform_int_distribution<uint32_t> any_key(0, keys - 1);
  std::vector<Draw> draws(static_cast<size_t>(kPreparedBatches * options.pipeline));
  for (Draw& draw : draws) draw = {.n = any_key(random), .again = false};
  for (size_t half = draws.size() / 2, i = 0; HasTwoHalves(command) && i < half; ++i)
    draws[half + i] = {.n = draws[i].n, .again = true};
  std::vector<Visit> batches(kPreparedBatches);
  auto draw = draws.cbegin();
  for (Visit& batch : batches) {
    Step step;
    for (int i = 0; i < options.pipeline; ++i) AppendCommand(step.bytes, command, *draw++, keys);
    step.replies = static_cast<size_t>(options.pipeline);
    batch.push_back(std::move(step));
  }
  return RunLoad(options, batches, options.pipeline);
}

}  // namespace cloakroom::bench
