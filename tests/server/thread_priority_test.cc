#include "server/thread_priority.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <thread>

namespace cloakroom {
namespace {

int Niceness() { return getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())); }

TEST(ThreadPriorityTest, GivesWayAloneAmongTheThreads) {
  const int mine = Niceness();
  int lowered = mine;
  std::thread([&lowered] {
    GiveWayToEventLoops();
    lowered = Niceness();
  }).join();
  EXPECT_GT(lowered, mine);
  EXPECT_EQ(Niceness(), mine);
}

}  // namespace
}  // namespace cloakroom
