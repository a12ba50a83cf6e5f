#include "bench/sale_day/paced_writer.h"

#include <algorithm>
#include <memory>
#include <random>
#include <string>

#include "bench/sale_day/figures.h"
#include "bench/sale_day/probe.h"
#include "bench/sale_day/shapes.h"
#include "bench/sale_day/wire.h"

namespace cloakroom::bench {

namespace {

constexpr size_t kPacedBatch = 32;

// What it may make up for after a pause of the server.
constexpr int64_t kMostBehindNs = kSecond / 10;

}  // namespace

PacedWriter::PacedWriter(int port, int64_t items, int64_t bytes_per_s)
    : thread_([this, port, items, bytes_per_s] { Run(port, items, bytes_per_s); }) {}

PacedWriter::~PacedWriter() { Stop(); }

void PacedWriter::Stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void PacedWriter::Run(int port, int64_t items, int64_t bytes_per_s) {
  Wire wire(port);
  const std::unique_ptr<Shape> shape = MakeShape("string");
  std::mt19937_64 random(3);
  std::uniform_int_distribution<int64_t> any(0, items - 1);
  int64_t due_ns = NowNs();
  std::string batch;
  while (!stopping_.load()) {
    batch.clear();
    for (size_t i = 0; i < kPacedBatch; ++i) shape->AppendWrite(batch, any(random), any(random));
    wire.Send(batch);
    wire.Await(kPacedBatch);
    const auto bytes = static_cast<int64_t>(batch.size());
    written_bytes_ += bytes;
    due_ns = std::max(due_ns, NowNs() - kMostBehindNs) + bytes * kSecond / bytes_per_s;
    if (due_ns > NowNs()) SleepNs(due_ns - NowNs());
  }
}

}  // namespace cloakroom::bench
