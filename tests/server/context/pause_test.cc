#include "server/context/pause.h"

#include "gtest/gtest.h"

namespace cloakroom {
namespace {

TEST(PauseTest, WithoutOneEverybodyMayRun) {
  Pause pause;
  EXPECT_FALSE(pause.active());
  EXPECT_EQ(pause.UntilMs(/*may_write=*/true, 0), 0);
}

TEST(PauseTest, APauseOfWritesLetsReadsThrough) {
  Pause pause;
  pause.Begin(100, /*all=*/false);
  EXPECT_TRUE(pause.active());
  EXPECT_EQ(pause.UntilMs(/*may_write=*/true, 50), 100);
  EXPECT_EQ(pause.UntilMs(/*may_write=*/false, 50), 0);
}

TEST(PauseTest, ItEndsByItself) {
  Pause pause;
  pause.Begin(100, /*all=*/true);
  EXPECT_EQ(pause.UntilMs(false, 99), 100);
  EXPECT_EQ(pause.UntilMs(false, 100), 0);
}

TEST(PauseTest, AShorterOneDoesNotShortenIt) {
  Pause pause;
  pause.Begin(100, /*all=*/true);
  pause.Begin(50, /*all=*/true);
  pause.Begin(60, /*all=*/false);
  EXPECT_EQ(pause.UntilMs(true, 10), 100);
}

TEST(PauseTest, TheKeyspaceChangesNothingByItselfMeanwhile) {
  StorageSettings settings;
  Pause pause(&settings);
  pause.Begin(100, /*all=*/false);
  pause.Begin(50, /*all=*/true);
  EXPECT_EQ(settings.unchanging_until_ms, 100);
  pause.End();
  EXPECT_EQ(settings.unchanging_until_ms, 0);
}

TEST(PauseTest, TheEndOfOnePauseLeavesAnothers) {
  Pause pause;
  pause.Begin(100, /*all=*/false);
  pause.Begin(200, /*all=*/false, Pause::By::kFailover);
  EXPECT_EQ(pause.UntilMs(true, 10), 200);
  pause.End();
  EXPECT_EQ(pause.UntilMs(true, 10), 200);
  EXPECT_TRUE(pause.active());
  pause.End(Pause::By::kFailover);
  EXPECT_FALSE(pause.active());
}

TEST(PauseTest, EndWakesEveryWaiterOnce) {
  Pause pause;
  int woken = 0;
  pause.Begin(100, /*all=*/true);
  pause.WhenEnded([&] { ++woken; });
  pause.WhenEnded([&] { ++woken; });
  EXPECT_EQ(woken, 0);
  pause.End();
  EXPECT_EQ(woken, 2);
  EXPECT_EQ(pause.UntilMs(true, 10), 0);
  pause.End();
  EXPECT_EQ(woken, 2);
}

TEST(PauseTest, CountsWhomItKeepsWaitingUntilItIsOver) {
  Pause pause;
  EXPECT_EQ(pause.Waiting(10), 0);
  pause.Begin(100, /*all=*/true);
  pause.WhenEnded([] {});
  EXPECT_EQ(pause.Waiting(10), 1);
  EXPECT_EQ(pause.Waiting(100), 0);
}

TEST(PauseTest, WhoNoLongerWaitsIsNeitherCountedNorWoken) {
  Pause pause;
  int woken = 0;
  pause.Begin(100, /*all=*/true);
  const Pause::Waiter one = pause.WhenEnded([&] { woken += 1; });
  pause.WhenEnded([&] { woken += 10; });
  pause.Forget(one);
  EXPECT_EQ(pause.Waiting(10), 1);
  pause.End();
  EXPECT_EQ(woken, 10);
}

TEST(PauseTest, WhoWaitsTooLateIsWokenAtOnce) {
  Pause pause;
  int woken = 0;
  pause.Begin(100, /*all=*/true);
  pause.End();
  pause.WhenEnded([&] { ++woken; });
  EXPECT_EQ(woken, 1);
}

TEST(PauseTest, ANextPauseLetsWhoWaitsAskAgain) {
  Pause pause;
  int woken = 0;
  pause.Begin(100, /*all=*/false);
  pause.WhenEnded([&] { ++woken; });
  pause.Begin(200, /*all=*/true);
  EXPECT_EQ(woken, 1);
}

}  // namespace
}  // namespace cloakroom
