#ifndef CLOAKROOM_BENCH_SALE_DAY_STALL_H_
#define CLOAKROOM_BENCH_SALE_DAY_STALL_H_

#include <cstdint>
#include <string>

#include "bench/sale_day/figures.h"

namespace cloakroom::bench {

struct StallOptions {
  int port = 6379;
  int64_t items = 1'000'000;
  int64_t probe_pause_us = 200;
};

/// The latencies of a quiet client, which sends one GET after another with a pause between, while
/// another client makes the server work hard. Figures: these latencies and, by scenario,
///   quiet     nothing else happens (the machine's own noise)
///   expire    `items` keys expire in the same second: gone_s until DBSIZE is 0, memory_back_s
///             until used_memory has dropped by 95 % of what they took
///   keys      KEYS * over `items` keys, three times: work_s
///   flushall  FLUSHALL of `items` keys: work_s
///   grow      `items` keys are added in pipelines of 16: work_s
Figures MeasureStall(const StallOptions& options, const std::string& scenario);

}  // namespace cloakroom::bench

#endif  // CLOAKROOM_BENCH_SALE_DAY_STALL_H_
