#ifndef CLOAKROOM_BENCH_SALE_DAY_PERSISTENCE_H_
#define CLOAKROOM_BENCH_SALE_DAY_PERSISTENCE_H_

#include <cstdint>
#include <string>

#include "bench/sale_day/figures.h"

namespace cloakroom::bench {

struct PersistenceOptions {
  int port = 6379;
  int server_pid = 0;  ///< its memory and its descendants' is sampled
  int64_t items = 2'000'000;
  int64_t quiet_seconds = 5;
  int times = 1;  ///< how often in a row the action runs while latencies are measured
  int64_t probe_pause_us = 200;
};

/// Fills a server with `items` of a shape (see shapes.h), lets one client write and one read for a
/// while, and then during `action` (BGSAVE, BGREWRITEAOF). Figures: seconds, of one action;
/// memory_before_bytes, memory_peak_bytes, memory_ratio; and for both clients, as write_ and read_,
/// quiet_p50_us … quiet_max_us, p50_us … max_us and p999_ratio, the ratio of the p99.9 to the quiet
/// one.
Figures MeasurePersistence(const PersistenceOptions& options, const std::string& shape,
                           const std::string& action);

}  // namespace cloakroom::bench

#endif  // CLOAKROOM_BENCH_SALE_DAY_PERSISTENCE_H_
