#ifndef CLOAKROOM_SERVER_CONTEXT_THREAD_PRIORITY_H_
#define CLOAKROOM_SERVER_CONTEXT_THREAD_PRIORITY_H_

namespace cloakroom {

// Which threads run first when cores are scarce. These are requests to the system for the calling
// thread alone: where it refuses them (seccomp, an old kernel), only latency differs.

/// For event loops: asks for short turns, so that they run soon after they have work. Linux 6.12
/// and later then end the longer turn of another thread for them; older kernels decide by
/// themselves.
void TakeShortTurns();

/// For background threads: an event loop that has work runs before them, instead of after their
/// time slice of some milliseconds. They still get a share of a busy core, but wait milliseconds
/// for it. So a thread that holds stripes should not give way, because commands would wait with it;
/// it should take short turns and leave long work to others.
void GiveWayToEventLoops();

/// For a thread that gives way and is about to hold what event loops may wait for: restores its
/// earlier priority until the end of the scope. Works only where the system lets a thread raise its
/// priority (CAP_SYS_NICE, or LimitNICE= of the unit); otherwise nothing changes. Costs some system
/// calls, so it is for holds of tens of microseconds.
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
