#ifndef CLOAKROOM_SERVER_BACKGROUND_THREAD_H_
#define CLOAKROOM_SERVER_BACKGROUND_THREAD_H_

namespace cloakroom {

/// Makes the calling thread give way: where cores are scarce an event loop that has work runs
/// before it, instead of after its time slice of some milliseconds. It still gets some of a busy
/// core: one that starves while it holds a stripe would hold up commands after all.
void GiveWayToEventLoops();

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_BACKGROUND_THREAD_H_
