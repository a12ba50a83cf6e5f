#include "server/background_thread.h"

#include <sys/resource.h>
#include <unistd.h>

namespace cloakroom {
namespace {

constexpr int kNice = 10;

}  // namespace

void GiveWayToEventLoops() {
  // On Linux the priority is the thread's, not the process'.
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
}

}  // namespace cloakroom
