#ifndef CLOAKROOM_SERVER_THREAD_PRIORITY_H_
#define CLOAKROOM_SERVER_THREAD_PRIORITY_H_

namespace cloakroom {

// Who runs first where cores are scarce. Both are requests to the system for the calling thread
// alone: where it refuses them (seccomp, an old kernel) nothing is different but latency.

/// For event loops: to run soon after they have work, they ask for short turns. Linux 6.12 and
/// later then end the longer turn of another thread for them; before, the system decides by itself.
void TakeShortTurns();

/// For background threads: an event loop that has work runs before them, instead of after their
/// time slice of some milliseconds. They still get some of a busy core: one that starves while it
/// holds a stripe would hold up commands after all.
void GiveWayToEventLoops();

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_THREAD_PRIORITY_H_
