// What a member of a big set costs in memory and time, which decided the leaf limits, and what a
// snapshot adds to the next change.

#include <benchmark/benchmark.h>

#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "storage/values/trie.h"

namespace cloakroom {
namespace {

std::string Member(uint64_t number) {
  char member[41];
  std::snprintf(member, sizeof(member), "0123456789abcdef%024llx",
                static_cast<unsigned long long>(number * 0x9E3779B97F4A7C15));
  return member;
}

std::vector<std::string> Members(int64_t count) {
  std::vector<std::string> members;
  for (int64_t i = 0; i < count; ++i) members.push_back(Member(static_cast<uint64_t>(i)));
  return members;
}

Trie SetOf(const std::vector<std::string>& members) {
  Trie trie(/*has_values=*/false);
  for (const std::string& member : members) trie.Put(member);
  return trie;
}

void BM_TrieInsert(benchmark::State& state) {
  const std::vector<std::string> members = Members(state.range(0));
  for (auto _ : state) {
    Trie trie = SetOf(members);
    benchmark::DoNotOptimize(trie.size());
    state.PauseTiming();
    state.counters["bytes_per_member"] =
        static_cast<double>(trie.view().MemoryUsage(0)) / static_cast<double>(members.size());
    trie = Trie(false);
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_TrieInsert)->Arg(1000)->Arg(100'000)->Arg(1'000'000);

void BM_TrieFind(benchmark::State& state) {
  const std::vector<std::string> members = Members(state.range(0));
  const Trie trie = SetOf(members);
  std::mt19937_64 rng(1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(trie.view().Find(members[rng() % members.size()]));
  }
}
BENCHMARK(BM_TrieFind)->Arg(1000)->Arg(100'000)->Arg(1'000'000);

void BM_TrieFindAbsent(benchmark::State& state) {
  const std::vector<std::string> members = Members(state.range(0));
  const Trie trie = SetOf(members);
  uint64_t number = 1u << 30;
  for (auto _ : state) benchmark::DoNotOptimize(trie.view().Find(Member(++number)));
}
BENCHMARK(BM_TrieFindAbsent)->Arg(1'000'000);

void BM_TrieEraseInsert(benchmark::State& state) {
  const std::vector<std::string> members = Members(state.range(0));
  Trie trie = SetOf(members);
  std::mt19937_64 rng(1);
  for (auto _ : state) {
    const std::string& member = members[rng() % members.size()];
    trie.Erase(member);
    trie.Put(member);
  }
}
BENCHMARK(BM_TrieEraseInsert)->Arg(1'000'000);

// Every change comes right after a snapshot, so that it copies its whole path.
void BM_TrieChangeAfterShare(benchmark::State& state) {
  const std::vector<std::string> members = Members(state.range(0));
  Trie trie = SetOf(members);
  std::mt19937_64 rng(1);
  for (auto _ : state) {
    const Trie snapshot = trie.Share();
    const std::string& member = members[rng() % members.size()];
    trie.Erase(member);
    trie.Put(member);
  }
}
BENCHMARK(BM_TrieChangeAfterShare)->Arg(1'000'000);

void BM_TrieRandom(benchmark::State& state) {
  const Trie trie = SetOf(Members(state.range(0)));
  std::mt19937_64 rng(1);
  for (auto _ : state) benchmark::DoNotOptimize(trie.view().At(rng() % trie.size()));
}
BENCHMARK(BM_TrieRandom)->Arg(1'000'000);

}  // namespace
}  // namespace cloakroom
