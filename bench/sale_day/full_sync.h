#ifndef CLOAKROOM_BENCH_SALE_DAY_FULL_SYNC_H_
#define CLOAKROOM_BENCH_SALE_DAY_FULL_SYNC_H_

#include <cstdint>

#include "bench/sale_day/figures.h"

namespace cloakroom::bench {

struct FullSyncOptions {
  int port = 6379;
  int server_pid = 0;  ///< its memory and its descendants' is sampled
  int replica_port = 6380;
  int64_t items = 2'000'000;  ///< values of 1 KB
  int64_t quiet_seconds = 5;
  int64_t written_bytes_per_s = 30'000'000;
  int64_t slow_bytes_per_s = 20'000'000;
  int64_t most_seconds = 400;  ///< after which a sync counts as failed
};

/// Fills a server with values of 1 KB and, while they are changed all the time, gives two replicas
/// all data at once: the server at `replica_port`, and one that reads slowly. Twice: the first time
/// the memory is measured, the second time how long it takes and how long others wait.
/// Figures: dropped, how often a replica was, both times; memory_before_bytes, memory_peak_bytes,
/// memory_ratio; the latencies of one client that writes and one that reads, as of persistence.h;
/// written_mb_per_s meanwhile; fast_seconds until the server has the data. Those that follow are
/// missing when a replica was dropped so often that it never got it: seconds until both have it,
/// snapshot_bytes, write_p999_ratio, read_p999_ratio.
Figures MeasureFullSync(const FullSyncOptions& options);

}  // namespace cloakroom::bench

#endif  // CLOAKROOM_BENCH_SALE_DAY_FULL_SYNC_H_
