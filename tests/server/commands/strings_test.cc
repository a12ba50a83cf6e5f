#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/access/lookup.h"
#include "tests/server/support/key_event_log.h"
#include "tests/server/support/replies.h"
#include "tests/server/support/server_fixture.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

constexpr std::string_view kWrongTypeReply =
    "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

class StringsTest : public ServerTest {
 protected:
  bool Exists(std::string_view key) {
    int db = ClientNamed("").db;
    Hold alone(0);
    return PeekKey(alone, server_.keyspace().db(db), key, KeyHash::Of(key), now_ms()) != nullptr;
  }
  /// -1: never; -2: no such key.
  int64_t TtlMs(std::string_view key) {
    Hold alone(0);
    const Entry* entry = PeekKey(alone, server_.keyspace().db(0), key, KeyHash::Of(key), now_ms());
    if (entry == nullptr) return -2;
    return entry->has_expiry() ? entry->expire_at_ms() - now_ms() : -1;
  }
};

TEST_F(StringsTest, GetReturnsWhatSetStored) {
  for (size_t size : {0, 1, 20, 44, 192, 193, 4095, 4096, 100'000}) {
    const std::string value(size, 'v');
    EXPECT_EQ(Run({"SET", "k", value}), "+OK\r\n");
    EXPECT_EQ(Run("GET k"), Bulk(value)) << size;
  }
  EXPECT_EQ(Run("GET other"), "$-1\r\n");
}

TEST_F(StringsTest, NumbersComeBackAsTheyWereWritten) {
  for (const char* text : {"0", "-1", "9223372036854775807", "-9223372036854775808", "007", "+1",
                           "-0", "9223372036854775808", " 1"}) {
    Run({"SET", "k", text});
    EXPECT_EQ(Run("GET k"), Bulk(text));
  }
}

TEST_F(StringsTest, SetReplacesAnyTypeAndForgetsItsExpiry) {
  Run("HSET k f v");
  EXPECT_EQ(Run("GET k"), kWrongTypeReply);
  EXPECT_EQ(Run("SET k v EX 100"), "+OK\r\n");
  EXPECT_EQ(TtlMs("k"), 100'000);
  EXPECT_EQ(Run("SET k w"), "+OK\r\n");
  EXPECT_EQ(TtlMs("k"), -1);
  EXPECT_EQ(server_.keyspace().db(0).size(), 1u);
  EXPECT_EQ(server_.keyspace().db(0).expires(), 0u);
}

TEST_F(StringsTest, ManyReplacementsOfAllShapesKeepTheCounts) {
  for (int i = 0; i < 200; ++i) {
    std::vector<std::string> set = {"SET", "k", std::string(static_cast<size_t>(i * i % 509), 'x')};
    if (i % 3 == 1) set.insert(set.end(), {"EX", "10"});
    if (i % 7 == 2) set[2] = std::to_string(i);
    if (i % 11 == 3) Run("SET k v"), Run("GETDEL k"), Run("HSET k f v");
    EXPECT_EQ(Run(set), "+OK\r\n");
    EXPECT_EQ(Run("GET k"), Bulk(set[2]));
    EXPECT_EQ(TtlMs("k"), i % 3 == 1 ? 10'000 : -1);
    EXPECT_EQ(server_.keyspace().db(0).size(), 1u);
    EXPECT_EQ(server_.keyspace().db(0).expires(), i % 3 == 1 ? 1u : 0u);
  }
}

TEST_F(StringsTest, ExpiredKeyIsGone) {
  Run("SET k v PX 10");
  Advance(9);
  EXPECT_EQ(Run("GET k"), "$1\r\nv\r\n");
  Advance(1);
  EXPECT_EQ(Run("GET k"), "$-1\r\n");
  EXPECT_EQ(Run("SET k w XX"), "$-1\r\n");
  EXPECT_EQ(Run("SET k w NX"), "+OK\r\n");
}

TEST_F(StringsTest, SetConditionsDecide) {
  EXPECT_EQ(Run("SET k v XX"), "$-1\r\n");
  EXPECT_FALSE(Exists("k"));
  EXPECT_EQ(Run("SET k v NX"), "+OK\r\n");
  EXPECT_EQ(Run("SET k w NX"), "$-1\r\n");
  EXPECT_EQ(Run("GET k"), "$1\r\nv\r\n");
  EXPECT_EQ(Run("SET k w xx"), "+OK\r\n");
  EXPECT_EQ(Run("SET k x NX XX"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("SET k x XX NX"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("SET k x NX NX"), "$-1\r\n");
}

TEST_F(StringsTest, SetGetReturnsTheOldValueWhateverTheConditionSays) {
  EXPECT_EQ(Run("SET k 1 GET"), "$-1\r\n");
  EXPECT_EQ(Run("SET k 2 GET"), "$1\r\n1\r\n");
  EXPECT_EQ(Run("SET k 3 NX GET"), "$1\r\n2\r\n");
  EXPECT_EQ(Run("GET k"), "$1\r\n2\r\n");
  EXPECT_EQ(Run("SET other 3 XX GET"), "$-1\r\n");
  EXPECT_FALSE(Exists("other"));
  Run("HSET h f v");
  EXPECT_EQ(Run("SET h v GET"), kWrongTypeReply);
  EXPECT_EQ(Run("SET h v NX GET"), kWrongTypeReply);
  EXPECT_EQ(Run("HGET h f"), "$1\r\nv\r\n");
}

TEST_F(StringsTest, SetTakesTimesInFourForms) {
  Run("SET k v EX 7");
  EXPECT_EQ(TtlMs("k"), 7000);
  Run("SET k v PX 7");
  EXPECT_EQ(TtlMs("k"), 7);
  Run({"SET", "k", "v", "exat", std::to_string(now_ms() / 1000 + 5)});
  EXPECT_EQ(TtlMs("k"), 5000);
  Run({"SET", "k", "v", "PXAT", std::to_string(now_ms() + 5)});
  EXPECT_EQ(TtlMs("k"), 5);
  EXPECT_EQ(Run("SET k v KEEPTTL"), "+OK\r\n");
  EXPECT_EQ(TtlMs("k"), 5);
  EXPECT_EQ(Run("SET k a-much-longer-value KEEPTTL"), "+OK\r\n");
  EXPECT_EQ(TtlMs("k"), 5);
  EXPECT_EQ(Run("SET k v EX 5 EX 6"), "+OK\r\n");
  EXPECT_EQ(TtlMs("k"), 6000);
  EXPECT_EQ(Run("SET k v PXAT 5"), "+OK\r\n");
  EXPECT_FALSE(Exists("k"));
}

TEST_F(StringsTest, SetRefusesTimesThatAreNone) {
  Run("SET k old");
  const std::string invalid = "-ERR invalid expire time in 'set' command\r\n";
  for (const char* option :
       {"EX 0", "EX -1", "PX 0", "EXAT 0", "PXAT -5", "EX 9223372036854775807",
        "EX 9223372036854775", "PX 9223372036854775807", "EXAT 9223372036854775807"}) {
    EXPECT_EQ(Run(std::string("SET k v ") + option), invalid) << option;
  }
  EXPECT_EQ(Run("SET k v EX abc"), "-ERR value is not an integer or out of range\r\n");
  for (const char* option : {"EX", "EX 5 PX 5", "KEEPTTL EX 5", "EX 5 KEEPTTL", "PERSIST", "FOO"}) {
    EXPECT_EQ(Run(std::string("SET k v ") + option), "-ERR syntax error\r\n") << option;
  }
  Run("HSET h f v");
  EXPECT_EQ(Run("SET h v EX 0 GET"), invalid);
  EXPECT_EQ(Run("GET k"), "$3\r\nold\r\n");
}

TEST_F(StringsTest, SetExAndItsKin) {
  EXPECT_EQ(Run("SETEX k 10 v"), "+OK\r\n");
  EXPECT_EQ(TtlMs("k"), 10'000);
  EXPECT_EQ(Run("PSETEX k 10 v"), "+OK\r\n");
  EXPECT_EQ(TtlMs("k"), 10);
  EXPECT_EQ(Run("SETEX k 0 v"), "-ERR invalid expire time in 'setex' command\r\n");
  EXPECT_EQ(Run("PSETEX k -1 v"), "-ERR invalid expire time in 'psetex' command\r\n");
  EXPECT_EQ(Run("SETEX k x v"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("SETNX k w"), ":0\r\n");
  EXPECT_EQ(Run("SETNX n w"), ":1\r\n");
  EXPECT_EQ(Run("GETSET n x"), "$1\r\nw\r\n");
  EXPECT_EQ(Run("GETSET m x"), "$-1\r\n");
  EXPECT_EQ(TtlMs("k"), 10);
  EXPECT_EQ(Run("GETSET k x"), "$1\r\nv\r\n");
  EXPECT_EQ(TtlMs("k"), -1);
}

TEST_F(StringsTest, MSetSetsAllAndMSetNxAllOrNone) {
  EXPECT_EQ(Run("MSET a 1 b 2 a 3"), "+OK\r\n");
  EXPECT_EQ(Run("MSET a 1 b"), "-ERR wrong number of arguments for 'mset' command\r\n");
  EXPECT_EQ(Run("MSETNX a 1 b"), "-ERR wrong number of arguments for 'msetnx' command\r\n");
  Run("HSET h f v");
  EXPECT_EQ(Run("MGET a b h missing a"), "*5\r\n$1\r\n3\r\n$1\r\n2\r\n$-1\r\n$-1\r\n$1\r\n3\r\n");
  EXPECT_EQ(Run("MSETNX c 1 b 2"), ":0\r\n");
  EXPECT_FALSE(Exists("c"));
  EXPECT_EQ(Run("MSETNX c 1 d 2 c 3"), ":1\r\n");
  EXPECT_EQ(Run("GET c"), "$1\r\n3\r\n");
}

TEST_F(StringsTest, GetExSetsAndRemovesTheExpiry) {
  Run("SET k v");
  EXPECT_EQ(Run("GETEX k EX 10"), "$1\r\nv\r\n");
  EXPECT_EQ(TtlMs("k"), 10'000);
  EXPECT_EQ(Run("GETEX k"), "$1\r\nv\r\n");
  EXPECT_EQ(TtlMs("k"), 10'000);
  EXPECT_EQ(Run("GETEX k PERSIST"), "$1\r\nv\r\n");
  EXPECT_EQ(TtlMs("k"), -1);
  EXPECT_EQ(Run("GETEX k EX 0"), "-ERR invalid expire time in 'getex' command\r\n");
  EXPECT_EQ(Run("GETEX k PERSIST EX 1"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("GETEX k KEEPTTL"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("GETEX missing EX abc"), "$-1\r\n");
  EXPECT_EQ(Run("GETEX missing FOO"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("GETEX k EXAT 1"), "$1\r\nv\r\n");
  EXPECT_FALSE(Exists("k"));
  Run("HSET h f v");
  EXPECT_EQ(Run("GETEX h EX abc"), kWrongTypeReply);
}

TEST_F(StringsTest, GetDelHandsOutALargeValueAndForgetsIt) {
  const std::string value(200'000, 'x');
  Run({"SET", "k", value});
  EXPECT_EQ(Run("GETDEL k"), Bulk(value));
  EXPECT_EQ(Run("GETDEL k"), "$-1\r\n");
  Run("HSET h f v");
  EXPECT_EQ(Run("GETDEL h"), kWrongTypeReply);
  EXPECT_TRUE(Exists("h"));
}

TEST_F(StringsTest, ChangesAreToldByTheirRedisNames) {
  KeyEventLog log(server_.keyspace());
  const std::vector<std::pair<std::string_view, std::string_view>> expected = {
      {"SET s v EX 10", "set s; expire s; "},
      {"SET s v KEEPTTL", "set s; "},
      {"SET s v NX", ""},
      {"SETEX s 10 v", "set s; expire s; "},
      {"GETEX s PERSIST", "persist s; "},
      {"GETEX s PERSIST", ""},
      {"GETEX s EX 10", "expire s; "},
      {"GETEX s PXAT 1", "del s; "},
      {"GETSET s v", "set s; "},
      {"GETDEL s", "del s; "},
      {"MSET a 1 b 2 a 3", "set a; set b; set a; "},
      {"MSETNX a 1 c 2", ""},
      {"SETNX a 1", ""},
      {"INCR a", "incrby a; "},
      {"INCRBYFLOAT a 1", "incrbyfloat a; "},
      {"APPEND a x", "append a; "},
      {"SETRANGE a 0 x", "setrange a; "},
      {"SETBIT bits 7 0", "setbit bits; "},
      {"SETBIT bits 7 0", ""},
      {"SETBIT bits 7 1", "setbit bits; "},
      {"BITFIELD bits SET u8 0 1", ""},
      {"BITFIELD bits INCRBY u8 0 1 INCRBY u8 0 1", "setbit bits; "},
      {"BITFIELD bits OVERFLOW FAIL INCRBY u8 8 500", ""},
      {"BITFIELD bits OVERFLOW FAIL INCRBY u8 16 500 SET u8 0 3", "setbit bits; "},
      {"BITOP OR d a bits", "set d; "},
      {"BITOP AND d none", "del d; "},
      {"BITOP AND d none", ""},
      {"GET a", ""},
  };
  for (const auto& [line, events] : expected) {
    Run(line);
    EXPECT_EQ(log.Take(), events) << line;
  }
}

TEST_F(StringsTest, ReadsThatChangeCountAsHitsAndMisses) {
  const ThreadStats& stats = server_.thread(0).stats;
  Run("SET k v");
  EXPECT_EQ(stats.keyspace_hits + stats.keyspace_misses, 0);
  Run("GETSET k w");
  Run("GETEX k PERSIST");
  Run("GETDEL k");
  EXPECT_EQ(stats.keyspace_hits, 3);
  Run("GETDEL k");
  EXPECT_EQ(stats.keyspace_misses, 1);
}

TEST_F(StringsTest, NullsFollowTheProtocol) {
  ClientNamed("").resp = 3;
  EXPECT_EQ(Run("GET k"), "_\r\n");
  EXPECT_EQ(Run("SET k v XX"), "_\r\n");
  EXPECT_EQ(Run("MGET k"), "*1\r\n_\r\n");
}

// string_ranges.cc.

TEST_F(StringsTest, AppendMakesAndLengthens) {
  EXPECT_EQ(Run({"APPEND", "k", ""}), ":0\r\n");
  EXPECT_TRUE(Exists("k"));
  EXPECT_EQ(Run("APPEND n 12"), ":2\r\n");
  EXPECT_EQ(Run("APPEND n 3"), ":3\r\n");
  EXPECT_EQ(Run("INCR n"), ":124\r\n");
  std::string whole;
  for (int i = 0; i < 100; ++i) {
    whole += std::string(50, static_cast<char>('a' + i % 26));
    EXPECT_EQ(Run({"APPEND", "k", whole.substr(whole.size() - 50)}),
              ":" + std::to_string(whole.size()) + "\r\n");
  }
  EXPECT_EQ(Run("GET k"), Bulk(whole));
  EXPECT_EQ(Run("STRLEN k"), ":5000\r\n");
  EXPECT_EQ(Run("STRLEN none"), ":0\r\n");
}

TEST_F(StringsTest, SetRangePadsWithZeroes) {
  EXPECT_EQ(Run("SETRANGE k 3 xy"), ":5\r\n");
  EXPECT_EQ(Run("GET k"), Bulk(std::string("\0\0\0xy", 5)));
  EXPECT_EQ(Run({"SETRANGE", "none", "5", ""}), ":0\r\n");
  EXPECT_FALSE(Exists("none"));
  EXPECT_EQ(Run({"SETRANGE", "k", "536870912", ""}), ":5\r\n");
  EXPECT_EQ(Run("SETRANGE k -1 x"), "-ERR offset is out of range\r\n");
  const std::string too_long = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";
  EXPECT_EQ(Run("SETRANGE k 536870912 x"), too_long);
  EXPECT_EQ(Run("SETRANGE k 9223372036854775807 x"), too_long);
  EXPECT_EQ(Run("STRLEN k"), ":5\r\n");
  Run("HSET h f v");
  EXPECT_EQ(Run("SETRANGE h -1 x"), "-ERR offset is out of range\r\n");
  EXPECT_EQ(Run("SETRANGE h 536870912 x"), kWrongTypeReply);
}

TEST_F(StringsTest, GrowthStopsAtProtoMaxBulkLen) {
  ASSERT_OK(config_.Set({"proto-max-bulk-len", "1048576"}));
  EXPECT_EQ(Run("SETRANGE k 1048575 x"), ":1048576\r\n");
  const std::string too_long = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";
  EXPECT_EQ(Run("SETRANGE k 1048576 x"), too_long);
  EXPECT_EQ(Run("APPEND k x"), too_long);
  EXPECT_EQ(Run("SETBIT k 8388608 1"), "-ERR bit offset is not an integer or out of range\r\n");
  EXPECT_EQ(Run("SETBIT k 8388607 1"), ":0\r\n");
  EXPECT_EQ(Run("STRLEN k"), ":1048576\r\n");
}

TEST_F(StringsTest, GetRangeClampsAsRedisDoes) {
  Run("SET k foobar");
  EXPECT_EQ(Run("GETRANGE k 0 2"), Bulk("foo"));
  EXPECT_EQ(Run("SUBSTR k -3 -1"), Bulk("bar"));
  EXPECT_EQ(Run("GETRANGE k -100 100"), Bulk("foobar"));
  EXPECT_EQ(Run("GETRANGE k -100 -50"), Bulk("f"));
  EXPECT_EQ(Run("GETRANGE k -1 -5"), Bulk(""));
  EXPECT_EQ(Run("GETRANGE k 5 1"), Bulk(""));
  EXPECT_EQ(Run("GETRANGE k 6 9"), Bulk(""));
  EXPECT_EQ(Run("GETRANGE k -9223372036854775808 9223372036854775807"), Bulk("foobar"));
  EXPECT_EQ(Run("GETRANGE none 0 -1"), Bulk(""));
  Run("SET n 1234");
  EXPECT_EQ(Run("GETRANGE n 1 2"), Bulk("23"));
  Run("HSET h f v");
  EXPECT_EQ(Run("GETRANGE h a b"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("GETRANGE h 0 1"), kWrongTypeReply);
}

TEST_F(StringsTest, LargeRangesAreSentByReference) {
  std::string value;
  for (int i = 0; i < 20'000; ++i) value += static_cast<char>('a' + i % 26);
  Run({"SET", "k", value});
  EXPECT_EQ(Run("GETRANGE k 100 9999"), Bulk(value.substr(100, 9900)));
}

// counters.cc.

TEST_F(StringsTest, CountersAddAndSubtract) {
  EXPECT_EQ(Run("INCR n"), ":1\r\n");
  EXPECT_EQ(Run("INCRBY n 41"), ":42\r\n");
  EXPECT_EQ(Run("DECR n"), ":41\r\n");
  EXPECT_EQ(Run("DECRBY n 50"), ":-9\r\n");
  EXPECT_EQ(Run("GET n"), Bulk("-9"));
}

TEST_F(StringsTest, CountersKeepTheExpiry) {
  Run("SET n 1 EX 10");
  Run("INCR n");
  Run("INCRBYFLOAT n 0.5");
  EXPECT_EQ(TtlMs("n"), 10'000);
}

TEST_F(StringsTest, CountersRefuseWhatIsNoIntegerOrOverflows) {
  const std::string no_integer = "-ERR value is not an integer or out of range\r\n";
  const std::string overflow = "-ERR increment or decrement would overflow\r\n";
  for (const char* text : {"", "abc", "05", " 1", "1.0", "9223372036854775808"}) {
    Run({"SET", "k", text});
    EXPECT_EQ(Run("INCR k"), no_integer) << text;
    EXPECT_EQ(Run("GET k"), Bulk(text));
  }
  Run("SET k 9223372036854775807");
  EXPECT_EQ(Run("INCR k"), overflow);
  EXPECT_EQ(Run("INCRBY k 9223372036854775807"), overflow);
  EXPECT_EQ(Run("INCRBY k x"), no_integer);
  EXPECT_EQ(Run("DECRBY k -9223372036854775808"), "-ERR decrement would overflow\r\n");
  EXPECT_EQ(Run("GET k"), Bulk("9223372036854775807"));
  Run("HSET h f v");
  EXPECT_EQ(Run("INCR h"), kWrongTypeReply);
  EXPECT_EQ(Run("INCRBY h x"), no_integer);
}

TEST_F(StringsTest, IncrByFloatAddsDecimals) {
  EXPECT_EQ(Run("INCRBYFLOAT f 0.1"), Bulk("0.1"));
  EXPECT_EQ(Run("INCRBYFLOAT f 0.2"), Bulk("0.3"));
  Run("SET f 3.0e3");
  EXPECT_EQ(Run("INCRBYFLOAT f 200"), Bulk("3200"));
  EXPECT_EQ(Run("INCR f"), ":3201\r\n");
  EXPECT_EQ(Run("INCRBYFLOAT f abc"), "-ERR value is not a valid float\r\n");
  EXPECT_EQ(Run("INCRBYFLOAT f nan"), "-ERR value is not a valid float\r\n");
  EXPECT_EQ(Run("INCRBYFLOAT f inf"), "-ERR increment would produce NaN or Infinity\r\n");
  Run("SET s text");
  EXPECT_EQ(Run("INCRBYFLOAT s 1"), "-ERR value is not a valid float\r\n");
  Run("HSET h f v");
  EXPECT_EQ(Run("INCRBYFLOAT h abc"), kWrongTypeReply);
}

TEST_F(StringsTest, SetIfEqStoresOnlyOverThatString) {
  EXPECT_EQ(Run("SET k new IFEQ old"), "$-1\r\n");
  EXPECT_EQ(Run("EXISTS k"), ":0\r\n");
  Run("SET k old");
  EXPECT_EQ(Run("SET k new IFEQ other"), "$-1\r\n");
  EXPECT_EQ(Run("SET k new IFEQ other GET"), "$3\r\nold\r\n");
  EXPECT_EQ(Run("SET k new IFEQ old EX 10"), "+OK\r\n");
  EXPECT_EQ(Run("TTL k"), ":10\r\n");
  EXPECT_EQ(Run("SET k 5 GET IFEQ new"), "$3\r\nnew\r\n");
  EXPECT_EQ(Run("SET k 6 IFEQ 5"), "+OK\r\n");
  Run("SADD t m");
  EXPECT_EQ(Run("SET t v IFEQ m"),
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
  for (std::string_view line :
       {"SET k v IFEQ", "SET k v NX IFEQ 6", "SET k v IFEQ 6 XX", "SET k v IFEQ 6 IFEQ 6"}) {
    EXPECT_EQ(Run(line), "-ERR syntax error\r\n") << line;
  }
}

TEST_F(StringsTest, DelIfEqDeletesOnlyThatString) {
  EXPECT_EQ(Run("DELIFEQ k v"), ":0\r\n");
  Run("MSET k v n 12");
  EXPECT_EQ(Run("DELIFEQ k x"), ":0\r\n");
  EXPECT_EQ(Run("DELIFEQ k v"), ":1\r\n");
  EXPECT_EQ(Run("DELIFEQ n 12"), ":1\r\n");
  EXPECT_EQ(Run("EXISTS k n"), ":0\r\n");
  Run("SADD t m");
  EXPECT_EQ(Run("DELIFEQ t m"),
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
}

}  // namespace
}  // namespace cloakroom
