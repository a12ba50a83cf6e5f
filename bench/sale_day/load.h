#ifndef CLOAKROOM_BENCH_SALE_DAY_LOAD_H_
#define CLOAKROOM_BENCH_SALE_DAY_LOAD_H_

#include <string>
#include <string_view>
#include <vector>

#include "bench/sale_day/figures.h"

namespace cloakroom::bench {

/// Stands in a request for the fence of the session that the step before has opened.
inline constexpr std::string_view kAnyFence = "0000000000000000";

/// One write of a client and the number of replies that it then waits for.
struct Step {
  std::string bytes;
  size_t replies = 0;
  bool fenced = false;  ///< kAnyFence is in it, perhaps more than once
};

/// All steps of a client's visit: a page's round trips, or one batch of commands.
using Visit = std::vector<Step>;

struct LoadOptions {
  int port = 6379;
  int server_pid = 0;  ///< whose CPU is counted
  int connections = 50;
  int seconds = 3;
  int pipeline = 1;        ///< commands in one write
  int keys = 100'000;      ///< different keys, drawn at random
  bool reconnect = false;  ///< a new connection for each visit, as PHP without persistent ones
};

/// Closed loop: every connection runs visits back to back, and one epoll thread drives them all.
/// `visits` are used in turn; figures "per op" divide by `ops_per_visit`.
/// Figures: ops_per_s, cpu_us_per_op, user_us_per_op, finished (ops, with the warm-up), and the
/// latencies of a visit.
Figures RunLoad(const LoadOptions& options, const std::vector<Visit>& visits, double ops_per_visit);

/// Runs `command` back to back: set get hset hget hmget sadd incr eval; zadd zrange zrank on one
/// sorted set of all keys; xadd on streams that keep about 1,000 entries. "lpush" is LPUSH and LPOP
/// in turn, "xreadgroup" XADD and XREADGROUP of one new entry. Prepares the keys first.
Figures RunCommand(const LoadOptions& options, const std::string& command);

}  // namespace cloakroom::bench

#endif  // CLOAKROOM_BENCH_SALE_DAY_LOAD_H_
