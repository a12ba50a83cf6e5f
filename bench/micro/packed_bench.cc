// Packed blocks of the sizes that sessions and cache entries have.

#include <benchmark/benchmark.h>

#include <string>

#include "storage/values/packed.h"

namespace cloakroom {
namespace {

// A region whose Splice only moves the bytes, without an allocation.
class StringRegion final : public Region {
 public:
  ~StringRegion() override { PackedView(bytes()).UnrefBlobs(); }
  char* data() override { return bytes_.data(); }
  size_t size() const override { return bytes_.size(); }
  char* Splice(size_t offset, size_t erase, size_t insert) override {
    bytes_.replace(offset, erase, insert, '\0');
    return bytes_.data() + offset;
  }

 private:
  std::string bytes_;
};

void FillSession(StringRegion& region) {
  PackedBlock::Init(region, /*has_values=*/true);
  PackedBlock block(region);
  for (const char* field : {"lock", "wait", "pid", "writes", "req"}) {
    block.Append(field, "12345", kNever);
  }
  block.Append("data", std::string(2000, 'd'), kNever);
}

void BM_PackedFindLastOfSession(benchmark::State& state) {
  StringRegion region;
  FillSession(region);
  for (auto _ : state) benchmark::DoNotOptimize(PackedView(region.bytes()).Find("data"));
}
BENCHMARK(BM_PackedFindLastOfSession);

void BM_PackedFindLast(benchmark::State& state) {
  StringRegion region;
  PackedBlock::Init(region, /*has_values=*/true);
  PackedBlock block(region);
  for (int64_t i = 0; i < state.range(0); ++i) {
    block.Append("field" + std::to_string(i), "value", kNever);
  }
  const std::string last = "field" + std::to_string(state.range(0) - 1);
  for (auto _ : state) benchmark::DoNotOptimize(block.view().Find(last));
}
BENCHMARK(BM_PackedFindLast)->Arg(8)->Arg(32)->Arg(128);

void BM_PackedReplaceSessionData(benchmark::State& state) {
  StringRegion region;
  FillSession(region);
  PackedBlock block(region);
  const std::string data(2000, 'e');
  for (auto _ : state) block.SetValue(*block.view().Find("data"), data);
}
BENCHMARK(BM_PackedReplaceSessionData);

}  // namespace
}  // namespace cloakroom
