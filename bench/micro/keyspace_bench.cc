// What one GET and one SET cost below the server, and whether a second thread doubles the rate: the
// goal is 1.8 times the items per second, on each thread's own keys and on shared keys.

#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "storage/access/lookup.h"
#include "storage/access/write_scope.h"
#include "storage/base/clock.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/keyspace.h"
#include "storage/values/string_value.h"

namespace cloakroom {
namespace {

constexpr int kThreads = 4;
constexpr size_t kKeys = 1'000'000;
constexpr size_t kDraws = 1 << 16;  // a power of two
const std::string kValue(32, 'v');

enum KeyChoice : int64_t { kDisjoint, kUniform };

std::string KeyName(size_t n) {
  const std::string digits = std::to_string(n);
  return "product_" + std::string(18 - digits.size(), '0') + digits;
}

void Set(Keyspace& keyspace, GateSlot slot, std::string_view key, int64_t now_ms) {
  Database& db = keyspace.db(0);
  const KeyHash hash = KeyHash::Of(key);
  Hold hold(slot);
  benchmark::DoNotOptimize(hold.TryKey(db, hash));
  WriteScope scope(hold, db, key, hash, now_ms);
  MutableString(scope).Assign(kValue);
  scope.Changed("set");
}

size_t Get(Keyspace& keyspace, GateSlot slot, std::string_view key, int64_t now_ms,
           std::mt19937_64& random) {
  Database& db = keyspace.db(0);
  const KeyHash hash = KeyHash::Of(key);
  Hold hold(slot);
  benchmark::DoNotOptimize(hold.TryKey(db, hash));
  const Entry* entry = FindKey(hold, db, key, hash, now_ms, random);
  return entry == nullptr ? 0 : StringView(entry->value()).size();
}

/// A million strings, made once for all benchmarks.
Keyspace& Filled() {
  static SystemClock clock;
  static Keyspace keyspace({.databases = 1, .event_loops = kThreads}, clock);
  static const bool filled = [] {
    for (size_t n = 0; n < kKeys; ++n) Set(keyspace, 0, KeyName(n), clock.NowMs());
    return true;
  }();
  benchmark::DoNotOptimize(filled);
  return keyspace;
}

std::vector<std::string> Draws(KeyChoice choice, int thread, int threads) {
  std::mt19937_64 random(static_cast<uint64_t>(thread));
  const size_t share = choice == kDisjoint ? kKeys / static_cast<size_t>(threads) : kKeys;
  const size_t first = choice == kDisjoint ? share * static_cast<size_t>(thread) : 0;
  std::vector<std::string> keys;
  keys.reserve(kDraws);
  for (size_t i = 0; i < kDraws; ++i) keys.push_back(KeyName(first + random() % share));
  return keys;
}

void BM_Get(benchmark::State& state) {
  Keyspace& keyspace = Filled();
  const auto choice = static_cast<KeyChoice>(state.range(0));
  const std::vector<std::string> keys = Draws(choice, state.thread_index(), state.threads());
  const int64_t now_ms = keyspace.clock().NowMs();
  std::mt19937_64 random(7);
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        Get(keyspace, state.thread_index(), keys[i++ % kDraws], now_ms, random));
  }
  state.SetItemsProcessed(state.iterations());
}

void BM_Set(benchmark::State& state) {
  Keyspace& keyspace = Filled();
  const auto choice = static_cast<KeyChoice>(state.range(0));
  const std::vector<std::string> keys = Draws(choice, state.thread_index(), state.threads());
  const int64_t now_ms = keyspace.clock().NowMs();
  size_t i = 0;
  for (auto _ : state) Set(keyspace, state.thread_index(), keys[i++ % kDraws], now_ms);
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(BM_Get)
    ->ArgName("uniform")
    ->Arg(kDisjoint)
    ->Arg(kUniform)
    ->ThreadRange(1, 2)
    ->UseRealTime();
BENCHMARK(BM_Set)
    ->ArgName("uniform")
    ->Arg(kDisjoint)
    ->Arg(kUniform)
    ->ThreadRange(1, 2)
    ->UseRealTime();

}  // namespace
}  // namespace cloakroom
