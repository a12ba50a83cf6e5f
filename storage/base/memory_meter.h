#ifndef CLOAKROOM_STORAGE_BASE_MEMORY_METER_H_
#define CLOAKROOM_STORAGE_BASE_MEMORY_METER_H_

#include <cstdint>
#include <string>

namespace cloakroom {

/// The memory that the process has allocated, exact and cheap: jemalloc counts for each thread what
/// it allocates and frees, and the sum over all threads is what is in use.
///
/// Every thread that allocates registers once, before its first allocation that outlives it. The
/// check before each write uses RoughBytes, which does not read other threads' counters: threads
/// publish their figures in steps (stepped_sum.h). Under a sanitizer, which brings its own
/// allocator, that allocator is asked instead.
class MemoryMeter {
 public:
  /// Makes the calling thread's counters part of the sum; they stay in it when the thread ends.
  static void RegisterThread();

  /// Bytes in use. Takes a lock and a few loads per thread. Any thread.
  static int64_t UsedBytes();

  /// The same, wrong by less than 64 KB for each thread that publishes. The caller's own part is
  /// exact, and is published.
  static int64_t RoughBytes();
  /// Publishes the calling thread's figure. An event loop calls it after every round, and a thread
  /// that frees in bulk now and then. Costs a few loads.
  static void Publish();
  /// The same for all threads, since some do not publish by themselves. Called a few times a
  /// second.
  static void PublishAll();

  /// The allocator's own figures in bytes, for INFO and MEMORY STATS. Slow (tens of microseconds).
  struct Allocator {
    int64_t allocated = 0;
    int64_t active = 0;
    int64_t resident = 0;
    int64_t retained = 0;
  };
  static Allocator AllocatorStats();
  /// "jemalloc-5.3.0"; "libc" under a sanitizer.
  static std::string AllocatorName();
  /// A long text for experts (MEMORY MALLOC-STATS); "" when the allocator has none.
  static std::string AllocatorReport();
  /// Gives unused pages back to the system (MEMORY PURGE).
  static void Purge();
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_BASE_MEMORY_METER_H_
