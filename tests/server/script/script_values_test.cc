// Conversions between Lua values and replies. Golden replies are those of redis-server 7.0.15.
#include "tests/server/script/script_fixture.h"

namespace cloakroom {
namespace {

TEST_F(ScriptTest, PlainValuesBecomeReplies) {
  EXPECT_EQ(Eval("return 3.99"), ":3\r\n");
  EXPECT_EQ(Eval("return -2.9"), ":-2\r\n");
  EXPECT_EQ(Eval("return 1e30"), ":-9223372036854775808\r\n");
  EXPECT_EQ(Eval("return 'a\\0b'"), std::string("$3\r\na\0b\r\n", 9));
  EXPECT_EQ(Eval("return true"), ":1\r\n");
  EXPECT_EQ(Eval("return false"), "$-1\r\n");
  EXPECT_EQ(Eval("return"), "$-1\r\n");
  EXPECT_EQ(Eval("return redis.call"), "$-1\r\n");
  EXPECT_EQ(Eval3("return nil"), "_\r\n");
  EXPECT_EQ(Eval3("return true"), ":1\r\n");
}

TEST_F(ScriptTest, NilEndsAnArray) {
  EXPECT_EQ(Eval("return {1, 2, nil, 4}"), "*2\r\n:1\r\n:2\r\n");
  EXPECT_EQ(Eval("return {1, false, {3, {'x'}}}"),
            "*3\r\n:1\r\n$-1\r\n*2\r\n:3\r\n*1\r\n$1\r\nx\r\n");
  EXPECT_EQ(Eval("return {n = 1}"), "*0\r\n");
}

TEST_F(ScriptTest, TablesMayNameTheirReply) {
  EXPECT_EQ(Eval("return {ok = 'fine\\r\\nx'}"), "+fine  x\r\n");
  EXPECT_EQ(Eval("return {ok = 'x', err = 'y z'}"), "-y z\r\n");
  EXPECT_EQ(Eval("return {err = 5}"), "*0\r\n");
  EXPECT_EQ(Eval("return {double = 3.5}"), "$3\r\n3.5\r\n");
  EXPECT_EQ(Eval3("return {double = 0.1}"), ",0.10000000000000001\r\n");
  EXPECT_EQ(Eval("return {map = {a = 1}}"), "*2\r\n$1\r\na\r\n:1\r\n");
  EXPECT_EQ(Eval3("return {map = {a = 1}}"), "%1\r\n$1\r\na\r\n:1\r\n");
  EXPECT_EQ(Eval("return {set = {a = true}}"), "*1\r\n$1\r\na\r\n");
  EXPECT_EQ(Eval3("return {set = {a = true}}"), "~1\r\n$1\r\na\r\n");
  EXPECT_EQ(Eval("return {big_number = '12\\r\\n3'}"), "$5\r\n12  3\r\n");
  EXPECT_EQ(Eval3("return {big_number = '123'}"), "(123\r\n");
  EXPECT_EQ(Eval3("return {verbatim_string = {format = 't', string = 'abc'}}"),
            "=7\r\nt  :abc\r\n");
  EXPECT_EQ(Eval("return {verbatim_string = {format = 'txt', string = 'abc'}}"), "$3\r\nabc\r\n");
  EXPECT_EQ(Eval("return {verbatim_string = {format = 'txt'}}"), "*0\r\n");
}

TEST_F(ScriptTest, MetamethodsDoNotRunWhileReplying) {
  EXPECT_EQ(Eval("return setmetatable({}, {__index = function() error('x') end})"), "*0\r\n");
}

TEST_F(ScriptTest, DeepTablesEndInAnErrorAndNotInACrash) {
  const std::string reply = Eval("local a = {} for i = 1, 8100 do a = {a} end return a");
  EXPECT_TRUE(reply.ends_with("*1\r\n-ERR reached lua stack limit\r\n"));
  EXPECT_EQ(Eval("local a = {} for i = 1, 100 do a = {a} end return a").size(), 101u * 4);
}

TEST_F(ScriptTest, RespTwoRepliesBecomeLuaValues) {
  EXPECT_EQ(Eval("local r = redis.call('raw', '*4\\r\\n+OK\\r\\n:5\\r\\n$-1\\r\\n*-1\\r\\n') "
                 "return {r[1].ok, r[2], tostring(r[3]), tostring(r[4])}"),
            "*4\r\n$2\r\nOK\r\n:5\r\n$5\r\nfalse\r\n$5\r\nfalse\r\n");
}

TEST_F(ScriptTest, RespThreeRepliesBecomeLuaValues) {
  EXPECT_EQ(Eval("redis.setresp(3) local r = redis.call('raw', '*6\\r\\n_\\r\\n#t\\r\\n,1.5\\r\\n"
                 "(99\\r\\n%1\\r\\n$1\\r\\nk\\r\\n:7\\r\\n~1\\r\\n$1\\r\\nm\\r\\n') "
                 "return {tostring(r[1]), tostring(r[2]), tostring(r[3].double), r[4].big_number, "
                 "r[5].map.k, tostring(r[6].set.m)}"),
            "*6\r\n$3\r\nnil\r\n$4\r\ntrue\r\n$3\r\n1.5\r\n$2\r\n99\r\n:7\r\n$4\r\ntrue\r\n");
  EXPECT_EQ(host_.last_resp, 3);
  EXPECT_EQ(Eval3("redis.setresp(3) return redis.call('raw', '=7\\r\\ntxt:abc\\r\\n')"),
            "=7\r\ntxt:abc\r\n");
}

TEST_F(ScriptTest, SetRespLastsForOneScript) {
  EXPECT_EQ(Eval3("redis.setresp(3) return {true, false}"), "*2\r\n#t\r\n#f\r\n");
  EXPECT_EQ(Eval("redis.setresp(3) return {true, false}"), "*2\r\n:1\r\n:0\r\n");
  Eval("redis.call('get', 'a')");
  EXPECT_EQ(host_.last_resp, 2);
  EXPECT_EQ(ErrorOf("redis.setresp(4)"), "-ERR RESP version must be 2 or 3.");
}

TEST_F(ScriptTest, LuaCoercionsAreUntouched) {
  EXPECT_EQ(Eval("local n = 0 for i = '1', '10', '3' do n = n + i end return n"), ":22\r\n");
  EXPECT_EQ(Eval("return ARGV[1] + 5", {}, {"10"}), ":15\r\n");
}

}  // namespace
}  // namespace cloakroom
