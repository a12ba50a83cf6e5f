// redis.*, math.random, struct, cmsgpack, cjson and bit. Golden values: redis-server 7.0.15.
#include "tests/server/script/script_fixture.h"

namespace cloakroom {
namespace {

using testing::ElementsAre;

class ScriptLibraryTest : public ScriptTest {
 protected:
  // The bytes of a Lua string expression, in hex.
  std::string Hex(std::string_view expression) {
    const std::string reply =
        Eval("return ((" + std::string(expression) +
             "):gsub('.', function(c) return string.format('%02x', c:byte()) end))");
    const std::size_t start = reply.find("\r\n") + 2;
    return reply.substr(start, reply.size() - start - 2);
  }
};

TEST_F(ScriptLibraryTest, ErrorRepliesGetACode) {
  EXPECT_EQ(Eval("return redis.error_reply('abc')"), "-ERR abc\r\n");
  EXPECT_EQ(Eval("return redis.error_reply('-abc def')"), "-abc def\r\n");
  EXPECT_EQ(Eval("return redis.error_reply('A b\\r\\nc')"), "-A b  c\r\n");
  EXPECT_EQ(Eval("return redis.error_reply(5)"), "-ERR wrong number or type of arguments\r\n");
  EXPECT_EQ(Eval("return redis.status_reply('PONG')"), "+PONG\r\n");
}

TEST_F(ScriptLibraryTest, SmallRedisFunctions) {
  EXPECT_EQ(Eval("return redis.sha1hex('abc')"),
            "$40\r\na9993e364706816aba3e25717850c26c9cd0d89d\r\n");
  EXPECT_EQ(ErrorOf("redis.sha1hex()"), "-ERR wrong number of arguments");
  EXPECT_EQ(Eval("return {redis.replicate_commands(), redis.breakpoint(), redis.REDIS_VERSION, "
                 "redis.REDIS_VERSION_NUM}"),
            "*4\r\n:1\r\n$-1\r\n$5\r\n7.2.4\r\n:459268\r\n");
  EXPECT_EQ(Eval("return redis.set_repl(redis.REPL_ALL)"), "$-1\r\n");
  EXPECT_EQ(ErrorOf("redis.set_repl(99)"),
            "-ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.");
  EXPECT_EQ(Eval("return {redis.acl_check_cmd('get', 'x'), redis.acl_check_cmd('flushall')}"),
            "*2\r\n:1\r\n$-1\r\n");
  EXPECT_EQ(ErrorOf("redis.acl_check_cmd('nosuch')"),
            "-ERR Invalid command passed to redis.acl_check_cmd()");
}

TEST_F(ScriptLibraryTest, LogJoinsWhatIsText) {
  Eval("redis.log(redis.LOG_WARNING, 'y', 5, {}, 'z')");
  EXPECT_THAT(host_.log, ElementsAre("3 y 5 z"));
  EXPECT_EQ(ErrorOf("redis.log(9, 'y')"), "-ERR Invalid debug level.");
  EXPECT_EQ(ErrorOf("redis.log('y')"), "-ERR redis.log() requires two arguments or more.");
}

TEST_F(ScriptLibraryTest, RandomFollowsRedisSequence) {
  EXPECT_EQ(Eval("return {tostring(math.random()), tostring(math.random())}"),
            "*2\r\n$16\r\n0.39646477363839\r\n$16\r\n0.84048536971234\r\n");
  EXPECT_EQ(Eval("math.randomseed(42) return {tostring(math.random()), tostring(math.random()), "
                 "math.random(10), math.random(5, 7), math.random(1000000)}"),
            "*5\r\n$16\r\n0.74452500033403\r\n$16\r\n0.34270147855519\r\n:2\r\n:6\r\n:81112\r\n");
  EXPECT_EQ(ErrorOf("math.random(0)"),
            "-ERR user_script:1: bad argument #1 to 'random' (interval is empty)");
}

TEST_F(ScriptLibraryTest, StructPacks) {
  EXPECT_EQ(Hex("struct.pack('>I2<i4bBhH', 258, -2, -1, 255, -2, 65535)"),
            "0102feffffffffff"
            "feffffff");
  EXPECT_EQ(Hex("struct.pack('!8bd', 1, 2)"), "01000000000000000000000000000040");
  EXPECT_EQ(Hex("struct.pack('!4bd', 1, 2)"), "010000000000000000000040");
  EXPECT_EQ(Hex("struct.pack('i16', -1)"), "ffffffffffffffff0000000000000000");
  EXPECT_EQ(Hex("struct.pack('sc5c0x', 'abc', 'abcdefgh', 'abc')"),
            "616263006162636465616263"
            "00");
  EXPECT_EQ(Hex("struct.pack('>d<f', 1.5, 1.5)"), "3ff80000000000000000c03f");
  EXPECT_EQ(ErrorOf("struct.pack('z', 1)"),
            "-ERR user_script:1: bad argument #1 to 'pack' (invalid format option 'z')");
  EXPECT_EQ(ErrorOf("struct.pack('i33', 1)"),
            "-ERR user_script:1: integral size 33 is larger than limit of 32");
  EXPECT_EQ(ErrorOf("struct.pack('!3i', 1)"),
            "-ERR user_script:1: alignment 3 is not a power of 2");
}

TEST_F(ScriptLibraryTest, StructUnpacks) {
  EXPECT_EQ(Eval("return {struct.unpack('Bc0', '\\3abcd')}"), "*2\r\n$3\r\nabc\r\n:5\r\n");
  EXPECT_EQ(Eval("return {struct.unpack('>i3', '\\255\\255\\254')}"), "*2\r\n:-2\r\n:4\r\n");
  EXPECT_EQ(Eval("return {struct.unpack('ss', 'ab\\0cd\\0')}"),
            "*3\r\n$2\r\nab\r\n$2\r\ncd\r\n:7\r\n");
  EXPECT_EQ(Eval("return {struct.size('bhilLTfd'), struct.size('!bd')}"), "*2\r\n:43\r\n:16\r\n");
  for (const char* text : {"struct.unpack('i', 'abc')", "struct.unpack('i', 'abcd', -1)",
                           "struct.unpack('i', 'abcd', 100)", "struct.unpack('c1000000', 'a')"}) {
    EXPECT_EQ(ErrorOf(text),
              "-ERR user_script:1: bad argument #2 to 'unpack' (data string too short)");
  }
}

TEST_F(ScriptLibraryTest, MsgpackChoosesTheShortestForm) {
  EXPECT_EQ(Hex("cmsgpack.pack(127, 128, 65536, 2^32, -32, -33, -129, -2^62)"),
            "7fcc80ce00010000cf0000000100000000e0d0dfd1ff7fd3c000000000000000");
  EXPECT_EQ(Hex("cmsgpack.pack(1.5, 0.1, 2^63, 1/0)"),
            "ca3fc00000cb3fb999999999999aca5f000000ca7f800000");
  EXPECT_EQ(Hex("cmsgpack.pack({1,2,3}, {}, {1,nil,3}, {a=1}, {[0]=1}, true, false, nil)"),
            "930102039082010103038"
            "1a16101810001c3c2c0");
  EXPECT_EQ(Hex("(function() local a = {} for i = 1, 30 do a = {a} end "
                "return cmsgpack.pack(a) end)()"),
            "91919191919191919191919191919191c0");
}

TEST_F(ScriptLibraryTest, MsgpackUnpacks) {
  EXPECT_EQ(Eval("return cmsgpack.unpack(cmsgpack.pack({1, {a = {'x', 2}}}))[2].a"),
            "*2\r\n$1\r\nx\r\n:2\r\n");
  EXPECT_EQ(Eval("return {cmsgpack.unpack_one('\\1\\2\\3', 1)}"), "*2\r\n:2\r\n:2\r\n");
  EXPECT_EQ(Eval("return {cmsgpack.unpack_limit('\\1\\2\\3', 9, 1)}"), "*3\r\n:-1\r\n:2\r\n:3\r\n");
  EXPECT_EQ(ErrorOf("cmsgpack.unpack('\\193')"), "-ERR user_script:1: Bad data format in input.");
  EXPECT_EQ(ErrorOf("cmsgpack.unpack('\\221\\255\\255\\255\\255')"),
            "-ERR user_script:1: Missing bytes in input.");
  EXPECT_EQ(ErrorOf("cmsgpack.unpack_one('', 1)"),
            "-ERR user_script:1: Start offset 1 greater than input length 0.");
  EXPECT_EQ(ErrorOf("cmsgpack.unpack(string.rep('\\145', 100000))"),
            "-ERR user_script:1: stack overflow (in function mp_decode_to_lua_array)");
}

TEST_F(ScriptLibraryTest, JsonAndBitAreThere) {
  EXPECT_EQ(Eval("return cjson.encode({[1] = 1, [3] = 'a/b', [2] = cjson.null})"),
            "$15\r\n[1,null,\"a\\/b\"]\r\n");
  EXPECT_EQ(Eval("return cjson.decode('{\"a\":[1,null]}').a"), "*2\r\n:1\r\n$-1\r\n");
  EXPECT_EQ(ErrorOf("cjson.decode('{')"),
            "-ERR user_script:1: Expected object key string but found T_END at character 2");
  EXPECT_EQ(Eval("return {bit.bor(1, 2, 4), bit.bnot(0), bit.tohex(-1)}"),
            "*3\r\n:7\r\n:-1\r\n$8\r\nffffffff\r\n");
}

TEST_F(ScriptLibraryTest, MsgpackSaysWhatItIs) {
  EXPECT_EQ(Eval("return {cmsgpack._NAME, cmsgpack._COPYRIGHT}"),
            "*2\r\n$8\r\ncmsgpack\r\n$40\r\nCopyright (C) 2012, Salvatore Sanfilippo\r\n");
}

TEST_F(ScriptLibraryTest, HexTakesAnyNumberOfDigits) {
  EXPECT_EQ(Eval("return {bit.tohex(-1, -2147483648), bit.tohex(255, 99), bit.tohex(255, -4), "
                 "bit.tohex(255, 0), bit.tohex(2^32 + 10.5, 3), bit.tohex(-1, 0/0)}"),
            "*6\r\n$8\r\nFFFFFFFF\r\n$8\r\n000000ff\r\n$4\r\n00FF\r\n$0\r\n\r\n"
            "$3\r\n00a\r\n$0\r\n\r\n");
  EXPECT_EQ(ErrorOf("bit.tohex(255, nil)"),
            "-ERR user_script:1: bad argument #2 to 'tohex' (number expected, got nil)");
}

TEST_F(ScriptLibraryTest, JsonThatAnIntCannotCountIsRefused) {
  constexpr char kTooLong[] = "-ERR user_script:1: Cannot serialise, the text is too long";
  EXPECT_EQ(ErrorOf("cjson.encode(string.rep('a', 360000000))"), kTooLong);
  EXPECT_EQ(ErrorOf("local s, t = string.rep('a', 1000000), {} "
                    "for i = 1, 400 do t[i] = {x = s} end cjson.encode(t)"),
            kTooLong);
  EXPECT_EQ(ErrorOf("local t = 'x' for i = 1, 30 do t = {t, t} end cjson.encode(t)"), kTooLong);
  EXPECT_EQ(ErrorOf("local c = cjson.new() c.encode_sparse_array(false, 0) "
                    "c.encode({[2147483647] = 1})"),
            kTooLong);
  EXPECT_EQ(Eval("return #cjson.encode(string.rep('a', 1000000))"), ":1000002\r\n");
}

TEST_F(ScriptLibraryTest, JsonRefusesTheRestInItsOwnWords) {
  EXPECT_EQ(ErrorOf("local t = {} t[1] = t cjson.encode(t)"),
            "-ERR user_script:1: Cannot serialise, excessive nesting (1001)");
  EXPECT_EQ(ErrorOf("local t = {} t.a, t.b = t, t cjson.encode(t)"),
            "-ERR user_script:1: Cannot serialise, excessive nesting (1001)");
  EXPECT_EQ(ErrorOf("cjson.encode({[1000000000] = 1})"),
            "-ERR user_script:1: Cannot serialise table: excessively sparse array");
  EXPECT_EQ(ErrorOf("cjson.encode()"),
            "-ERR user_script:1: bad argument #1 to 'encode' (expected 1 argument)");
  EXPECT_EQ(ErrorOf("cjson.decode({})"),
            "-ERR user_script:1: bad argument #1 to 'decode' (string expected, got table)");
  EXPECT_EQ(ErrorOf("cjson.encode_max_depth('x')"),
            "-ERR user_script:1: bad argument #1 to 'encode_max_depth' (number expected, got "
            "string)");
}

TEST_F(ScriptLibraryTest, JsonSettingsEndWithTheScript) {
  EXPECT_EQ(Eval("cjson.encode_number_precision(3) cjson.encode_sparse_array(true) "
                 "return cjson.encode({3.14159})"),
            "$6\r\n[3.14]\r\n");
  EXPECT_EQ(Eval("return cjson.encode({3.14159})"), "$9\r\n[3.14159]\r\n");
  EXPECT_EQ(Eval("return {cjson.encode_sparse_array()}"), "*3\r\n$-1\r\n:2\r\n:10\r\n");
  EXPECT_EQ(Eval("return {pcall(rawset, cjson, 'a', 1)}"),
            "*2\r\n$-1\r\n$34\r\nAttempt to modify a readonly table\r\n");
}

}  // namespace
}  // namespace cloakroom
