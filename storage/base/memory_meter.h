#ifndef CLOAKROOM_STORAGE_BASE_MEMORY_METER_H_
#define CLOAKROOM_STORAGE_BASE_MEMORY_METER_H_

#include <cstdint>
#include <string>

namespace cloakroom {

/// How much memory the process has allocated, exactly and cheaply: jemalloc counts per thread what
/// it allocates and frees, and the sum over all threads is what is in use.
///
/// Every thread that allocates registers once, before its first allocation that outlives it.
/// Whoever asks before each write asks RoughBytes, which does not look at the other threads: they
/// publish what they have come to in steps (stepped_sum.h).
/// Under a sanitizer, which brings its own allocator, that allocator is asked instead.
class MemoryMeter {
 public:
  /// Makes the calling thread's counters part of the sum; they stay in it when the thread ends.
  static void RegisterThread();

  /// Bytes in use. A lock, and a few loads per thread; any thread may call it.
  static int64_t UsedBytes();

  /// The same, wrong by less than 64 KB for each thread that publishes. The caller's own part is
  /// exact, and published.
  static int64_t RoughBytes();
  /// Publishes what the calling thread has come to. An event loop does after every round, and who
  /// frees in bulk now and then: a few loads.
  static void Publish();
  /// The same for all threads, some of which do not by themselves. A few times a second.
  static void PublishAll();

  /// The allocator's own figures in bytes, for INFO and MEMORY STATS. Slow (tens of microseconds).
  struct Allocator {
    int64_t allocated = 0;
    int64_t active = 0;
    int64_t resident = 0;
    int64_t retained = 0;
  };
  static Allocator AllocatorStats();
  /// "jemalloc-5.3.0", and "libc" under a sanitizer.
  static std::string AllocatorName();
  /// A long text for experts (MEMORY MALLOC-STATS); "" when the allocator has none.
  static std::string AllocatorReport();
  /// Gives unused pages back to the system (MEMORY PURGE).
  static void Purge();
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_BASE_MEMORY_METER_H_
