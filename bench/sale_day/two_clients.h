#ifndef CLOAKROOM_BENCH_SALE_DAY_TWO_CLIENTS_H_
#define CLOAKROOM_BENCH_SALE_DAY_TWO_CLIENTS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "bench/sale_day/figures.h"
#include "bench/sale_day/shapes.h"

namespace cloakroom::bench {

/// One client that writes to a filled server and one that reads, both at random, with a pause
/// between two requests.
struct TwoClients {
  int port = 6379;
  int64_t items = 0;
  int64_t pause_us = 200;
};

/// Runs `work` on this thread while the clients work; adds their latencies to the figures, as
/// write_ and read_ with `prefix` behind. Only the writing client uses the shape's writes
/// meanwhile.
void Watched(const TwoClients& clients, Shape& shape, const std::string& prefix, Figures& figures,
             const std::function<void()>& work);

/// Adds write_p999_ratio and read_p999_ratio, to what the prefix "quiet_" has.
void AddRatiosToQuiet(Figures& figures);

}  // namespace cloakroom::bench

#endif  // CLOAKROOM_BENCH_SALE_DAY_TWO_CLIENTS_H_
