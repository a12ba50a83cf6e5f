// What threads share below the server, and what that costs two threads: a key that both want, the
// log that both append to, the memory limit that both check.

#include <benchmark/benchmark.h>

#include <string>

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

/// The log's part of a SET: its place, and the copy. With a reader that keeps up: the first thread
/// reads now and then.
void BM_LogAppend(benchmark::State& state) {
  constexpr int kPerClaim = 1024;
  static ChangeStream stream(kThreads);
  static AofPending pending(stream, Shared().clock());
  pending.set_logging(true);
  ChangeBatch batch;
  batch.Add(0, ChangeKind::kSetString, {kHotKey, kValue}, kNoExpiry);
  int appended = 0;
  for (auto _ : state) {
    const ChangePlace place =
        pending.Reserve(batch, state.thread_index(), AofPending::Due::kOnDemand);
    pending.Complete(batch, place);
    if (state.thread_index() == 0 && ++appended % kPerClaim == 0) pending.KeepFrom(pending.Claim());
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
BENCHMARK(BM_LogAppend)->ThreadRange(1, 4)->UseRealTime();
BENCHMARK(BM_MaxmemoryCheck)->ThreadRange(1, 2)->UseRealTime();

}  // namespace
}  // namespace cloakroom
