#include "server/thread_priority.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <thread>

namespace cloakroom {
namespace {

constexpr int kLowest = 19;

int Niceness() { return getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())); }

TEST(ThreadPriorityTest, GivesWayAloneAmongTheThreads) {
  const int mine = Niceness();
  int lowered = mine;
  std::thread([&lowered] {
    GiveWayToEventLoops();
    lowered = Niceness();
  }).join();
  EXPECT_TRUE(lowered > mine || mine == kLowest) << lowered;
  EXPECT_EQ(Niceness(), mine);
}

TEST(ThreadPriorityTest, AShortTurnChangesNeitherPolicyNorNiceness) {
  int before = 0;
  int after = 0;
  int policy = -1;
  std::thread([&] {
    GiveWayToEventLoops();
    before = Niceness();
    TakeShortTurns();
    after = Niceness();
    policy = sched_getscheduler(0);
  }).join();
  EXPECT_EQ(after, before);
  EXPECT_EQ(policy, SCHED_OTHER);
}

}  // namespace
}  // namespace cloakroom
