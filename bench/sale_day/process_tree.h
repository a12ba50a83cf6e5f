#ifndef CLOAKROOM_BENCH_SALE_DAY_PROCESS_TREE_H_
#define CLOAKROOM_BENCH_SALE_DAY_PROCESS_TREE_H_

#include <atomic>
#include <cstdint>
#include <thread>

namespace cloakroom::bench {

/// The proportional set size of a process and all its descendants (smaps_rollup): a page that a
/// forked child shares with its parent counts once. Processes that end meanwhile do not count.
int64_t ProportionalBytesOf(int pid);

/// Samples that size every 200 ms, on a thread of its own, from construction until Stop.
class PeakMemory {
 public:
  explicit PeakMemory(int pid);
  ~PeakMemory();
  PeakMemory(const PeakMemory&) = delete;
  PeakMemory& operator=(const PeakMemory&) = delete;

  /// Ends the thread. Returns the largest sample.
  int64_t Stop();

 private:
  std::atomic<bool> stopping_ = false;
  int64_t peak_bytes_ = 0;
  std::thread thread_;
};

}  // namespace cloakroom::bench

#endif  // CLOAKROOM_BENCH_SALE_DAY_PROCESS_TREE_H_
