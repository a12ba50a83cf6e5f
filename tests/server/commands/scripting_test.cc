// Scripts as commands: the server's part. tests/server/script/ tests the interpreter.
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/memory_meter.h"
#include "tests/server/support/server_fixture.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

class ScriptingTest : public ServerTest {
 protected:
  ScriptingTest() { MemoryMeter::RegisterThread(); }

  /// Sets a limit below what is already in use: every command that needs room has to evict.
  void LimitMemory(std::string_view policy) {
    std::vector<std::string_view> words = {"maxmemory", "1", "maxmemory-policy", policy};
    ASSERT_OK(config_.Set(words));
  }
  std::string Save() { return Run({"EVAL", "return redis.call('SET', 'saved', 1)", "0"}); }
};

TEST_F(ScriptingTest, MakesRoomBeforeItRuns) {
  constexpr int kKeys = 1000;  // more than one command evicts
  for (int i = 0; i < kKeys; ++i) Run({"SET", "key" + std::to_string(i), "v"});
  LimitMemory("allkeys-random");
  EXPECT_EQ(Save(), "+OK\r\n");
  EXPECT_NE(Run("DBSIZE"), ":" + std::to_string(kKeys + 1) + "\r\n");
}

TEST_F(ScriptingTest, IsRefusedRoomWhenNothingMayGo) {
  Run("SET key v");
  LimitMemory("noeviction");
  EXPECT_TRUE(Save().starts_with("-OOM command not allowed")) << Save();
  EXPECT_EQ(Run({"EVAL", "return redis.call('GET', 'key')", "0"}), "$1\r\nv\r\n");
  EXPECT_EQ(Run("EXISTS saved"), ":0\r\n");
}

}  // namespace
}  // namespace cloakroom
