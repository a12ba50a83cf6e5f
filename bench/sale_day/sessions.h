#ifndef CLOAKROOM_BENCH_SALE_DAY_SESSIONS_H_
#define CLOAKROOM_BENCH_SALE_DAY_SESSIONS_H_

#include "bench/sale_day/figures.h"
#include "bench/sale_day/load.h"

namespace cloakroom::bench {

/// Sessions of a shop's visitors, each read under its lock and written back. `native`: by
/// SESSION.OPEN and SESSION.COMMIT where the server has them; otherwise by 11 commands in 7 round
/// trips, as Magento's library does.
Figures RunSessionVisits(const LoadOptions& options, bool native);

/// Six parallel requests of one shopper, 50 ms of work each, again and again. `native`: where the
/// server can; otherwise by the library's loop, which polls every half second. Figures: the mean
/// and the longest wait for the lock, the commands of six requests, and, natively, the latencies
/// from one COMMIT to the next reply of OPEN.
Figures MeasureSessionWaits(int port, int rounds, bool native);

/// What SET costs while 1,000 native locks are held, as a ratio to the same without them.
Figures MeasureBesideLocks(const LoadOptions& options);

/// What so many requests that wait for a session cost: memory for each beyond an idle connection,
/// and the share of a core while nothing happens.
Figures MeasureWaiters(int port, int server_pid, int waiters);

}  // namespace cloakroom::bench

#endif  // CLOAKROOM_BENCH_SALE_DAY_SESSIONS_H_
