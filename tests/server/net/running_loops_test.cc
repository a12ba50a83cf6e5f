#include "server/net/running_loops.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/server/support/loop_fixture.h"

namespace cloakroom {
namespace {

/// The first base of the fixture, so that the files outlive the server.
struct Disk {
  FaultyFiles files;
};

class RunningLoopsTest : private Disk, public LoopTest {
 protected:
  RunningLoopsTest() : LoopTest(Disk::files, {"--save", ""}) {}
};

TEST_F(RunningLoopsTest, AThreadThatRunsALoopFindsIt) {
  RunningLoops loops(2);
  EXPECT_EQ(loops.OfThisThread(), nullptr);
  loops.Enter(1, loop(1));
  EXPECT_EQ(loops.OfThisThread(), &loop(1));
  std::thread([&] {
    EXPECT_EQ(loops.OfThisThread(), nullptr);
    loops.Enter(0, loop(0));
    EXPECT_EQ(loops.OfThisThread(), &loop(0));
    loops.Leave(0);
    EXPECT_EQ(loops.OfThisThread(), nullptr);
  }).join();
  EXPECT_EQ(loops.OfThisThread(), &loop(1));
}

}  // namespace
}  // namespace cloakroom
