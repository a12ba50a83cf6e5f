#include "server/persistence/save_thread.h"

#include <latch>
#include <vector>

#include "gmock/gmock.h"

namespace cloakroom {
namespace {

TEST(SaveThreadTest, RunsOneJobAfterAnother) {
  std::vector<int> done;
  std::latch all(3);
  SaveThread thread;
  for (int i = 0; i < 3; ++i) {
    thread.Run([&, i] {
      done.push_back(i);
      all.count_down();
    });
  }
  all.wait();
  EXPECT_THAT(done, testing::ElementsAre(0, 1, 2));
}

TEST(SaveThreadTest, ItsEndWaitsForAllJobs) {
  std::latch go(1);
  int done = 0;
  {
    SaveThread thread;
    thread.Run([&] {
      go.wait();
      ++done;
    });
    thread.Run([&] { ++done; });
    EXPECT_EQ(done, 0);
    go.count_down();
  }
  EXPECT_EQ(done, 2);
}

}  // namespace
}  // namespace cloakroom
