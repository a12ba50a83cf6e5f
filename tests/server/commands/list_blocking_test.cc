#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/session/blocked_request.h"
#include "tests/server/support/loop_fixture.h"
#include "tests/server/support/replies.h"

namespace cloakroom {
namespace {

/// The first base of the fixture, so that the files outlive the server.
struct Disk {
  FaultyFiles files;
};

class ListBlockingTest : private Disk, public LoopTest {
 protected:
  explicit ListBlockingTest(const std::vector<std::string>& options = {"--save", ""})
      : LoopTest(Disk::files, options), files_(Disk::files) {}

  static std::string Pair(std::string_view key, std::string_view element) {
    return "*2\r\n" + Bulk(key) + Bulk(element);
  }
  void Expect(Peer& peer, const std::string& reply) { EXPECT_EQ(peer.Await(reply.size()), reply); }

  FaultyFiles& files_;
  Peer& one_ = Connect(loop(0));
  Peer& two_ = Connect(loop(1));
  Peer& three_ = Connect(loop(0));
  Peer& writer_ = Connect(loop(1));
};

TEST_F(ListBlockingTest, WhatIsThereIsTakenAtOnce) {
  writer_.Exchange("RPUSH l a b c\r\n", ":3\r\n");
  one_.Exchange("BLPOP absent l 0\r\n", Pair("l", "a"));
  one_.Exchange("BRPOP l absent 0\r\n", Pair("l", "c"));
  one_.Exchange("BLMPOP 0 2 absent l LEFT COUNT 5\r\n",
                "*2\r\n" + Bulk("l") + "*1\r\n" + Bulk("b"));
}

TEST_F(ListBlockingTest, WhoCameFirstIsServedFirst) {
  Park(one_, "BLPOP l 0\r\n");
  Park(two_, "BRPOP other l 0\r\n");
  Park(three_, "BLMPOP 0 1 l LEFT COUNT 2\r\n");
  writer_.Exchange("RPUSH l a b c d e f\r\nLRANGE l 0 -1\r\n",
                   ":6\r\n*2\r\n" + Bulk("d") + Bulk("e"));
  Expect(one_, Pair("l", "a"));
  Expect(two_, Pair("l", "f"));
  Expect(three_, "*2\r\n" + Bulk("l") + "*2\r\n" + Bulk("b") + Bulk("c"));
}

TEST_F(ListBlockingTest, AMoveServesThoseWhoWaitForItsDestination) {
  Park(one_, "BLMOVE a b LEFT RIGHT 0\r\n");
  Park(two_, "BRPOPLPUSH b c 0\r\n");
  Park(three_, "BLPOP c 0\r\n");
  writer_.Exchange("RPUSH a x\r\nEXISTS a b c\r\n", ":1\r\n:0\r\n");
  Expect(one_, Bulk("x"));
  Expect(two_, Bulk("x"));
  Expect(three_, Pair("c", "x"));
}

TEST_F(ListBlockingTest, ARingOfMovesEndsWhenEachHasMoved) {
  Park(one_, "BLMOVE a b LEFT RIGHT 0\r\n");
  Park(two_, "BLMOVE b a LEFT RIGHT 0\r\n");
  writer_.Exchange("RPUSH a x\r\nLRANGE a 0 -1\r\n", ":1\r\n*1\r\n" + Bulk("x"));
  Expect(one_, Bulk("x"));
  Expect(two_, Bulk("x"));
}

TEST_F(ListBlockingTest, ADestinationOfAnotherTypeIsAnErrorAndTheElementStays) {
  Park(one_, "BLMOVE l s LEFT RIGHT 0\r\n");
  Park(two_, "BLPOP l 0\r\n");
  writer_.Exchange("SET s v\r\nRPUSH l a\r\n", "+OK\r\n:1\r\n");
  Expect(one_, "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
  Expect(two_, Pair("l", "a"));
}

TEST_F(ListBlockingTest, AnotherTypeLetsThemWait) {
  Park(one_, "BLPOP l 0\r\n");
  Park(two_, "BLMOVE l k LEFT LEFT 0\r\n");
  writer_.Exchange("SET l v\r\nDEL l\r\nRPUSH l a b\r\n", "+OK\r\n:1\r\n:2\r\n");
  Expect(one_, Pair("l", "a"));
  Expect(two_, Bulk("b"));
}

TEST_F(ListBlockingTest, ATransactionServesAtItsEnd) {
  Park(one_, "BLPOP l 0\r\n");
  writer_.Exchange("MULTI\r\nRPUSH l a\r\nLPUSH l b\r\nLLEN l\r\nEXEC\r\n",
                   "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n:1\r\n:2\r\n:2\r\n");
  Expect(one_, Pair("l", "b"));
}

TEST_F(ListBlockingTest, AnythingThatBringsAListServes) {
  for (const char* bring : {"RENAME from l\r\n", "COPY from l\r\n", "LMOVE from l LEFT LEFT\r\n",
                            "EVAL \"return redis.call('RPUSH', 'l', 'x')\" 0\r\n"}) {
    writer_.Send("DEL from\r\nRPUSH from x\r\n");
    Park(one_, "BLPOP l 0\r\n");
    writer_.Send(bring);
    Expect(one_, Pair("l", "x"));
  }
}

TEST_F(ListBlockingTest, ATimeoutEndsTheWait) {
  one_.Exchange("BLPOP l 0.001\r\n", "*-1\r\n");
  one_.Exchange("BLMOVE l k LEFT LEFT 0.001\r\n", "*-1\r\n");
  one_.Exchange("BLMPOP 0.001 1 l LEFT\r\n", "*-1\r\n");
  one_.Exchange("BLPOP l x\r\n", "-ERR timeout is not a float or out of range\r\n");
  one_.Exchange("BLPOP l -0.5\r\n", "-ERR timeout is negative\r\n");
  one_.Exchange("BLPOP l 1e300\r\n", "-ERR timeout is out of range\r\n");
}

TEST_F(ListBlockingTest, NobodyWaitsInATransaction) {
  one_.Exchange("MULTI\r\nBLPOP l 0\r\nBLMOVE l k LEFT LEFT 0\r\nBLMPOP 0 1 l LEFT\r\nEXEC\r\n",
                "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n*-1\r\n$-1\r\n*-1\r\n");
}

TEST_F(ListBlockingTest, TheSameKeyTwiceIsServedOnce) {
  Park(one_, "BLPOP l l 0\r\n");
  writer_.Exchange("RPUSH l a b\r\nLLEN l\r\n", ":2\r\n:1\r\n");
  Expect(one_, Pair("l", "a"));
}

TEST_F(ListBlockingTest, TheDestinationOfOneWhoLeftIsHeldNoMore) {
  Park(one_, "BLMOVE a b LEFT RIGHT 0\r\n");
  const std::string id = std::to_string(one_.client().id);
  writer_.Exchange("CLIENT UNBLOCK " + id + " ERROR\r\n", ":1\r\n");
  Expect(one_, "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
  AwaitThat(
      [&] {
        Stripe& stripe = server_.keyspace().db(0).StripeOf(KeyHash::Of("a"));
        MutexLock lock(stripe.mutex);
        return !stripe.interests.needs_others();
      },
      "the queue is left");
  writer_.Exchange("RPUSH a x\r\nLLEN a\r\n", ":1\r\n:1\r\n");
}

}  // namespace
}  // namespace cloakroom
