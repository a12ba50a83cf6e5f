// What threads share below the server, and what that costs two threads: a key that both want, the
// log that both append to, the memory limit that both check.

#include <benchmark/benchmark.h>

#include <string>
#include <utility>

#include "replication/aof/aof_pending.h"
#include "storage/access/lookup.h"
#include "storage/access/write_scope.h"
#include "storage/base/clock.h"
#include "storage/base/memory_meter.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/keyspace.h"
#include "storage/upkeep/evictor.h"
#include "storage/values/string_value.h"

namespace cloakroom {
namespace {

constexpr int kThreads = 16;
constexpr std::string_view kHotKey = "product_000000000000000042";
constexpr std::string_view kValue = "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv";
/// The record that the log has for a SET of key and value.
constexpr std::string_view kRecord =
    "*3\r\n$3\r\nSET\r\n$26\r\nproduct_000000000000000042\r\n$32\r\n"
    "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv\r\n";

Keyspace& Shared() {
  static SystemClock clock;
  static Keyspace keyspace({.databases = 1, .event_loops = kThreads}, clock);
  return keyspace;
}

void SetHot(Keyspace& keyspace, GateSlot slot, KeyHash hash, int64_t now_ms) {
  Hold hold(slot);
  benchmark::DoNotOptimize(hold.TryKey(keyspace.db(0), hash));
  WriteScope scope(hold, keyspace.db(0), kHotKey, hash, now_ms);
  MutableString(scope).Assign(kValue);
  scope.Changed("set");
}

void BM_GetHot(benchmark::State& state) {
  Keyspace& keyspace = Shared();
  const KeyHash hash = KeyHash::Of(kHotKey);
  const int64_t now_ms = keyspace.clock().NowMs();
  SetHot(keyspace, state.thread_index(), hash, now_ms);
  absl::InsecureBitGen random;
  for (auto _ : state) {
    Hold hold(state.thread_index());
    benchmark::DoNotOptimize(hold.TryKey(keyspace.db(0), hash));
    benchmark::DoNotOptimize(FindKey(hold, keyspace.db(0), kHotKey, hash, now_ms, random));
  }
  state.SetItemsProcessed(state.iterations());
}

void BM_SetHot(benchmark::State& state) {
  Keyspace& keyspace = Shared();
  const KeyHash hash = KeyHash::Of(kHotKey);
  const int64_t now_ms = keyspace.clock().NowMs();
  for (auto _ : state) SetHot(keyspace, state.thread_index(), hash, now_ms);
  state.SetItemsProcessed(state.iterations());
}

/// With a writer that keeps up: the first thread writes now and then.
void BM_LogAppend(benchmark::State& state) {
  constexpr int kPerTake = 1024;
  static AofPending pending(Shared().clock());
  pending.set_accepting(true);
  int appended = 0;
  for (auto _ : state) {
    pending.Append(kRecord, AofPending::Due::kOnDemand);
    if (state.thread_index() != 0 || ++appended % kPerTake != 0) continue;
    for (AofChunk& chunk : pending.Take()) pending.Recycle(std::move(chunk.bytes));
  }
  state.SetItemsProcessed(state.iterations());
}

/// The check before each write, with a limit that is far away. As many threads are registered as in
/// a big server.
void BM_MaxmemoryCheck(benchmark::State& state) {
  MemoryMeter::RegisterThread();
  Keyspace& keyspace = Shared();
  keyspace.settings().maxmemory_bytes = int64_t{1} << 50;
  Evictor evictor(keyspace, state.thread_index());
  for (auto _ : state) benchmark::DoNotOptimize(evictor.MakeRoom());
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(BM_GetHot)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK(BM_SetHot)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK(BM_LogAppend)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK(BM_MaxmemoryCheck)->ThreadRange(1, 2)->UseRealTime();

}  // namespace
}  // namespace cloakroom
