#include <string>
#include <vector>

#include "tests/server/support/key_event_log.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

constexpr char kWrongTypeReply[] =
    "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

class StreamsTest : public ServerTest {
 protected:
  KeyEventLog events_{server_.keyspace()};
};

TEST_F(StreamsTest, XAddRepliesTheId) {
  EXPECT_EQ(Run("XADD s 1-1 a 1"), "$3\r\n1-1\r\n");
  EXPECT_EQ(Run("XADD s 1-* a 2"), "$3\r\n1-2\r\n");
  EXPECT_EQ(Run("XADD s 5 a 3"), "$3\r\n5-0\r\n");
  EXPECT_EQ(Run("XLEN s"), ":3\r\n");
  EXPECT_EQ(events_.Take(), "xadd s; xadd s; xadd s; ");
}

TEST_F(StreamsTest, AutomaticIdsAreTheTimeAndNeverGoBack) {
  const std::string now = std::to_string(now_ms());
  const auto bulk = [](const std::string& text) {
    return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
  };
  EXPECT_EQ(Run("XADD s * a 1"), bulk(now + "-0"));
  EXPECT_EQ(Run("XADD s * a 1"), bulk(now + "-1"));
  Advance(-1000);
  EXPECT_EQ(Run("XADD s * a 1"), bulk(now + "-2"));
}

TEST_F(StreamsTest, IdsMustGrow) {
  Run("XADD s 5-5 a 1");
  const std::string refused =
      "-ERR The ID specified in XADD is equal or smaller than the target stream top item\r\n";
  EXPECT_EQ(Run("XADD s 5-5 a 1"), refused);
  EXPECT_EQ(Run("XADD s 4-* a 1"), refused);
  EXPECT_EQ(Run("XADD s 0-0 a 1"), "-ERR The ID specified in XADD must be greater than 0-0\r\n");
  EXPECT_EQ(Run("XADD absent 0-0 a 1").substr(0, 4), "-ERR");
  EXPECT_EQ(Run("EXISTS absent"), ":0\r\n");
  Run("XADD s 18446744073709551615-18446744073709551615 a 1");
  EXPECT_EQ(Run("XADD s * a 1"),
            "-ERR The stream has exhausted the last possible ID, unable to add more items\r\n");
}

TEST_F(StreamsTest, NoMkStreamMakesNone) {
  EXPECT_EQ(Run("XADD s NOMKSTREAM * a 1"), "$-1\r\n");
  EXPECT_EQ(Run("EXISTS s"), ":0\r\n");
}

TEST_F(StreamsTest, ATrimWithAnEntryIsAnEventOfItsOwn) {
  Run("XADD s 1 a 1");
  events_.Take();
  Run("XADD s MAXLEN 1 2 a 1");
  EXPECT_EQ(events_.Take(), "xadd s; xtrim s; ");
  EXPECT_EQ(Run("XADD s MAXLEN 0 3 a 1"), "$3\r\n3-0\r\n");
  EXPECT_EQ(Run("XLEN s"), ":0\r\n");
  EXPECT_EQ(Run("TYPE s"), "+stream\r\n");
}

TEST_F(StreamsTest, ApproximateTrimsKeepWholeNodes) {
  for (int i = 1; i <= 250; ++i) Run("XADD s " + std::to_string(i) + " a 1");
  EXPECT_EQ(Run("XTRIM s MAXLEN ~ 240"), ":0\r\n");
  EXPECT_EQ(Run("XTRIM s MAXLEN ~ 0 LIMIT 150"), ":100\r\n");
  EXPECT_EQ(Run("XTRIM s MINID 201"), ":100\r\n");
  EXPECT_EQ(Run("XTRIM s MAXLEN = 10"), ":40\r\n");
}

TEST_F(StreamsTest, TrimOptionsAreChecked) {
  EXPECT_EQ(Run("XADD s MAXLEN 1 MINID 1 * a 1"),
            "-ERR syntax error, MAXLEN and MINID options at the same time are not compatible\r\n");
  EXPECT_EQ(Run("XADD s MAXLEN 1 LIMIT 1 * a 1"),
            "-ERR syntax error, LIMIT cannot be used without the special ~ option\r\n");
  EXPECT_EQ(Run("XADD s LIMIT 1 * a 1"),
            "-ERR syntax error, LIMIT cannot be used without specifying a trimming strategy\r\n");
  EXPECT_EQ(Run("XADD s MAXLEN -1 * a 1"), "-ERR The MAXLEN argument must be >= 0.\r\n");
  EXPECT_EQ(Run("XTRIM s MAXLEN ~ 1 LIMIT -1"), "-ERR The LIMIT argument must be >= 0.\r\n");
  EXPECT_EQ(Run("XADD s x a 1"), "-ERR Invalid stream ID specified as stream command argument\r\n");
  EXPECT_EQ(Run("XADD s * a 1 b"), "-ERR wrong number of arguments for 'xadd' command\r\n");
}

TEST_F(StreamsTest, RangesHaveExclusiveEndsAndACount) {
  for (const char* id : {"1-1", "1-2", "2-0", "3-0"}) {
    Run(std::vector<std::string>{"XADD", "s", id, "f", "v"});
  }
  const std::string entry = "*2\r\n$3\r\n1-2\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n";
  EXPECT_EQ(Run("XRANGE s (1-1 (2"), "*1\r\n" + entry);
  EXPECT_EQ(Run("XREVRANGE s (2 1 COUNT 1"), "*1\r\n" + entry);
  EXPECT_EQ(Run("XRANGE s - + COUNT 0"), "*-1\r\n");
  EXPECT_EQ(Run("XRANGE absent - +"), "*0\r\n");
  EXPECT_EQ(Run("XRANGE s (18446744073709551615-18446744073709551615 +"),
            "-ERR invalid start ID for the interval\r\n");
  EXPECT_EQ(Run("XRANGE s - (0-0"), "-ERR invalid end ID for the interval\r\n");
  EXPECT_EQ(Run("XRANGE s - + LIMIT 1"), "-ERR syntax error\r\n");
}

TEST_F(StreamsTest, ALongRangeIsRepliedWhole) {
  std::string expected = "*21000\r\n";
  for (int i = 1; i <= 21000; ++i) {
    const std::string id = std::to_string(i) + "-0";
    Run("XADD s " + id + " f v");
    expected +=
        "*2\r\n$" + std::to_string(id.size()) + "\r\n" + id + "\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n";
  }
  EXPECT_EQ(Run("XRANGE s - +"), expected);
}

TEST_F(StreamsTest, XDelChecksAllIdsFirst) {
  Run("XADD s 1 a 1");
  EXPECT_EQ(Run("XDEL s 1 x"), "-ERR Invalid stream ID specified as stream command argument\r\n");
  EXPECT_EQ(Run("XDEL s 1 1 2"), ":1\r\n");
  EXPECT_EQ(Run("XDEL absent x"), ":0\r\n");
}

TEST_F(StreamsTest, XSetIdKeepsTheTopItemBelow) {
  EXPECT_EQ(Run("XSETID s 1-1"), "-ERR no such key\r\n");
  Run("XADD s 5-0 a 1");
  EXPECT_EQ(Run("XSETID s 4-0"),
            "-ERR The ID specified in XSETID is smaller than the target stream top item\r\n");
  EXPECT_EQ(Run("XSETID s 6-0 ENTRIESADDED 0"),
            "-ERR The entries_added specified in XSETID is smaller than the target stream "
            "length\r\n");
  EXPECT_EQ(Run("XSETID s 6-0 MAXDELETEDID 7-0"),
            "-ERR The ID specified in XSETID is smaller than the provided "
            "max_deleted_entry_id\r\n");
  EXPECT_EQ(Run("XSETID s 6-0 ENTRIESADDED 9 MAXDELETEDID 4-0"), "+OK\r\n");
  EXPECT_EQ(Run("XADD s 6-0 a 1").substr(0, 4), "-ERR");
}

TEST_F(StreamsTest, EveryCommandRefusesAHash) {
  Run("HSET h a 1");
  for (const char* line : {"XADD h * a 1", "XLEN h", "XDEL h 1", "XTRIM h MAXLEN 1", "XRANGE h - +",
                           "XREVRANGE h + -", "XSETID h 1-1"}) {
    EXPECT_EQ(Run(line), kWrongTypeReply) << line;
  }
}

}  // namespace
}  // namespace cloakroom
