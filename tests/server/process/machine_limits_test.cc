#include "server/process/machine_limits.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/server/config/temporary_folder.h"

namespace cloakroom {
namespace {

class MachineLimitsTest : public testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    std::filesystem::path path = root() + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::string root() const { return folder_.Path(""); }
  MachineLimits Read() const { return MachineLimits::Read(root()); }

  TemporaryFolder folder_;
};

TEST_F(MachineLimitsTest, UnknownIsZero) {
  MachineLimits limits = Read();
  EXPECT_EQ(limits.memory_bytes, 0);
  EXPECT_EQ(limits.listen_backlog, 0);
}

TEST_F(MachineLimitsTest, ReadsTheMachine) {
  Write("/proc/meminfo", "MemTotal:        2048 kB\nMemFree:          100 kB\n");
  Write("/proc/sys/net/core/somaxconn", "128\n");
  MachineLimits limits = Read();
  EXPECT_EQ(limits.memory_bytes, 2048 * 1024);
  EXPECT_EQ(limits.listen_backlog, 128);
}

TEST_F(MachineLimitsTest, TheTightestCgroupLimitsTheMemory) {
  Write("/proc/meminfo", "MemTotal:        2048 kB\n");
  Write("/proc/self/cgroup", "0::/shop/cache\n");
  Write("/sys/fs/cgroup/shop/cache/memory.max", "max\n");
  Write("/sys/fs/cgroup/shop/memory.max", "1048576\n");
  EXPECT_EQ(Read().memory_bytes, 1048576);
}

TEST_F(MachineLimitsTest, ACgroupAboveTheMachineLimitsNothing) {
  Write("/proc/meminfo", "MemTotal:        2048 kB\n");
  Write("/proc/self/cgroup", "0::/shop\n");
  Write("/sys/fs/cgroup/shop/memory.max", "1073741824\n");
  EXPECT_EQ(Read().memory_bytes, 2048 * 1024);
}

}  // namespace
}  // namespace cloakroom
