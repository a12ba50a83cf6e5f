#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/server/support/key_event_log.h"
#include "tests/server/support/loop_fixture.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

constexpr char kWrongTypeReply[] =
    "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

class ZsetPopsTest : public ServerTest {
 protected:
  void SetUp() override { Run("ZADD z 1 a 2 b 3 c"); }

  KeyEventLog events_{server_.keyspace()};
};

TEST_F(ZsetPopsTest, PopsFromEitherEnd) {
  EXPECT_EQ(Run("ZPOPMIN z"), "*2\r\n$1\r\na\r\n$1\r\n1\r\n");
  EXPECT_EQ(Run("ZPOPMAX z 5"), "*4\r\n$1\r\nc\r\n$1\r\n3\r\n$1\r\nb\r\n$1\r\n2\r\n");
  EXPECT_EQ(Run("ZPOPMIN z"), "*0\r\n");
  EXPECT_EQ(events_.Take(), "zadd z; zpopmin z; zpopmax z; del z; ");
}

TEST_F(ZsetPopsTest, Resp3HasPairsOnlyWithACount) {
  Run("HELLO 3");
  EXPECT_EQ(Run("ZPOPMIN z"), "*2\r\n$1\r\na\r\n,1\r\n");
  EXPECT_EQ(Run("ZPOPMIN z 1"), "*1\r\n*2\r\n$1\r\nb\r\n,2\r\n");
}

TEST_F(ZsetPopsTest, RefusesBadCounts) {
  EXPECT_EQ(Run("ZPOPMIN z -1"), "-ERR value is out of range, must be positive\r\n");
  EXPECT_EQ(Run("ZPOPMIN z 1 2"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("ZPOPMIN z 0"), "*0\r\n");
  Run("SET s x");
  EXPECT_EQ(Run("ZPOPMIN s 0"), kWrongTypeReply);
}

TEST_F(ZsetPopsTest, PopsFromTheFirstKeyThatIsThere) {
  EXPECT_EQ(Run("ZMPOP 2 x z MIN COUNT 2"),
            "*2\r\n$1\r\nz\r\n*2\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n");
  EXPECT_EQ(Run("ZMPOP 1 x MAX"), "*-1\r\n");
  Run("SET s x");
  EXPECT_EQ(Run("ZMPOP 2 s z MIN"), kWrongTypeReply);
}

TEST_F(ZsetPopsTest, RefusesWhatZMPopDoesNotKnow) {
  EXPECT_EQ(Run("ZMPOP 0 z MIN"), "-ERR numkeys should be greater than 0\r\n");
  EXPECT_EQ(Run("ZMPOP x z MIN"), "-ERR numkeys should be greater than 0\r\n");
  EXPECT_EQ(Run("ZMPOP 1 z MIN COUNT 0"), "-ERR count should be greater than 0\r\n");
  for (const char* line : {"ZMPOP 2 z MIN", "ZMPOP 1 z FOO", "ZMPOP 1 z MIN COUNT",
                           "ZMPOP 1 z MIN COUNT 1 COUNT 2", "ZMPOP 1 z MIN FOO"}) {
    EXPECT_EQ(Run(line), "-ERR syntax error\r\n") << line;
  }
}

TEST_F(ZsetPopsTest, RefusesBadTimeLimits) {
  EXPECT_EQ(Run("BZPOPMIN z x"), "-ERR timeout is not a float or out of range\r\n");
  EXPECT_EQ(Run("BZPOPMIN z -1"), "-ERR timeout is negative\r\n");
  EXPECT_EQ(Run("BZPOPMIN z 1e400"), "-ERR timeout is out of range\r\n");
  EXPECT_EQ(Run("BZPOPMIN z 9223372036854775"), "-ERR timeout is out of range\r\n");
  EXPECT_EQ(Run("BZPOPMIN z 0"), "*3\r\n$1\r\nz\r\n$1\r\na\r\n$1\r\n1\r\n");
}

TEST_F(ZsetPopsTest, ALargePopIsRepliedFromASharedCopy) {
  std::vector<std::string> args = {"ZADD", "big"};
  for (int i = 0; i < 25'000; ++i) {
    args.push_back(std::to_string(i));
    args.push_back("m" + std::to_string(i));
  }
  Run(args);
  EXPECT_EQ(Run("ZPOPMAX big 24000").substr(0, 20), "*48000\r\n$6\r\nm24999\r\n");
  EXPECT_EQ(Run("ZCARD big"), ":1000\r\n");
  EXPECT_EQ(Run("ZPOPMIN big 1000").substr(0, 16), "*2000\r\n$2\r\nm0\r\n$");
  EXPECT_EQ(Run("EXISTS big"), ":0\r\n");
}

struct Disk {
  FaultyFiles files;
};

class ZsetWaitTest : private Disk, public LoopTest {
 protected:
  ZsetWaitTest() : LoopTest(Disk::files, {"--save", ""}) {}

  static void Expect(Peer& peer, const std::string& reply) {
    EXPECT_EQ(peer.Await(reply.size()), reply);
  }

  Peer& one_ = Connect(loop(0));
  Peer& two_ = Connect(loop(1));
  Peer& writer_ = Connect(loop(1));
};

TEST_F(ZsetWaitTest, TheWriterServesThoseWhoWaitInTheirOrder) {
  Park(one_, "BZPOPMIN k 0\r\n");
  Park(two_, "BZPOPMAX other k 0\r\n");
  writer_.Exchange("ZADD k 1 a 2 b 3 c\r\nZRANGE k 0 -1\r\n", ":3\r\n*1\r\n$1\r\nb\r\n");
  Expect(one_, "*3\r\n$1\r\nk\r\n$1\r\na\r\n$1\r\n1\r\n");
  Expect(two_, "*3\r\n$1\r\nk\r\n$1\r\nc\r\n$1\r\n3\r\n");
}

TEST_F(ZsetWaitTest, BZMPopGetsSeveralAndTheKeyGoesWithTheLast) {
  Park(one_, "BZMPOP 0 2 x k MIN COUNT 10\r\n");
  writer_.Exchange("ZADD k 1 a 2 b\r\nEXISTS k\r\n", ":2\r\n:0\r\n");
  Expect(one_, "*2\r\n$1\r\nk\r\n*2\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n");
}

TEST_F(ZsetWaitTest, AnyCommandThatMakesTheKeyServes) {
  Park(one_, "BZPOPMIN k k 0\r\n");
  writer_.Exchange("SADD k m\r\nDEL k\r\n", ":1\r\n:1\r\n");
  writer_.Exchange("ZADD src 5 m\r\nZUNIONSTORE k 1 src\r\n", ":1\r\n:1\r\n");
  Expect(one_, "*3\r\n$1\r\nk\r\n$1\r\nm\r\n$1\r\n5\r\n");
  Park(one_, "BZPOPMIN k 0\r\n");
  writer_.Exchange("ZRANGESTORE k src 0 -1\r\n", ":1\r\n");
  Expect(one_, "*3\r\n$1\r\nk\r\n$1\r\nm\r\n$1\r\n5\r\n");
}

TEST_F(ZsetWaitTest, TheWaitEndsWithItsTimeLimit) {
  one_.Exchange("BZPOPMIN k 0.001\r\n", "*-1\r\n");
  one_.Exchange("BZMPOP 0.001 1 k MIN\r\n", "*-1\r\n");
}

TEST_F(ZsetWaitTest, NobodyWaitsInATransaction) {
  one_.Exchange("MULTI\r\nBZPOPMIN k 0\r\nBZMPOP 0 1 k MAX\r\nEXEC\r\n",
                "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n*-1\r\n*-1\r\n");
}

}  // namespace
}  // namespace cloakroom
