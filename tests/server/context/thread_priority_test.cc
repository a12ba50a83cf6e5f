#include "server/context/thread_priority.h"

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

TEST(ThreadPriorityTest, WhoGivesWayTakesItsPriorityBackWhereItMay) {
  const int mine = Niceness();
  int lowered = mine;
  int inside = mine;
  int after = mine;
  std::thread([&] {
    GiveWayToEventLoops();
    lowered = Niceness();
    {
      const PriorityOfEventLoops priority;
      inside = Niceness();
    }
    after = Niceness();
  }).join();
  EXPECT_EQ(after, lowered);
  const bool may = geteuid() == 0;
  if (may && lowered == mine + 10) {
    EXPECT_EQ(inside, mine);
  } else {
    EXPECT_TRUE(inside == mine || inside == lowered) << inside;
  }
}

}  // namespace
}  // namespace cloakroom
