#include "storage/base/memory_meter.h"

#include <malloc.h>

#include <cstddef>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/base/mutex.h"
#include "storage/base/stepped_sum.h"

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

/// The counters of one thread. They belong to jemalloc, which writes them without atomics; another
/// thread reads them slightly late at worst, since a 64-bit store is not split.
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
  struct Member {
    Counters counters;
    SteppedSum::Part published;
  };

  void Join(Member* member) {
    MutexLock lock(mutex_);
    members_.push_back(member);
  }
  void Leave(Member* member) {
    MutexLock lock(mutex_);
    ended_ += member->counters.net();
    // What it has published remains in the sum.
    sum_.Publish(member->published, member->counters.net());
    std::erase(members_, member);
  }
  int64_t Sum() {
    MutexLock lock(mutex_);
    int64_t sum = ended_;
    for (const Member* member : members_) sum += member->counters.net();
    return sum;
  }
  void PublishAll() {
    MutexLock lock(mutex_);
    for (Member* member : members_) sum_.Publish(member->published, member->counters.net());
  }
  int64_t PublishAndSum(Member& own) {
    const int64_t figure = own.counters.net();
    sum_.PublishStep(own.published, figure);
    return sum_.SumWith(own.published, figure);
  }

 private:
  Mutex mutex_;
  std::vector<Member*> members_ ABSL_GUARDED_BY(mutex_);
  int64_t ended_ ABSL_GUARDED_BY(mutex_) = 0;
  SteppedSum sum_;
};

struct Membership {
  Membership() { Roster::Get().Join(&member); }
  ~Membership() { Roster::Get().Leave(&member); }
  Roster::Member member{
      {Read<uint64_t*>("thread.allocatedp"), Read<uint64_t*>("thread.deallocatedp")}, {}};
};

Roster::Member& OwnMember() {
  thread_local Membership membership;
  return membership.member;
}

}  // namespace

void MemoryMeter::RegisterThread() { OwnMember(); }

int64_t MemoryMeter::UsedBytes() { return Roster::Get().Sum(); }

int64_t MemoryMeter::RoughBytes() { return Roster::Get().PublishAndSum(OwnMember()); }

void MemoryMeter::Publish() { RoughBytes(); }

void MemoryMeter::PublishAll() { Roster::Get().PublishAll(); }

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

int64_t MemoryMeter::RoughBytes() { return UsedBytes(); }

void MemoryMeter::Publish() {}

void MemoryMeter::PublishAll() {}

MemoryMeter::Allocator MemoryMeter::AllocatorStats() {
  int64_t used = UsedBytes();
  return {used, used, used, 0};
}

std::string MemoryMeter::AllocatorName() { return "libc"; }

std::string MemoryMeter::AllocatorReport() { return ""; }

void MemoryMeter::Purge() { malloc_trim(0); }

#endif

}  // namespace cloakroom
