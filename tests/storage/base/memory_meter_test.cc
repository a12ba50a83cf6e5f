#include "storage/base/memory_meter.h"

#include <cstring>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "storage/base/allocate.h"

namespace cloakroom {
namespace {

constexpr size_t kBlock = 1 << 20;
constexpr int64_t kSlack = 256 * 1024;  ///< for what the test itself and the library allocate

/// Allocates memory that is really mapped.
void* Take() {
  void* memory = Allocate(kBlock);
  std::memset(memory, 1, kBlock);
  return memory;
}

TEST(MemoryMeterTest, CountsWhatThisThreadTakesAndGivesBack) {
  MemoryMeter::RegisterThread();
  int64_t before = MemoryMeter::UsedBytes();
  std::vector<void*> blocks;
  for (int i = 0; i < 8; ++i) blocks.push_back(Take());
  EXPECT_NEAR(MemoryMeter::UsedBytes() - before, 8 * kBlock, kSlack);
  for (void* block : blocks) Deallocate(block);
  EXPECT_NEAR(MemoryMeter::UsedBytes() - before, 0, kSlack);
}

TEST(MemoryMeterTest, RegisteringAgainCountsNothingTwice) {
  MemoryMeter::RegisterThread();
  int64_t before = MemoryMeter::UsedBytes();
  MemoryMeter::RegisterThread();
  EXPECT_NEAR(MemoryMeter::UsedBytes() - before, 0, kSlack);
}

TEST(MemoryMeterTest, WhatAThreadLeavesBehindStaysCounted) {
  MemoryMeter::RegisterThread();
  int64_t before = MemoryMeter::UsedBytes();
  void* block = nullptr;
  std::thread([&] {
    MemoryMeter::RegisterThread();
    block = Take();
  }).join();
  EXPECT_NEAR(MemoryMeter::UsedBytes() - before, kBlock, kSlack);
  Deallocate(block);
  EXPECT_NEAR(MemoryMeter::UsedBytes() - before, 0, kSlack);
}

TEST(MemoryMeterTest, OneThreadMayFreeWhatAnotherTook) {
  MemoryMeter::RegisterThread();
  int64_t before = MemoryMeter::UsedBytes();
  void* block = Take();
  std::thread([&] {
    MemoryMeter::RegisterThread();
    Deallocate(block);
    EXPECT_NEAR(MemoryMeter::UsedBytes() - before, 0, kSlack);
  }).join();
  EXPECT_NEAR(MemoryMeter::UsedBytes() - before, 0, kSlack);
}

TEST(MemoryMeterTest, TheRoughFigureIsExactInTheCallersPartAndNearInTheOthers) {
  MemoryMeter::RegisterThread();
  MemoryMeter::PublishAll();
  EXPECT_NEAR(MemoryMeter::RoughBytes(), MemoryMeter::UsedBytes(), kSlack);
  void* block = Take();
  EXPECT_NEAR(MemoryMeter::RoughBytes(), MemoryMeter::UsedBytes(), kSlack);
  std::thread([&] {
    MemoryMeter::RegisterThread();
    Deallocate(block);
    block = Take();
    Deallocate(std::exchange(block, Take()));
    MemoryMeter::Publish();
  }).join();
  EXPECT_NEAR(MemoryMeter::RoughBytes(), MemoryMeter::UsedBytes(), kSlack);
  Deallocate(block);
  EXPECT_NEAR(MemoryMeter::RoughBytes(), MemoryMeter::UsedBytes(), kSlack);
}

TEST(MemoryMeterTest, WhatAThreadDoesNotPublishIsPublishedForIt) {
  MemoryMeter::RegisterThread();
  MemoryMeter::PublishAll();
  std::promise<void> taken;
  std::promise<void> looked;
  std::thread silent([&] {
    MemoryMeter::RegisterThread();
    void* block = Take();
    taken.set_value();
    looked.get_future().wait();
    Deallocate(block);
  });
  taken.get_future().wait();
  MemoryMeter::PublishAll();
  EXPECT_NEAR(MemoryMeter::RoughBytes(), MemoryMeter::UsedBytes(), kSlack);
  looked.set_value();
  silent.join();
  EXPECT_NEAR(MemoryMeter::RoughBytes(), MemoryMeter::UsedBytes(), kSlack);
}

TEST(MemoryMeterTest, TheAllocatorsOwnFiguresAreOrdered) {
  void* block = Take();
  MemoryMeter::Allocator figures = MemoryMeter::AllocatorStats();
  EXPECT_GE(figures.allocated, static_cast<int64_t>(kBlock));
  EXPECT_GE(figures.active, figures.allocated);
  EXPECT_GE(figures.resident, figures.active);
  EXPECT_GE(figures.retained, 0);
  Deallocate(block);
  MemoryMeter::Purge();
}

}  // namespace
}  // namespace cloakroom
