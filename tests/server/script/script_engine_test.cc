// Golden replies are those of redis-server 7.0.15.
#include "server/script/script_engine.h"

#include "tests/server/script/script_fixture.h"

namespace cloakroom {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(ScriptTest, KeysAndArgumentsReachTheScript) {
  EXPECT_EQ(Eval("return {KEYS[1], ARGV[1], ARGV[2], #KEYS, #ARGV}", {"k"}, {"a", "b"}),
            "*5\r\n$1\r\nk\r\n$1\r\na\r\n$1\r\nb\r\n:1\r\n:2\r\n");
  EXPECT_EQ(Eval("return {#KEYS, #ARGV}"), "*2\r\n:0\r\n:0\r\n");
}

TEST_F(ScriptTest, CallsReachTheHostAndReturnItsReply) {
  EXPECT_EQ(
      Eval("redis.call('set', KEYS[1], ARGV[1]) return redis.call('get', KEYS[1])", {"k"}, {"v"}),
      "$1\r\nv\r\n");
  EXPECT_THAT(host_.calls, ElementsAre(ElementsAre("set", "k", "v"), ElementsAre("get", "k")));
}

TEST_F(ScriptTest, NumbersBecomeSeventeenDigits) {
  Eval("redis.call('x', 5, -7, 3.14, 1e15, 1e17, 2^53, -0.0, math.huge)");
  EXPECT_THAT(host_.calls.at(0),
              ElementsAre("x", "5", "-7", "3.1400000000000001", "1000000000000000", "1e+17",
                          "9007199254740992", "-0", "inf"));
}

TEST_F(ScriptTest, WrongCallArgumentsAreRefused) {
  EXPECT_EQ(ErrorOf("redis.call()"),
            "-ERR Please specify at least one argument for this redis lib call");
  EXPECT_EQ(ErrorOf("redis.call('set', 'a', {})"),
            "-ERR Lua redis lib command arguments must be strings or integers");
  EXPECT_EQ(Eval("return redis.pcall('set', true)"),
            "-ERR Lua redis lib command arguments must be strings or integers\r\n");
  EXPECT_TRUE(host_.calls.empty());
}

TEST_F(ScriptTest, ErrorsOfCallNameTheScriptAndItsLine) {
  EXPECT_EQ(Eval("\nreturn redis.call('lpush','k','x')"),
            "-WRONGTYPE Operation against a key holding the wrong kind of value script: "
            "8d28b287291e821f63e2a87402e247b1c735a7ba, on @user_script:2.\r\n");
  EXPECT_EQ(Eval("return redis.pcall('lpush','k','x')"),
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
}

TEST_F(ScriptTest, PcallCatchesTheErrorOfACall) {
  EXPECT_EQ(Eval("local ok, e = pcall(redis.call, 'nosuch') return {ok, type(e), e}"),
            "*3\r\n$-1\r\n$6\r\nstring\r\n$44\r\nERR Unknown Redis command called from script\r\n");
  EXPECT_EQ(Eval("local e = redis.pcall('nosuch') return {type(e), e.err}"),
            "*2\r\n$5\r\ntable\r\n$44\r\nERR Unknown Redis command called from script\r\n");
}

TEST_F(ScriptTest, ErrorValuesOfAnyKindMakeAReply) {
  EXPECT_EQ(ErrorOf("error('abc')"), "-ERR user_script:1: abc");
  EXPECT_EQ(ErrorOf("error('abc', 0)"), "-ERR abc");
  EXPECT_EQ(ErrorOf("error({err='ABC d'})"), "-ABC d");
  EXPECT_EQ(ErrorOf("error({err=5})"), "-5");
  EXPECT_EQ(ErrorOf("error()"), "-ERR nil");
  EXPECT_EQ(ErrorOf("error(true)"), "-ERR true");
  EXPECT_EQ(ErrorOf("error('a\\r\\nb')"), "-ERR user_script:1: a  b");
  EXPECT_EQ(ErrorOf("error({})"), "-ERR unknown error");
  EXPECT_EQ(ErrorOf("error({err='E \\0 x'})"), "-E ");
}

TEST_F(ScriptTest, TextThatDoesNotCompileIsNotCached) {
  EXPECT_EQ(Eval("return ("),
            "-ERR Error compiling script (new function): user_script:1: unexpected symbol near "
            "'<eof>'\r\n");
  EXPECT_EQ(cache_.size(), 0u);
  EXPECT_THAT(Eval("\x1bLua"), HasSubstr("unexpected symbol"));
}

TEST_F(ScriptTest, GlobalsCannotBeMadeOrChanged) {
  const std::string refused = "-ERR user_script:1: Attempt to modify a readonly table";
  for (const char* text : {"x = 1", "redis.call = nil", "_G.redis = 1", "string.x = 1", "KEYS = 1",
                           "getmetatable('').__index = 1", "getmetatable(_G).__index = nil"}) {
    EXPECT_EQ(ErrorOf(text), refused) << text;
  }
  for (const char* text : {"rawset(_G, 'x', 1)", "table.insert(redis, 1)", "setmetatable(_G, {})",
                           "setmetatable(redis, nil)"}) {
    EXPECT_EQ(ErrorOf(text), "-ERR Attempt to modify a readonly table") << text;
  }
  EXPECT_EQ(ErrorOf("return x"),
            "-ERR user_script:1: Script attempted to access nonexistent global variable 'x'");
}

TEST_F(ScriptTest, OnlyTheGlobalsOfRedisExist) {
  EXPECT_EQ(Eval("local r = {} for k in pairs(_G) do r[#r+1] = k end table.sort(r) "
                 "return {table.concat(r, ' ')}"),
            "*1\r\n$271\r\nARGV KEYS _G _VERSION __redis__err__handler assert bit cjson cmsgpack "
            "collectgarbage coroutine error gcinfo getmetatable ipairs load loadstring math next "
            "pairs pcall rawequal rawget rawset redis select setmetatable string struct table "
            "tonumber tostring type unpack xpcall\r\n");
}

TEST_F(ScriptTest, ViewsReadLikeTheTablesBehindThem) {
  EXPECT_EQ(Eval("return {_G == _G._G, rawget(_G, 'redis') == redis, next({}) == nil, "
                 "next(redis) ~= nil, getmetatable(redis) == nil, "
                 "getmetatable('').__index == string, ('ab'):upper()}"),
            "*7\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n$2\r\nAB\r\n");
}

TEST_F(ScriptTest, ByteCodeIsNotLoaded) {
  EXPECT_EQ(Eval("return {loadstring(string.dump(function() end)) == nil, "
                 "load(function() return '\\27L' end) == nil, loadstring('return 5')()}"),
            "*3\r\n:1\r\n:1\r\n:5\r\n");
  EXPECT_EQ(Eval("local f, e = load(function() return '\\27L' end, '@here') return e"),
            "$41\r\nhere:1: unexpected symbol near 'char(27)'\r\n");
}

TEST_F(ScriptTest, TextOfMoreThan512MbIsNotLoaded) {
  EXPECT_EQ(Eval("local n, s = 0, string.rep(' ', 10000000) local f, e = load(function() n = n + 1 "
                 "return n <= 60 and s or nil end) return {f == nil, type(e), n}"),
            "*3\r\n:1\r\n$5\r\ntable\r\n:54\r\n");
}

TEST_F(ScriptTest, ANameThatOnlyTheParserHoldsOutlivesACollection) {
  EXPECT_EQ(Eval("local n = 0 local f, e = load(function() collectgarbage() n = n + 1 "
                 "return n == 1 and '=' or nil end, ('@x'):rep(3) .. '\\0y') return e"),
            "$35\r\nx@x@x:1: unexpected symbol near '='\r\n");
}

TEST_F(ScriptTest, UnpackRefusesWhatAnIntCannotCount) {
  constexpr char kTooMany[] = "-ERR user_script:1: too many results to unpack";
  EXPECT_EQ(ErrorOf("unpack({1,2,3}, -2, 2147483647)"), kTooMany);
  EXPECT_EQ(ErrorOf("unpack({}, -2147483648, 2147483647)"), kTooMany);
  EXPECT_EQ(ErrorOf("unpack({}, 0, 2147483646)"), kTooMany);
  EXPECT_EQ(Eval("return {unpack({1,2,3}, 2)}"), "*2\r\n:2\r\n:3\r\n");
  EXPECT_EQ(Eval("return {select('#', unpack({}, 2147483647, 2147483647)), "
                 "select('#', unpack({}, 1, 0)), select('#', unpack({1,2}, nil, nil))}"),
            "*3\r\n:1\r\n:0\r\n:2\r\n");
}

TEST_F(ScriptTest, UnpackWorksUpToRedisLimit) {
  const char* text =
      "local t = {} for i = 1, 7999 do t[i] = i end return redis.call('raw2', unpack(t, 1, 7990)) ";
  std::string reply = Eval(text);
  EXPECT_EQ(reply, "-ERR Unknown Redis command called from script script: " +
                       cache_.FindText(text)->sha + ", on @user_script:1.\r\n");
  EXPECT_EQ(host_.calls.at(0).size(), 7991u);
  host_.calls.clear();
  Eval("local t = {} for i = 1, 7999 do t[i] = i end redis.call(unpack(t))");
  EXPECT_EQ(host_.calls.at(0).size(), 7999u);
  EXPECT_EQ(ErrorOf("local t = {} for i = 1, 8000 do t[i] = i end redis.call(unpack(t))"),
            "-ERR user_script:1: too many results to unpack");
}

TEST_F(ScriptTest, AKilledScriptCannotCatchItsEnd) {
  host_.stop_at_poll = 3;
  EXPECT_EQ(ErrorOf("while true do pcall(function() while true do end end) end"),
            "-ERR Script killed by user with SCRIPT KILL...");
  EXPECT_GE(host_.polls, 3);
  host_.stop_at_poll = 0;
  EXPECT_EQ(Eval("return 1"), ":1\r\n");
}

TEST_F(ScriptTest, AKilledCoroutineLeavesNoWayToTheData) {
  host_.stop_at_poll = 1;
  EXPECT_EQ(ErrorOf("local c = coroutine.create(function() while true do end end) "
                    "coroutine.resume(c) redis.call('set', 'a', 'b')"),
            "-ERR Script killed by user with SCRIPT KILL...");
  EXPECT_TRUE(host_.data.empty());
}

TEST_F(ScriptTest, FlushForgetsCompiledScripts) {
  const ScriptPtr script = engine_.Load("return 1", true).value_or(nullptr);
  EXPECT_EQ(cache_.Find(script->sha), script);
  cache_.Flush();
  EXPECT_EQ(cache_.Find(script->sha), nullptr);
  EXPECT_NE(engine_.Load("return 1", true).value_or(nullptr), script);
  std::string reply;
  engine_.Run(script, {}, {}, &host_, 2, &reply);  // a holder may still run it
  EXPECT_EQ(reply, ":1\r\n");
}

TEST_F(ScriptTest, AnotherEngineCompilesWhatTheCacheHolds) {
  const ScriptPtr script = engine_.Load("return ARGV[1]", true).value_or(nullptr);
  ScriptEngine other(&cache_);
  std::string reply;
  const std::string_view args[] = {"x"};
  other.Run(cache_.Find(script->sha), {}, args, &host_, 2, &reply);
  EXPECT_EQ(reply, "$1\r\nx\r\n");
}

TEST_F(ScriptTest, MemoryComesBackAfterABigScript) {
  EXPECT_GT(engine_.memory_bytes(), 10'000u);
  Eval("local t = {} for i = 1, 2000000 do t[i] = {} end return #t");
  EXPECT_LT(engine_.memory_bytes(), std::size_t{32} << 20);
  for (int i = 0; i < 3000; ++i) Eval("return " + std::to_string(i));
  EXPECT_LT(engine_.memory_bytes(), std::size_t{32} << 20);
  EXPECT_EQ(cache_.size(), ScriptCache::kMaxEvalScripts);
}

TEST_F(ScriptTest, ShebangKeepsLineNumbers) {
  EXPECT_THAT(Eval("#!lua flags=no-writes\nerror('x')"), StartsWith("-ERR user_script:2: x"));
}

}  // namespace
}  // namespace cloakroom
