#ifndef CLOAKROOM_SERVER_CONTEXT_THREAD_PRIORITY_H_
#define CLOAKROOM_SERVER_CONTEXT_THREAD_PRIORITY_H_

namespace cloakroom {

// Who runs first where cores are scarce. Both are requests to the system for the calling thread
// alone: where it refuses them (seccomp, an old kernel) nothing is different but latency.

/// For event loops: to run soon after they have work, they ask for short turns. Linux 6.12 and
/// later then end the longer turn of another thread for them; before, the system decides by itself.
void TakeShortTurns();

/// For background threads: an event loop that has work runs before them, instead of after their
/// time slice of some milliseconds. They still get some of a busy core, but wait for it for
/// milliseconds: one that is to hold stripes should not give way, lest commands wait with it, but
/// take short turns and leave long work to others.
void GiveWayToEventLoops();

/// For a thread that gives way and is about to hold what event loops may wait for: the priority
/// that it had before, until the end of the scope. Only where the system lets a thread take it back
/// (CAP_SYS_NICE, or LimitNICE= of the unit); else nothing is different. Costs some system calls,
/// so it is for holds of tens of microseconds.
class PriorityOfEventLoops {
 public:
  PriorityOfEventLoops();
  ~PriorityOfEventLoops();
  PriorityOfEventLoops(const PriorityOfEventLoops&) = delete;
  PriorityOfEventLoops& operator=(const PriorityOfEventLoops&) = delete;

 private:
  const int niceness_;  ///< before
  const bool taken_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_CONTEXT_THREAD_PRIORITY_H_
