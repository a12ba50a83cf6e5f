#include "server/info/sampler.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <numeric>
#include <utility>

#include "absl/random/random.h"
#include "server/context/server.h"
#include "server/info/client_line.h"
#include "server/info/totals.h"
#include "server/roles/replication.h"
#include "server/session/client_memory.h"
#include "server/session/client_registry.h"
#include "storage/base/clock.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {
namespace {

int64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t size_pages = 0;
  int64_t resident_pages = 0;
  statm >> size_pages >> resident_pages;
  return resident_pages * sysconf(_SC_PAGESIZE);
}

void AddClients(Server& server, Sampler::Figures* figures) {
  for (const auto& client : server.clients().All()) {
    figures->client_bytes += MemoryOf(*client);
    figures->pubsub_clients += TypeOf(*client) == ClientType::kPubSub ? 1 : 0;
    figures->watching_clients += client->watch_count > 0 ? 1 : 0;
    figures->max_query_bytes = std::max<int64_t>(figures->max_query_bytes, client->query_capacity);
    figures->max_output_bytes =
        std::max<int64_t>(figures->max_output_bytes, client->output_memory + client->pushed_bytes);
  }
}

/// `before`: the last result, which is kept while somebody has closed the database's gate.
int64_t MeanTtlMs(Server& server, Database& db, int64_t before) {
  if (db.expires() == 0) return 0;
  absl::InsecureBitGen random;
  Hold hold(server.keyspace().background_slot());
  if (!hold.TryPassNow(db)) return before;
  return db.SampleTtlMs(random, server.clock().NowMs());
}

}  // namespace

void Rate::Add(int64_t counter, int64_t now_us) {
  if (last_us_ >= 0 && now_us > last_us_) {
    int64_t grown = std::max<int64_t>(counter - last_counter_, 0);
    rates_[next_] = grown * 1'000'000 / (now_us - last_us_);
    next_ = (next_ + 1) % kSamples;
  }
  last_counter_ = counter;
  last_us_ = now_us;
}

int64_t Rate::per_second() const {
  return std::accumulate(rates_.begin(), rates_.end(), int64_t{0}) / static_cast<int64_t>(kSamples);
}

void Sampler::SampleRates(Server& server) {
  PeakBytes();
  Totals totals = SumOf(server);
  int64_t now_us = server.clock().MonotonicUs();
  MutexLock lock(mutex_);
  commands_.Add(totals.commands, now_us);
  input_bytes_.Add(totals.net_input_bytes, now_us);
  output_bytes_.Add(totals.net_output_bytes, now_us);
  repl_input_bytes_.Add(server.replication().received_bytes(), now_us);
  repl_output_bytes_.Add(server.replication().sent_bytes(), now_us);
}

void Sampler::SampleFigures(Server& server) {
  Figures figures;
  figures.resident_bytes = ResidentBytes();
  figures.allocator = MemoryMeter::AllocatorStats();
  AddClients(server, &figures);
  std::vector<int64_t> before = Sampler::figures().mean_ttl_ms;
  before.resize(static_cast<size_t>(server.keyspace().database_count()));
  for (size_t i = 0; i < before.size(); ++i) {
    Database& db = server.keyspace().db(static_cast<int>(i));
    figures.mean_ttl_ms.push_back(MeanTtlMs(server, db, before[i]));
  }
  MutexLock lock(mutex_);
  figures_ = std::move(figures);
}

Sampler::Rates Sampler::rates() const {
  MutexLock lock(mutex_);
  return {.commands = commands_.per_second(),
          .input_bytes = input_bytes_.per_second(),
          .output_bytes = output_bytes_.per_second(),
          .repl_input_bytes = repl_input_bytes_.per_second(),
          .repl_output_bytes = repl_output_bytes_.per_second()};
}

Sampler::Figures Sampler::figures() const {
  MutexLock lock(mutex_);
  return figures_;
}

int64_t Sampler::PeakBytes() {
  int64_t used = MemoryMeter::UsedBytes();
  int64_t peak = peak_bytes_.load(std::memory_order_relaxed);
  while (used > peak && !peak_bytes_.compare_exchange_weak(peak, used)) {
  }
  return std::max(used, peak);
}

void Sampler::Reset() {
  peak_bytes_ = MemoryMeter::UsedBytes();
  MutexLock lock(mutex_);
  for (Rate* rate :
       {&commands_, &input_bytes_, &output_bytes_, &repl_input_bytes_, &repl_output_bytes_}) {
    *rate = Rate();
  }
}

}  // namespace cloakroom
