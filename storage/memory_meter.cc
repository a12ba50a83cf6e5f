#include "storage/memory_meter.h"

#include <malloc.h>

#include <cstddef>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/mutex.h"

#ifdef CLOAKROOM_JEMALLOC
#include <jemalloc/jemalloc.h>
#else
extern "C" size_t __sanitizer_get_current_allocated_bytes() __attribute__((weak));
#endif

namespace cloakroom {

#ifdef CLOAKROOM_JEMALLOC

namespace {

template <typename T>
T Read(const char* name) {
  T value{};
  size_t size = sizeof(value);
  mallctl(name, &value, &size, nullptr, 0);
  return value;
}

/// The counters of one thread. They belong to jemalloc, which writes them without atomics; a
/// reader elsewhere sees them a little late at worst, since a 64-bit store is whole.
struct Counters {
  const volatile uint64_t* allocated;
  const volatile uint64_t* freed;
  int64_t net() const { return static_cast<int64_t>(*allocated - *freed); }
};

/// The threads that count, and the balance of those that ended.
class Roster {
 public:
  static Roster& Get() {
    static Roster* roster = new Roster;
    return *roster;
  }
  void Join(Counters counters) {
    MutexLock lock(mutex_);
    threads_.push_back(counters);
  }
  void Leave(Counters counters) {
    MutexLock lock(mutex_);
    ended_ += counters.net();
    std::erase_if(threads_, [&](const Counters& c) { return c.allocated == counters.allocated; });
  }
  int64_t Sum() {
    MutexLock lock(mutex_);
    int64_t sum = ended_;
    for (const Counters& counters : threads_) sum += counters.net();
    return sum;
  }

 private:
  Mutex mutex_;
  std::vector<Counters> threads_ ABSL_GUARDED_BY(mutex_);
  int64_t ended_ ABSL_GUARDED_BY(mutex_) = 0;
};

struct Membership {
  Membership()
      : counters{Read<uint64_t*>("thread.allocatedp"), Read<uint64_t*>("thread.deallocatedp")} {
    Roster::Get().Join(counters);
  }
  ~Membership() { Roster::Get().Leave(counters); }
  Counters counters;
};

}  // namespace

void MemoryMeter::RegisterThread() { thread_local Membership membership; }

int64_t MemoryMeter::UsedBytes() { return Roster::Get().Sum(); }

MemoryMeter::Allocator MemoryMeter::AllocatorStats() {
  uint64_t epoch = 1;
  mallctl("epoch", nullptr, nullptr, &epoch, sizeof(epoch));
  return {static_cast<int64_t>(Read<size_t>("stats.allocated")),
          static_cast<int64_t>(Read<size_t>("stats.active")),
          static_cast<int64_t>(Read<size_t>("stats.resident")),
          static_cast<int64_t>(Read<size_t>("stats.retained"))};
}

std::string MemoryMeter::AllocatorName() {
  std::string version = Read<const char*>("version");
  return "jemalloc-" + version.substr(0, version.find('-'));
}

std::string MemoryMeter::AllocatorReport() {
  std::string report;
  malloc_stats_print(
      [](void* out, const char* text) { static_cast<std::string*>(out)->append(text); }, &report,
      nullptr);
  return report;
}

void MemoryMeter::Purge() {
  // 4096 is jemalloc's MALLCTL_ARENAS_ALL.
  mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0);
}

#else

void MemoryMeter::RegisterThread() {}

int64_t MemoryMeter::UsedBytes() {
  if (__sanitizer_get_current_allocated_bytes != nullptr) {
    return static_cast<int64_t>(__sanitizer_get_current_allocated_bytes());
  }
  return static_cast<int64_t>(mallinfo2().uordblks);
}

MemoryMeter::Allocator MemoryMeter::AllocatorStats() {
  int64_t used = UsedBytes();
  return {used, used, used, 0};
}

std::string MemoryMeter::AllocatorName() { return "libc"; }

std::string MemoryMeter::AllocatorReport() { return ""; }

void MemoryMeter::Purge() { malloc_trim(0); }

#endif

}  // namespace cloakroom
