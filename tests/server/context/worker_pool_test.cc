#include "server/context/worker_pool.h"

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <future>

#include "gtest/gtest.h"

namespace cloakroom {
namespace {

TEST(WorkerPoolTest, RunsWhatIsPostedOnAThreadOfItsOwn) {
  WorkerPool pool(1);
  std::promise<std::thread::id> ran;
  pool.Post([&] { ran.set_value(std::this_thread::get_id()); });
  EXPECT_NE(ran.get_future().get(), std::this_thread::get_id());
}

TEST(WorkerPoolTest, ItsThreadsGiveWayToEventLoopsUnlessToldOtherwise) {
  const auto niceness = [] { return getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())); };
  const auto niceness_in = [&](WorkerPool& pool) {
    std::promise<int> ran;
    pool.Post([&] { ran.set_value(niceness()); });
    return ran.get_future().get();
  };
  constexpr int kLowest = 19;
  WorkerPool behind(1);
  WorkerPool beside(1, WorkerPool::Priority::kAsEventLoops);
  EXPECT_TRUE(niceness_in(behind) > niceness() || niceness() == kLowest);
  EXPECT_EQ(niceness_in(beside), niceness());
}

TEST(WorkerPoolTest, JobsStartInTheOrderOfPosting) {
  WorkerPool pool(1);
  std::vector<int> order;
  std::promise<void> done;
  for (int i = 0; i < 100; ++i) pool.Post([&order, i] { order.push_back(i); });
  pool.Post([&] { done.set_value(); });
  done.get_future().wait();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

TEST(WorkerPoolTest, ASlowJobHoldsUpOneThreadOnly) {
  WorkerPool pool(2);
  std::promise<void> release;
  std::promise<void> second;
  pool.Post([future = release.get_future().share()] { future.wait(); });
  pool.Post([&] { second.set_value(); });
  second.get_future().wait();
  release.set_value();
}

TEST(WorkerPoolTest, TheEndWaitsForARunningJobAndDropsTheOthers) {
  std::promise<void> started;
  std::promise<void> release;
  std::atomic<bool> finished = false;
  std::atomic<bool> second_ran = false;
  auto pool = std::make_unique<WorkerPool>(1);
  pool->Post([&] {
    started.set_value();
    release.get_future().wait();
    finished = true;
  });
  pool->Post([&] { second_ran = true; });
  started.get_future().wait();
  std::thread end([&] { pool.reset(); });
  release.set_value();
  end.join();
  EXPECT_TRUE(finished);
}

TEST(WorkerPoolTest, AStoppedOneTakesNoMoreJobs) {
  WorkerPool pool(1);
  bool ran = false;
  pool.Stop();
  pool.Post([&] { ran = true; });
  pool.Stop();
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace cloakroom
