// The cost of finding the requests of a pipeline, and of writing the replies.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "protocol/output_buffer.h"
#include "protocol/reply_writer.h"
#include "protocol/request_parser.h"

namespace cloakroom {
namespace {

constexpr int kBatch = 16;
const std::string kSet = "*3\r\n$3\r\nSET\r\n$26\r\nproduct_000000000000123456\r\n$100\r\n" +
                         std::string(100, 'v') + "\r\n";

void BM_ParsePipeline(benchmark::State& state) {
  std::string bytes;
  for (int i = 0; i < kBatch; ++i) bytes += kSet;
  RequestParser parser;
  RequestParser::Arguments arguments;
  for (auto _ : state) {
    arguments.clear();
    while (parser.Parse(bytes, arguments) == RequestParser::Status::kRequest) {
    }
    benchmark::DoNotOptimize(arguments.data());
    benchmark::DoNotOptimize(parser.TakeConsumed());
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}

void BM_WriteBulks(benchmark::State& state) {
  const std::string value(static_cast<size_t>(state.range(0)), 'v');
  OutputBuffer out;
  ReplyWriter writer(out);
  for (auto _ : state) {
    for (int i = 0; i < kBatch; ++i) writer.Bulk(value);
    out.Clear();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}

void BM_WriteOk(benchmark::State& state) {
  OutputBuffer out;
  ReplyWriter writer(out);
  for (auto _ : state) {
    for (int i = 0; i < kBatch; ++i) writer.Ok();
    out.Clear();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}

BENCHMARK(BM_ParsePipeline);
BENCHMARK(BM_WriteBulks)->Arg(32)->Arg(2000);
BENCHMARK(BM_WriteOk);

}  // namespace
}  // namespace cloakroom
