#ifndef CLOAKROOM_BENCH_SALE_DAY_MEMORY_H_
#define CLOAKROOM_BENCH_SALE_DAY_MEMORY_H_

#include <cstdint>
#include <string>

#include "bench/sale_day/figures.h"

namespace cloakroom::bench {

/// Fills an empty server with `items` of one shape and reports bytes_per_item, the growth of
/// used_memory over `items`. Shapes: string (26 B key, 32 B value, TTL), session (five short fields
/// and 2,000 B, TTL), cache ({d 500 B, t, m, i}, 49 B key, TTL), tag (sets of 1,000 members of 40
/// characters) and bigtag (one such set of all items); list (lists of 100 items of 20 characters)
/// and biglist (one of all), zset (sorted sets of 20 members of 16 characters) and bigzset (of
/// 100,000), stream (streams of 1,000 entries of three fields).
Figures MeasureMemory(int port, const std::string& shape, int64_t items);

/// Holds `connections` open and idle and reports rss_bytes, the growth of the server's resident
/// memory, and bytes_per_connection.
Figures MeasureIdle(int port, int server_pid, int connections);

}  // namespace cloakroom::bench

#endif  // CLOAKROOM_BENCH_SALE_DAY_MEMORY_H_
