#include "server/context/thread_priority.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace cloakroom {
namespace {

/// Added to the niceness that the process was started with.
constexpr int kNicer = 10;
/// Linux's default is 0.7 to 2.8 ms, depending on the number of cores; its minimum is 0.1 ms.
constexpr uint64_t kShortTurnNs = 300'000;

/// struct sched_attr in its first version, by sched_setattr(2): the kernel's header for it and
/// <sched.h> exclude each other, and glibc 2.36 has neither it nor the calls.
struct SchedAttributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime_ns;  ///< for SCHED_OTHER: the length of a turn
  uint64_t deadline_ns;
  uint64_t period_ns;
};

/// On Linux the priority belongs to the thread, not the process.
id_t ThisThread() { return static_cast<id_t>(gettid()); }

}  // namespace

void TakeShortTurns() {
  SchedAttributes attributes{};
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0U) != 0) return;
  attributes.runtime_ns = kShortTurnNs;
  syscall(SYS_sched_setattr, 0, &attributes, 0U);
}

void GiveWayToEventLoops() {
  setpriority(PRIO_PROCESS, ThisThread(), getpriority(PRIO_PROCESS, ThisThread()) + kNicer);
}

PriorityOfEventLoops::PriorityOfEventLoops()
    : niceness_(getpriority(PRIO_PROCESS, ThisThread())),
      taken_(setpriority(PRIO_PROCESS, ThisThread(), niceness_ - kNicer) == 0) {}

PriorityOfEventLoops::~PriorityOfEventLoops() {
  if (taken_) setpriority(PRIO_PROCESS, ThisThread(), niceness_);
}

}  // namespace cloakroom
