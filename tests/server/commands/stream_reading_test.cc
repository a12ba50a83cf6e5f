#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/server/support/key_event_log.h"
#include "tests/server/support/loop_fixture.h"
#include "tests/server/support/replies.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

/// An entry with the field f and the value v.
std::string EntryText(std::string_view id) {
  return "*2\r\n" + Bulk(id) + "*2\r\n" + Bulk("f") + Bulk("v");
}
/// The reply with some entries of one stream.
std::string Read(std::string_view key, const std::vector<std::string_view>& ids) {
  std::string text = "*1\r\n*2\r\n" + Bulk(key) + "*" + std::to_string(ids.size()) + "\r\n";
  for (const std::string_view id : ids) text += EntryText(id);
  return text;
}

class StreamReadingTest : public ServerTest {
 protected:
  void SetUp() override {
    for (const char* id : {"1-0", "2-0", "3-0"}) {
      Run(std::vector<std::string>{"XADD", "s", id, "f", "v"});
    }
    Run("XGROUP CREATE s g 0");
    events_.Take();
  }

  KeyEventLog events_{server_.keyspace()};
};

TEST_F(StreamReadingTest, XReadReadsBehindAnId) {
  EXPECT_EQ(Run("XREAD STREAMS s 1-0"), Read("s", {"2-0", "3-0"}));
  EXPECT_EQ(Run("XREAD COUNT 1 STREAMS s 0"), Read("s", {"1-0"}));
  EXPECT_EQ(Run("XREAD STREAMS s absent 3 0"), "*-1\r\n");
  EXPECT_EQ(Run("XREAD STREAMS s $"), "*-1\r\n");
  EXPECT_EQ(Run("XREAD STREAMS s +"), Read("s", {"3-0"}));
}

TEST_F(StreamReadingTest, Resp3RepliesAMap) {
  RunAs("three", "HELLO 3");
  EXPECT_EQ(RunAs("three", "XREAD STREAMS s 2"),
            "%1\r\n" + Bulk("s") + "*1\r\n" + EntryText("3-0"));
  EXPECT_EQ(RunAs("three", "XREADGROUP GROUP g c COUNT 1 STREAMS s >"),
            "%1\r\n" + Bulk("s") + "*1\r\n" + EntryText("1-0"));
  EXPECT_EQ(RunAs("three", "XREAD STREAMS s $"), "_\r\n");
}

TEST_F(StreamReadingTest, AGroupDeliversEachEntryOnce) {
  EXPECT_EQ(Run("XREADGROUP GROUP g a COUNT 2 STREAMS s >"), Read("s", {"1-0", "2-0"}));
  EXPECT_EQ(Run("XREADGROUP GROUP g b STREAMS s >"), Read("s", {"3-0"}));
  EXPECT_EQ(Run("XREADGROUP GROUP g a STREAMS s >"), "*-1\r\n");
  EXPECT_EQ(events_.Take(), "xgroup-createconsumer s; xgroup-createconsumer s; ");
}

TEST_F(StreamReadingTest, HistoryIsWhatIsPending) {
  Run("XREADGROUP GROUP g a COUNT 2 STREAMS s >");
  Run("XDEL s 1-0");
  EXPECT_EQ(
      Run("XREADGROUP GROUP g a STREAMS s 0"),
      "*1\r\n*2\r\n" + Bulk("s") + "*2\r\n*2\r\n" + Bulk("1-0") + "*-1\r\n" + EntryText("2-0"));
  EXPECT_EQ(Run("XREADGROUP GROUP g a COUNT 1 STREAMS s 1-0"), Read("s", {"2-0"}));
  EXPECT_EQ(Run("XPENDING s g 2 2 1"), "*1\r\n*4\r\n" + Bulk("2-0") + Bulk("a") + ":0\r\n:3\r\n");
}

TEST_F(StreamReadingTest, NoAckLeavesNothingPending) {
  Run("XREADGROUP GROUP g a NOACK STREAMS s >");
  EXPECT_EQ(Run("XPENDING s g"), "*4\r\n:0\r\n$-1\r\n$-1\r\n*-1\r\n");
  EXPECT_EQ(Run("XREADGROUP GROUP g a STREAMS s >"), "*-1\r\n");
}

TEST_F(StreamReadingTest, WatchHearsNothing) {
  RunAs("w", "WATCH s");
  Run("XREADGROUP GROUP g a STREAMS s >");
  RunAs("w", "MULTI");
  EXPECT_EQ(RunAs("w", "EXEC"), "*0\r\n");
}

TEST_F(StreamReadingTest, ArgumentsAreChecked) {
  EXPECT_EQ(Run("XREAD STREAMS s t 0").substr(0, 27), "-ERR Unbalanced XREAD list ");
  EXPECT_EQ(Run("XREAD GROUP g c STREAMS s 0"),
            "-ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.\r\n");
  EXPECT_EQ(Run("XREADGROUP COUNT 1 COUNT 1 STREAMS s 0"),
            "-ERR Missing GROUP option for XREADGROUP\r\n");
  EXPECT_EQ(Run("XREAD BLOCK -1 STREAMS s 0"), "-ERR timeout is negative\r\n");
  EXPECT_EQ(Run("XREAD BLOCK x STREAMS s 0"), "-ERR timeout is not an integer or out of range\r\n");
  EXPECT_EQ(Run("XREADGROUP GROUP x c STREAMS s >"),
            "-NOGROUP No such key 's' or consumer group 'x' in XREADGROUP with GROUP option\r\n");
  EXPECT_EQ(Run("XREAD COUNT 1 BLOCK 0"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("XREADGROUP COUNT 1 GROUP STREAMS c STREAMS s >"), "-ERR syntax error\r\n");
  Run("SET str v");
  EXPECT_EQ(Run("XREAD STREAMS str 0").substr(0, 10), "-WRONGTYPE");
}

TEST_F(StreamReadingTest, ALongReadIsRepliedWhole) {
  std::vector<std::string> ids;
  for (int i = 0; i < 21000; ++i) ids.push_back(std::to_string(i + 10) + "-0");
  for (const std::string& id : ids) Run(std::vector<std::string>{"XADD", "long", id, "f", "v"});
  EXPECT_EQ(Run("XREAD STREAMS long 0"),
            Read("long", std::vector<std::string_view>(ids.begin(), ids.end())));
}

TEST_F(StreamReadingTest, NobodyWaitsInATransaction) {
  Run("MULTI");
  Run("XREAD BLOCK 0 STREAMS s $");
  Run("XREADGROUP GROUP g c BLOCK 0 COUNT 3 STREAMS s >");
  Run("XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
  EXPECT_EQ(Run("EXEC"), "*3\r\n*-1\r\n" + Read("s", {"1-0", "2-0", "3-0"}) + "*-1\r\n");
}

TEST_F(StreamReadingTest, ScriptsMayNotBlock) {
  const std::string reply =
      Run({"EVAL", "return redis.call('XREAD', 'BLOCK', 'x', 'STREAMS', 's', '$')", "0"});
  EXPECT_EQ(reply.substr(0, 66),
            "-ERR XREAD command is not allowed with BLOCK option from scripts s");
}

/// The first base of the fixture, so that the files outlive the server.
struct Disk {
  FaultyFiles files;
};

class BlockedReadingTest : private Disk, public LoopTest {
 protected:
  BlockedReadingTest() : LoopTest(Disk::files, {"--save", ""}) {}

  static void ExpectNext(Peer& peer, const std::string& reply) {
    EXPECT_EQ(peer.Await(reply.size()), reply);
  }

  Peer& one_ = Connect(loop(0));
  Peer& two_ = Connect(loop(1));
  Peer& writer_ = Connect(loop(1));
};

TEST_F(BlockedReadingTest, OneEntryServesAllWhoRead) {
  writer_.Exchange("XADD s 1-0 f v\r\n", Bulk("1-0"));
  Park(one_, "XREAD BLOCK 0 STREAMS s $\r\n");
  Park(two_, "XREAD BLOCK 0 STREAMS other s 0 $\r\n");
  writer_.Exchange("XADD s 2-0 f v\r\n", Bulk("2-0"));
  ExpectNext(one_, Read("s", {"2-0"}));
  ExpectNext(two_, Read("s", {"2-0"}));
}

TEST_F(BlockedReadingTest, WhoReadsFurtherAheadGoesOnWaiting) {
  Park(one_, "XREAD BLOCK 0 STREAMS s 5-0\r\n");
  Park(two_, "XREAD BLOCK 0 STREAMS s 0\r\n");
  writer_.Exchange("XADD s 2-0 f v\r\n", Bulk("2-0"));
  ExpectNext(two_, Read("s", {"2-0"}));
  writer_.Exchange("XADD s 6-0 f v\r\n", Bulk("6-0"));
  ExpectNext(one_, Read("s", {"6-0"}));
}

TEST_F(BlockedReadingTest, InAGroupWhoCameFirstIsServed) {
  writer_.Exchange("XGROUP CREATE s g $ MKSTREAM\r\n", "+OK\r\n");
  Park(one_, "XREADGROUP GROUP g a BLOCK 0 STREAMS s >\r\n");
  Park(two_, "XREADGROUP GROUP g b BLOCK 0 STREAMS s >\r\n");
  writer_.Exchange("XADD s 1-0 f v\r\n", Bulk("1-0"));
  ExpectNext(one_, Read("s", {"1-0"}));
  writer_.Exchange("XADD s 2-0 f v\r\n", Bulk("2-0"));
  ExpectNext(two_, Read("s", {"2-0"}));
  writer_.Exchange("XPENDING s g\r\n", "*4\r\n:2\r\n" + Bulk("1-0") + Bulk("2-0") + "*2\r\n*2\r\n" +
                                           Bulk("a") + Bulk("1") + "*2\r\n" + Bulk("b") +
                                           Bulk("1"));
}

TEST_F(BlockedReadingTest, EveryGroupIsServed) {
  writer_.Exchange("XGROUP CREATE s g $ MKSTREAM\r\n", "+OK\r\n");
  writer_.Exchange("XGROUP CREATE s h $\r\n", "+OK\r\n");
  Park(one_, "XREADGROUP GROUP g a BLOCK 0 STREAMS s >\r\n");
  Park(two_, "XREADGROUP GROUP h a BLOCK 0 STREAMS s >\r\n");
  writer_.Exchange("XADD s 1-0 f v\r\n", Bulk("1-0"));
  ExpectNext(one_, Read("s", {"1-0"}));
  ExpectNext(two_, Read("s", {"1-0"}));
}

TEST_F(BlockedReadingTest, WhoseGroupOrStreamIsGoneGetsAnError) {
  const std::string no_group =
      "-NOGROUP the consumer group this client was blocked on no longer exists\r\n";
  const std::string no_key = "-UNBLOCKED the stream key no longer exists\r\n";
  writer_.Exchange("XGROUP CREATE s g $ MKSTREAM\r\n", "+OK\r\n");
  Park(one_, "XREADGROUP GROUP g a BLOCK 0 STREAMS s >\r\n");
  writer_.Exchange("XGROUP DESTROY s g\r\n", ":1\r\n");
  ExpectNext(one_, no_group);
  for (const char* gone : {"DEL s\r\n", "RENAME s t\r\n", "SET s v\r\n"}) {
    writer_.Send("DEL s\r\nXGROUP CREATE s g $ MKSTREAM\r\n");
    AwaitThat([&] { return writer_.Received().ends_with("+OK\r\n"); }, gone);
    Park(one_, "XREADGROUP GROUP g a BLOCK 0 STREAMS s >\r\n");
    Park(two_, "XREAD BLOCK 1000000 STREAMS s $\r\n");
    writer_.Send(gone);
    ExpectNext(one_, no_key);
    writer_.Send("DEL s\r\nXADD s 1-0 f v\r\n");
    ExpectNext(two_, Read("s", {"1-0"}));
    writer_.Received();
  }
}

}  // namespace
}  // namespace cloakroom
