#include "server/script/function_engine.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/script/script_fixture.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

class FunctionEngineTest : public testing::Test {
 protected:
  /// Loads a library named lib and adds it. The reply's error, or "".
  std::string Load(std::string_view code, FunctionEngine::LoadTerms terms = {}) {
    auto library = engine_.Load("#!lua name=lib\n" + std::string(code), terms);
    if (library.ok()) EXPECT_OK(registry_.Add(*library, true));
    return std::string(library.status().message());
  }
  std::string Call(FunctionEngine& engine, std::string_view function,
                   std::vector<std::string_view> keys = {},
                   std::vector<std::string_view> args = {}) {
    std::string reply;
    engine.Run(*registry_.Find(function), keys, args, &host_, 2, &reply);
    return reply;
  }
  std::string Call(std::string_view function, std::vector<std::string_view> keys = {},
                   std::vector<std::string_view> args = {}) {
    return Call(engine_, function, std::move(keys), std::move(args));
  }

  FunctionRegistry registry_;
  FunctionEngine engine_{&registry_};
  FunctionEngine other_{&registry_};
  FakeScriptHost host_;
};

TEST_F(FunctionEngineTest, AFunctionGetsItsKeysAndArguments) {
  ASSERT_EQ(Load("redis.register_function('f', function(keys, args) return {keys, args} end)"), "");
  EXPECT_EQ(Call("f", {"k"}, {"a", "b"}), "*2\r\n*1\r\n$1\r\nk\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n");
}

TEST_F(FunctionEngineTest, BothFormsRegister) {
  ASSERT_EQ(Load("redis.register_function('one', function() end)\n"
                 "redis.register_function{function_name='two', description='what', "
                 "callback=function() end, flags={'no-writes', 'Allow-OOM'}}"),
            "");
  const auto one = registry_.Find("one");
  EXPECT_FALSE(one->function->description);
  EXPECT_TRUE(one->function->flags.declared);
  EXPECT_FALSE(one->function->flags.no_writes);
  const auto two = registry_.Find("two");
  EXPECT_EQ(two->function->description, "what");
  EXPECT_EQ(FlagNames(two->function->flags),
            (std::vector<std::string_view>{"no-writes", "allow-oom"}));
}

TEST_F(FunctionEngineTest, AnEmptyTableIsNoFunction) {
  EXPECT_EQ(Load("redis.register_function{}"),
            "ERR Error registering functions: ERR redis.register_function must get a function name "
            "argument");
}

TEST_F(FunctionEngineTest, WhileItIsLoadedALibrarySeesOnlyItsApi) {
  EXPECT_EQ(Load("redis.call('get', 'k')"),
            "ERR Error registering functions: ERR user_function:2: Script attempted to access "
            "nonexistent global variable 'call'");
  EXPECT_EQ(Load("local f = pcall"),
            "ERR Error registering functions: ERR user_function:2: Script attempted to access "
            "nonexistent global variable 'pcall'");
  EXPECT_EQ(Load("x = 1"),
            "ERR Error registering functions: ERR user_function:2: Attempt to modify a readonly "
            "table");
  EXPECT_EQ(Load("redis.log = 1"),
            "ERR Error registering functions: ERR user_function:2: Attempt to modify a readonly "
            "table");
  EXPECT_TRUE(host_.calls.empty());
}

TEST_F(FunctionEngineTest, AfterTheLoadFunctionsSeeTheSandbox) {
  ASSERT_EQ(Load("local api = redis\n"
                 "redis.register_function('get', function(k) return redis.call('get', k[1]) end)\n"
                 "redis.register_function('text', function() return tostring(12) end)\n"
                 "redis.register_function('late', function()\n"
                 "  api.register_function('x', function() end) end)\n"
                 "redis.register_function('write', function() x = 1 end)\n"
                 "redis.register_function('debug', function() return redis.breakpoint end)"),
            "");
  host_.data["k"] = "v";
  EXPECT_EQ(Call("get", {"k"}), "$1\r\nv\r\n");
  EXPECT_EQ(Call("text"), "$2\r\n12\r\n");
  EXPECT_EQ(Call("late"),
            "-ERR redis.register_function can only be called on FUNCTION LOAD command script: "
            "late, on @user_function:6.\r\n");
  EXPECT_EQ(Call("write"),
            "-ERR user_function:7: Attempt to modify a readonly table script: write, on "
            "@user_function:7.\r\n");
  EXPECT_EQ(Call("debug"), "$-1\r\n");
}

TEST_F(FunctionEngineTest, AFailedLoadLeavesNothingBehind) {
  EXPECT_EQ(Load("redis.register_function('f', function() end) error()"),
            "ERR Error registering functions: ERR user_function:2: Script attempted to access "
            "nonexistent global variable 'error'");
  EXPECT_EQ(Load(""), "ERR No functions registered");
  EXPECT_EQ(Load("x ="),
            "ERR Error compiling function: user_function:2: unexpected symbol near '<eof>'");
  EXPECT_FALSE(registry_.Find("f"));
  ASSERT_EQ(Load("redis.register_function('f', function() return 1 end)"), "");
  EXPECT_EQ(Call("f"), ":1\r\n");
}

TEST_F(FunctionEngineTest, ALoadThatTakesTooLongIsEnded) {
  int asked = 0;
  const FunctionEngine::LoadTerms terms = {.out_of_time = [&] { return ++asked == 3; }};
  EXPECT_EQ(Load("while true do end", terms),
            "ERR Error registering functions: ERR FUNCTION LOAD timeout");
  EXPECT_EQ(asked, 3);
  ASSERT_EQ(Load("redis.register_function('f', function() return 1 end)", terms), "");
  EXPECT_EQ(Call("f"), ":1\r\n");
}

TEST_F(FunctionEngineTest, AnotherEngineLoadsALibraryWhenItNeedsIt) {
  std::vector<std::string> log;
  const FunctionEngine::LoadTerms terms = {.log = [&](int level, std::string_view text) {
    log.push_back(std::to_string(level) + std::string(text));
  }};
  ASSERT_EQ(Load("redis.log(redis.LOG_NOTICE, 'loaded')\nlocal n = 0\n"
                 "redis.register_function('count', function() n = n + 1 return n end)",
                 terms),
            "");
  EXPECT_EQ(Call("count"), ":1\r\n");
  EXPECT_EQ(Call("count"), ":2\r\n");
  EXPECT_EQ(other_.memory_bytes(), 0U) << "it opens at first use";
  EXPECT_EQ(Call(other_, "count"), ":1\r\n") << "with variables of its own";
  EXPECT_GT(other_.memory_bytes(), 0U);
  EXPECT_EQ(log, std::vector<std::string>{"2loaded"}) << "once, not in each engine";
  EXPECT_TRUE(host_.log.empty());
}

TEST_F(FunctionEngineTest, EveryEngineRunsTheNewVersion) {
  for (const char* version : {"1", "2", "3"}) {
    ASSERT_EQ(
        Load("redis.register_function('f', function() return " + std::string(version) + " end)"),
        "");
    EXPECT_EQ(Call("f"), ":" + std::string(version) + "\r\n");
    EXPECT_EQ(Call(other_, "f"), ":" + std::string(version) + "\r\n");
  }
}

TEST_F(FunctionEngineTest, MemoryOfReplacedLibrariesIsFreed) {
  const std::string filler(100'000, 'x');
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(Load("local t = '" + filler + std::to_string(i) +
                   "' redis.register_function('f', function() return #t end)"),
              "");
    EXPECT_TRUE(Call("f").starts_with(":10000"));
  }
  EXPECT_LT(engine_.memory_bytes(), 15'000'000U) << "not the 30 MB of all";
}

TEST_F(FunctionEngineTest, AKilledFunctionEndsEvenIfItCatchesErrors) {
  ASSERT_EQ(Load("redis.register_function('f', function()\n"
                 "while true do pcall(function() while true do end end) end end)"),
            "");
  host_.stop_at_poll = 2;
  EXPECT_TRUE(
      Call("f").starts_with("-ERR Script killed by user with SCRIPT KILL... script: f, on "
                            "@user_function:3."));
}

TEST_F(FunctionEngineTest, AnErrorNamesTheFunctionAndTheLine) {
  ASSERT_EQ(Load("redis.register_function('f', function() error('boo') end)"), "");
  EXPECT_EQ(Call("f"), "-ERR user_function:2: boo script: f, on @user_function:2.\r\n");
}

TEST_F(FunctionEngineTest, EnginesRunFunctionsWhileTheirLibraryIsReplaced) {
  const auto load = [&](int version) {
    ASSERT_EQ(Load("redis.register_function('f', function(keys)\n"
                   "local v = " +
                   std::to_string(version) +
                   " redis.call('set', keys[1], v) return redis.call('get', keys[1]) == "
                   "tostring(v) end)"),
              "");
  };
  load(0);
  std::atomic<bool> stop = false;
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back([&] {
      FunctionEngine engine(&registry_);
      FakeScriptHost host;
      const std::string_view keys[] = {"k"};
      while (!stop) {
        std::string reply;
        engine.Run(*registry_.Find("f"), keys, {}, &host, 2, &reply);
        EXPECT_EQ(reply, ":1\r\n");
        host.calls.clear();
      }
    });
  }
  for (int version = 1; version < 200; ++version) load(version);
  stop = true;
  for (std::thread& caller : callers) caller.join();
}

}  // namespace
}  // namespace cloakroom
