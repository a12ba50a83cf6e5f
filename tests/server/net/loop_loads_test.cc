#include "server/net/loop_loads.h"

#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace cloakroom {
namespace {

constexpr size_t kLoops = 8;
constexpr size_t kMost = 10'000;

TEST(LoopLoadsTest, AsManyConnectionsAsLoopsMeansOneForEachWhoeverAccepts) {
  for (size_t accepted_by = 0; accepted_by < kLoops; ++accepted_by) {
    LoopLoads loads(kLoops);
    for (size_t i = 0; i < kLoops; ++i) loads.Choose(accepted_by, kMost);
    for (size_t loop = 0; loop < kLoops; ++loop) EXPECT_EQ(loads.load(loop), 1U);
  }
}

TEST(LoopLoadsTest, WhoAcceptedKeepsItWhereNobodyHasFewer) {
  LoopLoads loads(kLoops);
  for (size_t loop = kLoops; loop-- > 0;) EXPECT_EQ(loads.Choose(loop, kMost), loop);
  EXPECT_EQ(loads.Choose(3, kMost), 3U);
}

TEST(LoopLoadsTest, OneConnectionAfterTheOtherIsNeverHandedOver) {
  LoopLoads loads(kLoops);
  for (int i = 0; i < 100; ++i) {
    const size_t accepted_by = static_cast<size_t>(i) % kLoops;
    EXPECT_EQ(loads.Choose(accepted_by, kMost), accepted_by);
    loads.Leave(accepted_by);
  }
}

TEST(LoopLoadsTest, WhoHasLostMostGetsTheNext) {
  LoopLoads loads(kLoops);
  for (size_t i = 0; i < 4 * kLoops; ++i) loads.Choose(i % kLoops, kMost);
  loads.Leave(5);
  EXPECT_EQ(loads.Choose(0, kMost), 5U);
  EXPECT_EQ(loads.Choose(0, kMost), 0U);
}

TEST(LoopLoadsTest, WhereThereAreManyAFewMoreAreNotWorthAHandOver) {
  constexpr size_t kMany = 80;
  LoopLoads loads(2);
  for (size_t i = 0; i < 2 * kMany; ++i) loads.Choose(i % 2, kMost);
  for (size_t i = 0; i < kMany / 10; ++i) loads.Leave(1);
  EXPECT_EQ(loads.Choose(0, kMost), 0U);
  for (size_t i = 0; i < kMany / 10; ++i) loads.Leave(1);
  EXPECT_EQ(loads.Choose(0, kMost), 1U);
}

TEST(LoopLoadsTest, NoMoreThanSoManyAreLetIn) {
  LoopLoads loads(2);
  EXPECT_EQ(loads.Choose(0, 2), 0U);
  EXPECT_EQ(loads.Choose(0, 2), 1U);
  EXPECT_EQ(loads.Choose(0, 2), std::nullopt);
  loads.Leave(0);
  EXPECT_EQ(loads.Choose(1, 2), 0U);
  EXPECT_EQ(loads.Choose(1, 0), std::nullopt);
}

TEST(LoopLoadsTest, WhoIsGivenToALoopCountsThere) {
  LoopLoads loads(2);
  loads.Enter(1);
  loads.Enter(1);
  EXPECT_EQ(loads.load(1), 2U);
  EXPECT_EQ(loads.Choose(1, 3), 0U);
  EXPECT_EQ(loads.Choose(1, 3), std::nullopt);
}

TEST(LoopLoadsTest, EqualsHaveItInTurn) {
  LoopLoads loads(kLoops);
  std::vector<size_t> chosen;
  for (size_t i = 0; i < kLoops; ++i) chosen.push_back(*loads.Choose(0, kMost));
  EXPECT_EQ(chosen, (std::vector<size_t>{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(LoopLoadsTest, LoopsThatAcceptAtOnceAgree) {
  constexpr size_t kEach = 100;
  LoopLoads loads(kLoops);
  std::vector<std::thread> threads;
  for (size_t loop = 0; loop < 4; ++loop) {
    threads.emplace_back([&, loop] {
      for (size_t i = 0; i < kEach; ++i) loads.Choose(loop, kMost);
    });
  }
  for (std::thread& thread : threads) thread.join();
  size_t sum = 0;
  for (size_t loop = 0; loop < kLoops; ++loop) {
    sum += loads.load(loop);
    EXPECT_NEAR(static_cast<double>(loads.load(loop)), 50.0, 7.0);
  }
  EXPECT_EQ(sum, 4 * kEach);
}

}  // namespace
}  // namespace cloakroom
