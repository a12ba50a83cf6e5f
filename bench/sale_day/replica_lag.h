#ifndef CLOAKROOM_BENCH_SALE_DAY_REPLICA_LAG_H_
#define CLOAKROOM_BENCH_SALE_DAY_REPLICA_LAG_H_

#include <cstdint>

#include "bench/sale_day/figures.h"
#include "bench/sale_day/load.h"

namespace cloakroom::bench {

/// SETs of a value of 100 B to 100,000 keys of 26 B in turn, in pipelines of one connection.
/// Figures: seconds, and keys that are there then.
Figures WriteRecords(int port, int64_t records);

/// How far a replica is behind while its primary takes as many SETs as the load gives. Figures:
/// those of the load; lag_p50_ms, lag_p99_ms, lag_max_ms, each the time from a look at the
/// primary's offset until the replica has applied so much; lag_max_bytes, between the looks at
/// both.
Figures MeasureLag(const LoadOptions& options, int replica_port);

/// One connection sends SET and WAIT 1 together, again and again. Figures: the latencies of both
/// replies, and as ping_ those of a PING.
Figures MeasureWait(const LoadOptions& options);

}  // namespace cloakroom::bench

#endif  // CLOAKROOM_BENCH_SALE_DAY_REPLICA_LAG_H_
