#include "server/persistence/save_thread.h"

#include <atomic>

#include "gtest/gtest.h"

namespace cloakroom {
namespace {

TEST(SaveThreadTest, RunsOneJobAfterAnother) {
  SaveThread thread;
  int done = 0;
  for (int i = 0; i < 3; ++i) {
    thread.Run([&] { ++done; });
    thread.WaitUntilIdle();
    EXPECT_TRUE(thread.idle());
  }
  EXPECT_EQ(done, 3);
}

TEST(SaveThreadTest, ItsEndWaitsForTheJobUnderWay) {
  std::atomic<bool> go = false;
  std::atomic<bool> done = false;
  {
    SaveThread thread;
    thread.Run([&] {
      go.wait(false);
      done = true;
    });
    EXPECT_FALSE(thread.idle());
    go = true;
    go.notify_one();
  }
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace cloakroom
