#include <string>

#include "server/pubsub/keyspace_notifier.h"
#include "tests/server/support/key_event_log.h"
#include "tests/server/support/persistence_fixture.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

using namespace std::string_literals;

constexpr char kWrongTypeReply[] =
    "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
constexpr char kNotHllReply[] = "-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n";
constexpr char kCorruptReply[] = "-INVALIDOBJ Corrupted HLL object detected\r\n";

class HyperLogLogCommandsTest : public ServerTest {
 protected:
  void AddMany(const std::string& key, int first, int last) {
    for (int i = first; i < last; ++i) Run("PFADD " + key + " element:" + std::to_string(i));
  }
  void SetRuns(const std::string& key, const std::string& runs) {
    Run({"SET", key, "HYLL\x01"s + std::string(11, '\0') + runs});
  }

  KeyEventLog events_{server_.keyspace()};
};

TEST_F(HyperLogLogCommandsTest, PfAddTellsWhetherSomethingChanged) {
  EXPECT_EQ(Run("PFADD h a b c"), ":1\r\n");
  EXPECT_EQ(Run("PFADD h a b c"), ":0\r\n");
  EXPECT_EQ(Run("PFCOUNT h"), ":3\r\n");
  EXPECT_EQ(Run("PFADD empty"), ":1\r\n");
  EXPECT_EQ(Run("PFADD empty"), ":0\r\n");
  EXPECT_EQ(Run("PFCOUNT empty"), ":0\r\n");
  EXPECT_EQ(Run("PFCOUNT absent"), ":0\r\n");
  EXPECT_EQ(events_.Take(), "pfadd h; pfstate h; pfadd empty; pfstate empty; ");
  EXPECT_EQ(Run("OBJECT ENCODING h"), "$3\r\nraw\r\n");
}

TEST_F(HyperLogLogCommandsTest, TheBytesAreThoseOfRedis) {
  Run("PFADD h a");
  EXPECT_EQ(Run("GET h"), "$21\r\nHYLL\x01\0\0\0\0\0\0\0\0\0\0\x80q\xa6\x84NW\r\n"s);
}

TEST_F(HyperLogLogCommandsTest, TheExpiryStays) {
  Run("PFADD h a");
  Run("PEXPIRE h 5000");
  Run("PFADD h b");
  Run("PFMERGE h other");
  Run("PFCOUNT h");
  EXPECT_EQ(Run("PTTL h"), ":5000\r\n");
}

TEST_F(HyperLogLogCommandsTest, TheCountIsKeptUntilTheNextChange) {
  Run("PFADD h a b");
  EXPECT_EQ(Run("GETRANGE h 15 15"), "$1\r\n\x80\r\n");
  EXPECT_EQ(Run("PFCOUNT h"), ":2\r\n");
  EXPECT_EQ(Run("GETRANGE h 8 15"), "$8\r\n\x02\0\0\0\0\0\0\0\r\n"s);
  Run({"SETRANGE", "h", "8", "\x09"});
  EXPECT_EQ(Run("PFCOUNT h"), ":9\r\n");
  Run("PFADD h c");
  EXPECT_EQ(Run("PFCOUNT h"), ":3\r\n");
}

TEST_F(HyperLogLogCommandsTest, KeepingTheCountDisturbsWatchersButIsNoEventOfRedis) {
  Run("PFADD h a");
  events_.Take();
  RunAs("watcher", "WATCH h");
  Run("PFCOUNT h");
  RunAs("watcher", "MULTI");
  RunAs("watcher", "PING");
  EXPECT_EQ(RunAs("watcher", "EXEC"), "*-1\r\n");
  EXPECT_EQ(events_.Take(), "pfstate h; ");
  EXPECT_EQ(ClassOfEvent("pfstate"), '\0');
}

TEST_F(HyperLogLogCommandsTest, SeveralKeysCountAsOne) {
  Run("PFADD a 1 2 3");
  Run("PFADD b 3 4");
  EXPECT_EQ(Run("PFCOUNT a b absent"), ":4\r\n");
  std::vector<std::string> many = {"PFCOUNT"};
  for (int i = 0; i < 100; ++i) many.push_back(i % 2 == 0 ? "a" : "b");
  EXPECT_EQ(Run(many), ":4\r\n");
}

TEST_F(HyperLogLogCommandsTest, PfMergeAddsUp) {
  Run("PFADD a 1 2 3");
  Run("PFADD b 3 4");
  events_.Take();
  EXPECT_EQ(Run("PFMERGE c a b absent"), "+OK\r\n");
  EXPECT_EQ(events_.Take(), "pfadd c; ");
  EXPECT_EQ(Run("PFCOUNT c"), ":4\r\n");
  EXPECT_EQ(Run("PFDEBUG ENCODING c"), "+sparse\r\n");
  Run("PFDEBUG TODENSE b");
  EXPECT_EQ(Run("PFMERGE c b"), "+OK\r\n");
  EXPECT_EQ(Run("PFDEBUG ENCODING c"), "+dense\r\n");
  EXPECT_EQ(Run("PFCOUNT c"), ":4\r\n");
}

TEST_F(HyperLogLogCommandsTest, AManyElementsMakeItDense) {
  AddMany("h", 0, 5'000);
  EXPECT_EQ(Run("PFDEBUG ENCODING h"), "+dense\r\n");
  EXPECT_EQ(Run("STRLEN h"), ":12304\r\n");
  Run("CONFIG SET hll-sparse-max-bytes 0");
  Run("PFADD small a");
  EXPECT_EQ(Run("PFDEBUG ENCODING small"), "+dense\r\n");
}

TEST_F(HyperLogLogCommandsTest, OtherValuesAreRefused) {
  Run("SADD t a");
  Run("SET s text");
  Run("SET n 1234567890123456");
  Run("PFADD h a");
  EXPECT_EQ(Run("PFADD t a"), kWrongTypeReply);
  EXPECT_EQ(Run("PFCOUNT h t"), kWrongTypeReply);
  EXPECT_EQ(Run("PFMERGE h t"), kWrongTypeReply);
  for (const std::string key : {"s", "n"}) {
    EXPECT_EQ(Run("PFADD " + key + " a"), kNotHllReply);
    EXPECT_EQ(Run("PFCOUNT " + key), kNotHllReply);
    EXPECT_EQ(Run("PFCOUNT h " + key), kNotHllReply);
    EXPECT_EQ(Run("PFMERGE h " + key), kNotHllReply);
    EXPECT_EQ(Run("PFDEBUG ENCODING " + key), kNotHllReply);
  }
}

TEST_F(HyperLogLogCommandsTest, CorruptBytesAreNoticed) {
  SetRuns("short", "\x7f\xfe");
  SetRuns("cut", "\x7f");
  Run("PFADD h a");
  for (const std::string key : {"short", "cut"}) {
    Run({"SETRANGE", key, "15", "\x80"});
    EXPECT_EQ(Run("PFCOUNT " + key), kCorruptReply);
    EXPECT_EQ(Run("PFCOUNT h " + key), kCorruptReply);
    EXPECT_EQ(Run("PFMERGE h " + key), kCorruptReply);
    EXPECT_EQ(Run("PFDEBUG TODENSE " + key), kCorruptReply);
    EXPECT_EQ(Run("PFDEBUG GETREG " + key), kCorruptReply);
  }
  const std::string before = Run("GET cut");
  EXPECT_EQ(Run("PFADD cut a b c"), kCorruptReply);
  EXPECT_EQ(Run("GET cut"), before);
}

TEST_F(HyperLogLogCommandsTest, TheErrorIsThatOfTheFirstKey) {
  SetRuns("corrupt", "");
  Run("SADD t a");
  EXPECT_EQ(Run("PFCOUNT corrupt t"), kCorruptReply);
  EXPECT_EQ(Run("PFCOUNT t corrupt"), kWrongTypeReply);
}

TEST_F(HyperLogLogCommandsTest, PfDebugShowsTheInside) {
  Run("PFADD h a");
  EXPECT_EQ(Run("PFDEBUG DECODE h"), "$20\r\nZ:12711 v:2,1 Z:3672\r\n");
  EXPECT_EQ(Run("PFDEBUG TODENSE h"), ":1\r\n");
  EXPECT_EQ(Run("PFDEBUG TODENSE h"), ":0\r\n");
  EXPECT_EQ(Run("PFDEBUG DECODE h"), "-ERR HLL encoding is not sparse\r\n");
  EXPECT_EQ(Run("PFDEBUG GETREG h").substr(0, 8), "*16384\r\n");
  EXPECT_EQ(Run("PFDEBUG ENCODING absent"), "-ERR The specified key does not exist\r\n");
  EXPECT_EQ(Run("PFDEBUG bogus h"), "-ERR Unknown PFDEBUG subcommand 'bogus'\r\n");
  EXPECT_EQ(Run("PFSELFTEST"), "+OK\r\n");
}

class HyperLogLogLogTest : public JournalledTest {};

TEST_F(HyperLogLogLogTest, TheLogGivesTheSameBytes) {
  Run("PFADD a 1 2 3");
  Run("PFADD b 3 4 5");
  Run("PFMERGE c a b");
  Run("PFCOUNT c");
  Run("PFDEBUG TODENSE b");
  FlushLog();
  Life next(clock_, files_, {"--appendonly", "yes"});
  ASSERT_OK(next.loaded());
  EXPECT_EQ(next.keys(), 3u);
}

}  // namespace
}  // namespace cloakroom
