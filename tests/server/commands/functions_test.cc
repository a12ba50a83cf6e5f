// Functions as commands: the server's part. tests/server/script/ tests the interpreter, and
// conformance/ the replies.
#include <string>
#include <string_view>
#include <vector>

#include "replication/rdb/function_payload.h"
#include "server/script/function_registry.h"
#include "server/script/running_scripts.h"
#include "storage/base/memory_meter.h"
#include "tests/server/support/server_fixture.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

class FunctionsTest : public ServerTest {
 protected:
  FunctionsTest() { MemoryMeter::RegisterThread(); }

  static std::string Source(const std::string& name, const std::string& code) {
    return "#!lua name=" + name + "\n" + code;
  }
  /// A library with one function of the same name.
  static std::string Returning(const std::string& name, const std::string& value) {
    return Source(name,
                  "redis.register_function('" + name + "', function() return " + value + " end)");
  }
  std::string Load(const std::string& source) { return Run({"FUNCTION", "LOAD", source}); }
  std::string Replace(const std::string& source) {
    return Run({"FUNCTION", "LOAD", "REPLACE", source});
  }
  int64_t Changes() { return server_.keyspace().changes(); }
};

TEST_F(FunctionsTest, ALoadedFunctionIsCalled) {
  EXPECT_EQ(Load(Returning("f", "7")), "$1\r\nf\r\n");
  EXPECT_EQ(Run("FCALL f 0"), ":7\r\n");
  EXPECT_EQ(Load(Returning("f", "8")), "-ERR Library 'f' already exists\r\n");
  EXPECT_EQ(Replace(Returning("f", "8")), "$1\r\nf\r\n");
  EXPECT_EQ(Run("FCALL F 0"), ":8\r\n");
  EXPECT_EQ(Run("FUNCTION DELETE f"), "+OK\r\n");
  EXPECT_EQ(Run("FCALL f 0"), "-ERR Function not found\r\n");
}

TEST_F(FunctionsTest, ALoadThatFailsChangesNothing) {
  Load(Returning("f", "7"));
  const int64_t changes = Changes();
  EXPECT_TRUE(Replace(Source("f", "x =")).starts_with("-ERR Error compiling function: "));
  EXPECT_EQ(Replace(Source("f", "")), "-ERR No functions registered\r\n");
  EXPECT_EQ(Load(Source("g", "redis.register_function('f', function() end)")),
            "-ERR Function f already exists\r\n");
  EXPECT_EQ(Run("FUNCTION DELETE g"), "-ERR Library not found\r\n");
  EXPECT_EQ(Run("FCALL f 0"), ":7\r\n");
  EXPECT_EQ(Changes(), changes);
}

TEST_F(FunctionsTest, ChangesOfLibrariesCountForTheSavePoints) {
  const int64_t changes = Changes();
  Load(Returning("f", "7"));
  EXPECT_EQ(Changes(), changes + 1);
  Run("FUNCTION DELETE f");
  EXPECT_EQ(Changes(), changes + 2);
  Run("FUNCTION FLUSH");
  EXPECT_EQ(Changes(), changes + 3);
}

TEST_F(FunctionsTest, FlushingTheDataKeepsThem) {
  Load(Returning("f", "7"));
  Run("FLUSHALL");
  EXPECT_EQ(Run("FCALL f 0"), ":7\r\n");
  EXPECT_EQ(Run("FUNCTION FLUSH"), "+OK\r\n");
  EXPECT_EQ(Run("FUNCTION LIST"), "*0\r\n");
}

TEST_F(FunctionsTest, AFunctionThatSelectsReachesOtherDatabases) {
  Load(Source("f",
              "redis.register_function('f', function() redis.call('SELECT', 3) "
              "return redis.call('SET', 'k', 'v') end)"));
  EXPECT_EQ(Run("FCALL f 0"), "+OK\r\n");
  EXPECT_EQ(Run("EXISTS k"), ":0\r\n");
  Run("SELECT 3");
  EXPECT_EQ(Run("GET k"), "$1\r\nv\r\n");
}

TEST_F(FunctionsTest, ATransactionMayLoadWhatItCalls) {
  Run("MULTI");
  Load(Source("f",
              "redis.register_function('f', function() redis.call('SELECT', 3) "
              "return redis.call('SET', 'k', 'v') end)"));
  Run("FCALL f 0");
  EXPECT_EQ(Run("EXEC"), "*2\r\n$1\r\nf\r\n+OK\r\n");
}

TEST_F(FunctionsTest, WithoutRoomOnlyThoseThatMayRunDo) {
  Load(Source("lib",
              "redis.register_function('w', function() return 1 end)\n"
              "redis.register_function{function_name='r', flags={'no-writes'}, callback=function() "
              "return 2 end}\n"
              "redis.register_function{function_name='o', flags={'allow-oom'}, callback=function() "
              "return redis.call('SET', 'k', 'v') end}"));
  ASSERT_OK(config_.Set({"maxmemory", "1", "maxmemory-policy", "noeviction"}));
  EXPECT_EQ(Run("FCALL w 0"), "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
  EXPECT_EQ(Run("FCALL r 0"), ":2\r\n");
  EXPECT_EQ(Run("FCALL o 0"), "+OK\r\n");
  EXPECT_TRUE(Load(Returning("g", "1")).starts_with("-OOM "));
}

TEST_F(FunctionsTest, ABusyFunctionIsShownWithItsCommand) {
  RunningScript function(RunningScript::Kind::kFunction);
  RunningScript script;
  RunningScripts& running = server_.running_scripts();
  running.Add(&script);
  running.NoteBusy(&script, "sha", {}, 0);
  EXPECT_EQ(Run("FUNCTION STATS"), "-" + std::string(kBusyScript) + "\r\n");
  EXPECT_EQ(Run("FUNCTION KILL"), "-" + std::string(kBusyScript) + "\r\n");
  running.Remove(&script);
  running.Add(&function);
  const std::vector<std::string_view> command = {"FCALL", "f", "0"};
  running.NoteBusy(&function, "f", command, clock_.MonotonicUs());
  Advance(25);
  EXPECT_EQ(Run("FUNCTION STATS"),
            "*4\r\n$14\r\nrunning_script\r\n*6\r\n$4\r\nname\r\n$1\r\nf\r\n$7\r\ncommand\r\n*3\r\n"
            "$5\r\nFCALL\r\n$1\r\nf\r\n$1\r\n0\r\n$11\r\nduration_ms\r\n:25\r\n$7\r\nengines\r\n"
            "*2\r\n$3\r\nLUA\r\n*4\r\n$15\r\nlibraries_count\r\n:0\r\n$15\r\nfunctions_count\r\n"
            ":0\r\n");
  EXPECT_EQ(Run("SCRIPT KILL"), "-" + std::string(kBusyFunction) + "\r\n");
  EXPECT_EQ(Run("FUNCTION KILL"), "+OK\r\n");
  EXPECT_TRUE(function.must_end());
  running.Remove(&function);
  EXPECT_EQ(Run("FUNCTION KILL"), "-NOTBUSY No scripts in execution right now.\r\n");
}

TEST_F(FunctionsTest, APayloadRestoresAllOrNothing) {
  const std::string one = Returning("one", "1");
  const std::string two = Returning("two", "2");
  const std::string payload = FunctionPayload({one, two}, true);
  Load(Returning("two", "3"));
  EXPECT_EQ(Run({"FUNCTION", "RESTORE", payload}), "-ERR Library two already exists\r\n");
  EXPECT_EQ(Run("FCALL one 0"), "-ERR Function not found\r\n");
  EXPECT_EQ(Run({"FUNCTION", "RESTORE", payload, "REPLACE"}), "+OK\r\n");
  EXPECT_EQ(Run("FCALL two 0"), ":2\r\n");
  EXPECT_EQ(Run("FUNCTION DUMP"), "$" + std::to_string(payload.size()) + "\r\n" + payload + "\r\n");
  Load(Returning("three", "3"));
  EXPECT_EQ(Run({"FUNCTION", "RESTORE", payload, "flush"}), "+OK\r\n");
  EXPECT_EQ(server_.functions().totals().libraries, 2U);
  EXPECT_EQ(Run({"FUNCTION", "RESTORE", FunctionPayload({one, Source("bad", "")}, true), "FLUSH"}),
            "-ERR No functions registered\r\n");
  EXPECT_EQ(server_.functions().totals().libraries, 2U);
}

TEST_F(FunctionsTest, LibrariesOfOnePayloadMustNotClash) {
  const std::string one = Returning("one", "1");
  const std::string other = Source("other", "redis.register_function('ONE', function() end)");
  EXPECT_EQ(Run({"FUNCTION", "RESTORE", FunctionPayload({one, one}, true)}),
            "-ERR Library 'one' already exists\r\n");
  EXPECT_EQ(Run({"FUNCTION", "RESTORE", FunctionPayload({one, other}, true)}),
            "-ERR Function ONE already exists\r\n");
}

TEST_F(FunctionsTest, InfoCountsThem) {
  Load(Source("lib",
              "redis.register_function('f', function() end)\n"
              "redis.register_function('g', function() end)"));
  const std::string memory = Run("INFO memory");
  EXPECT_NE(memory.find("number_of_functions:2\r\n"), std::string::npos);
  EXPECT_NE(memory.find("number_of_libraries:1\r\n"), std::string::npos);
  EXPECT_EQ(memory.find("used_memory_functions:0\r\n"), std::string::npos);
  EXPECT_EQ(memory.find("used_memory_vm_functions:0\r\n"), std::string::npos);
}

}  // namespace
}  // namespace cloakroom
