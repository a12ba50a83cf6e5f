#ifndef CLOAKROOM_SERVER_INFO_MEMORY_REPORT_H_
#define CLOAKROOM_SERVER_INFO_MEMORY_REPORT_H_

#include <algorithm>
#include <cstdint>

#include "server/context/server.h"
#include "storage/base/memory_meter.h"

namespace cloakroom {

/// How memory is used, in bytes, and the ratios that INFO and MEMORY STATS derive from it.
struct MemoryReport {
  int64_t used = 0;
  int64_t peak = 0;
  int64_t startup = 0;
  int64_t resident = 0;
  int64_t clients = 0;
  int64_t lua = 0;            ///< the interpreters' heaps
  int64_t lua_functions = 0;  ///< the same for functions
  int64_t scripts = 0;        ///< the cached scripts
  int64_t functions = 0;      ///< the libraries of functions
  MemoryMeter::Allocator allocator;

  /// Any thread; resident, clients and allocator are up to a second old.
  static MemoryReport Of(Server& server);

  /// What is not data: the server itself, its clients and scripts.
  int64_t overhead() const { return std::min(startup + clients + scripts + functions, used); }
  int64_t dataset() const { return used - overhead(); }
  double dataset_percent() const {
    return 100 * Ratio(dataset(), std::max<int64_t>(used - startup, dataset()));
  }
  double peak_percent() const { return 100 * Ratio(used, peak); }
  double allocator_frag_ratio() const { return Ratio(allocator.active, allocator.allocated); }
  double allocator_rss_ratio() const { return Ratio(allocator.resident, allocator.active); }
  double rss_overhead_ratio() const { return Ratio(resident, allocator.resident); }
  double fragmentation_ratio() const { return Ratio(resident, used); }

 private:
  static double Ratio(int64_t part, int64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  }
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_INFO_MEMORY_REPORT_H_
