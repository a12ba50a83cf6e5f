#include "server/net/connection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

#include "server/persistence/persistence.h"
#include "tests/server/support/loop_fixture.h"
#include "tests/storage/support/key_apart.h"

namespace cloakroom {
namespace {

/// The first base of the fixture, so that the files outlive the server.
struct Disk {
  FaultyFiles files;
};

std::string Message(std::string_view text) {
  return "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$" + std::to_string(text.size()) + "\r\n" +
         std::string(text) + "\r\n";
}

constexpr std::string_view kSubscribed = "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n";

// ---- nothing is shown before it is on the disk

/// With appendfsync always. Loop 0 serves the writer, loop 1 all others.
class DurableTest : private Disk, public LoopTest {
 protected:
  DurableTest()
      : LoopTest(Disk::files, {"--appendonly", "yes", "--appendfsync", "always", "--save", ""}),
        files_(Disk::files) {
    writer_.Exchange("MSET k before other before\r\n", "+OK\r\n");
  }
  /// Sends the writer's requests, whose changes then wait for the disk.
  void WriteAndHold(std::string_view requests) {
    files_.HoldSyncs();
    writer_.Send(requests);
    files_.AwaitHeldSync();
  }
  /// Expects that the peer has received nothing, though its bytes are ready.
  void ExpectHeld(Peer& peer, std::string_view what) {
    std::string received;
    AwaitThat(
        [&] {
          received += peer.Received();
          return !received.empty() || peer.client().output_bytes > 0 ||
                 peer.client().pushed_bytes > 0;
        },
        what);
    EXPECT_EQ(received, "") << what;
  }

  FaultyFiles& files_;
  Peer& writer_ = Connect(loop(0));
  Peer& reader_ = Connect(loop(1));
  Peer& other_ = Connect(loop(1));
};

struct Reading {
  const char* write;
  const char* read;
  const char* reply;
};

class ReaderTest : public DurableTest, public testing::WithParamInterface<Reading> {};

TEST_P(ReaderTest, HearsOfAChangeWhenItIsOnTheDisk) {
  WriteAndHold(GetParam().write);
  reader_.Send(GetParam().read);
  ExpectHeld(reader_, GetParam().read);
  other_.Exchange("PING\r\n", "+PONG\r\n");
  EXPECT_EQ(reader_.Received(), "") << GetParam().read;
  files_.ReleaseSyncs();
  const std::string reply = GetParam().reply;
  EXPECT_EQ(reader_.Await(reply.size()), reply) << GetParam().read;
}

INSTANTIATE_TEST_SUITE_P(
    All, ReaderTest,
    testing::Values(
        Reading{"SET k v\r\n", "GET k\r\n", "$1\r\nv\r\n"},
        Reading{"SET k v\r\n", "MGET none k\r\n", "*2\r\n$-1\r\n$1\r\nv\r\n"},
        Reading{"DEL k\r\n", "EXISTS k\r\n", ":0\r\n"},
        Reading{"DEL k\r\n", "SETNX k next\r\n", ":1\r\n"},
        Reading{"DEL k\r\n", "HGETALL k\r\n", "*0\r\n"},
        Reading{"DEL k other\r\n", "SCAN 0 COUNT 1000\r\n", "*2\r\n$1\r\n0\r\n*0\r\n"},
        Reading{"DEL k other\r\n", "KEYS *\r\n", "*0\r\n"},
        Reading{"DEL k\r\n", "DBSIZE\r\n", ":1\r\n"},
        Reading{"DEL k other\r\n", "RANDOMKEY\r\n", "$-1\r\n"},
        Reading{"SET k v\r\n", "EVAL \"return redis.call('get','k')\" 0\r\n", "$1\r\nv\r\n"},
        Reading{"SET k v\r\n", "MULTI\r\nGET k\r\nEXEC\r\n", "+OK\r\n+QUEUED\r\n*1\r\n$1\r\nv\r\n"},
        Reading{"MULTI\r\nSELECT 1\r\nSET k v\r\nEXEC\r\n",
                "MULTI\r\nSELECT 1\r\nGET k\r\nEXEC\r\n",
                "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n$1\r\nv\r\n"},
        Reading{"EVAL \"redis.call('set','k','v')\" 0\r\n", "GET k\r\n", "$1\r\nv\r\n"},
        Reading{"FLUSHDB\r\n", "EXISTS k other\r\n", ":0\r\n"},
        Reading{"FLUSHALL\r\n", "DBSIZE\r\n", ":0\r\n"},
        Reading{"SWAPDB 0 1\r\n", "GET k\r\n", "$-1\r\n"},
        Reading{"SCRIPT LOAD \"return 1\"\r\n",
                "SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db\r\n", "*1\r\n:1\r\n"}));

TEST_F(DurableTest, WhoReadsWhatIsDurableWaitsForNobody) {
  const std::string apart = KeyApartFrom({"k", "other"});
  writer_.Exchange("SET " + apart + " v\r\n", "+OK\r\n");
  WriteAndHold("SET k v\r\n");
  reader_.Exchange("GET " + apart + "\r\n", "$1\r\nv\r\n");
  reader_.Exchange("GET " + KeyApartFrom({"k", "other", apart}) + "\r\n", "$-1\r\n");
  EXPECT_EQ(writer_.Received(), "");
}

TEST_F(DurableTest, TheReplyOfATransactionThatAChangeForbadeWaitsForThatChange) {
  reader_.Exchange("WATCH k\r\n", "+OK\r\n");
  WriteAndHold("SET k v\r\n");
  reader_.Send("MULTI\r\nPING\r\nEXEC\r\n");
  ExpectHeld(reader_, "EXEC");
  files_.ReleaseSyncs();
  EXPECT_EQ(reader_.Await(19), "+OK\r\n+QUEUED\r\n*-1\r\n");
}

TEST_F(DurableTest, WhatHasExpiredIsGoneWhateverTheDiskDoes) {
  writer_.Exchange("SET k v PX 10\r\n", "+OK\r\n");
  Advance(20);
  WriteAndHold("SET " + KeyApartFrom({"k"}) + " v\r\n");
  reader_.Exchange("GET k\r\n", "$-1\r\n");
  other_.Exchange("GET k\r\n", "$-1\r\n");
}

TEST_F(DurableTest, ChangesThatNeedNoDiskHoldNobody) {
  files_.HoldSyncs();
  reader_.Exchange("CONFIG SET appendfsync everysec\r\n", "+OK\r\n");
  writer_.Exchange("SET k v\r\n", "+OK\r\n");
  reader_.Exchange("GET k\r\n", "$1\r\nv\r\n");
}

TEST_F(DurableTest, ALaxerPolicyFreesWhoWaits) {
  WriteAndHold("SET k v\r\n");
  reader_.Send("GET k\r\n");
  ExpectHeld(reader_, "GET");
  other_.Exchange("CONFIG SET appendfsync everysec\r\n", "+OK\r\n");
  files_.ReleaseSyncs();
  EXPECT_EQ(reader_.Await(7), "$1\r\nv\r\n");
}

TEST_F(DurableTest, ReadersWaitUntilAFullDiskTakesTheChangeAndInfoDoesNot) {
  WriteAndHold("SET k v\r\n");
  reader_.Send("GET k\r\n");
  ExpectHeld(reader_, "GET");
  files_.FailFrom(1, FaultyFiles::Call::kSync);
  files_.ReleaseSyncs();
  AwaitThat([&] { return !server_.persistence().journal().healthy(); }, "it fails");
  other_.Send("INFO persistence\r\n");
  EXPECT_NE(other_.Await(100).find("aof_last_write_status:err"), std::string::npos);
  EXPECT_EQ(reader_.Received(), "");
  files_.Heal();
  EXPECT_EQ(reader_.Await(7), "$1\r\nv\r\n");
  EXPECT_EQ(writer_.Await(5), "+OK\r\n");
}

class PublisherTest : public DurableTest, public testing::WithParamInterface<const char*> {};

TEST_P(PublisherTest, IsHeardWhenWhatItKnewIsOnTheDisk) {
  for (size_t where : {0U, 1U}) {
    Peer& subscriber = Connect(loop(where));
    subscriber.Exchange("SUBSCRIBE c\r\n", kSubscribed);
    const std::string name = "k" + std::to_string(where);
    WriteAndHold("SET " + name + " v\r\nPING\r\n");
    Peer& publisher = Connect(loop(0));
    publisher.Send("SELECT 0\r\nGET " + name + "\r\n");
    ExpectHeld(publisher, "GET");
    (GetParam()[0] == 'w' ? writer_ : publisher).Send(GetParam() + 1);
    ExpectHeld(subscriber, GetParam());
    other_.Exchange("PING\r\n", "+PONG\r\n");
    EXPECT_EQ(subscriber.Received(), "") << GetParam();
    files_.ReleaseSyncs();
    EXPECT_EQ(subscriber.Await(Message("m").size()), Message("m"));
    writer_.Await(12);
  }
}

/// The first letter says which client: the one that wrote, or one that read.
INSTANTIATE_TEST_SUITE_P(
    All, PublisherTest,
    testing::Values("wPUBLISH c m\r\n", "rPUBLISH c m\r\n",
                    "wEVAL \"redis.call('set','x',1) redis.call('publish','c','m')\" 0\r\n",
                    "rEVAL \"redis.call('get','k') redis.call('publish','c','m')\" 0\r\n",
                    "wMULTI\r\nSET x 1\r\nPUBLISH c m\r\nEXEC\r\n"));

TEST_F(DurableTest, AMessageWaitsForWhatIsWrittenInTheSameRequests) {
  reader_.Exchange("SUBSCRIBE c\r\n", kSubscribed);
  WriteAndHold("PUBLISH c m\r\nSET k v\r\nPUBLISH c n\r\n");
  ExpectHeld(reader_, "PUBLISH");
  files_.ReleaseSyncs();
  EXPECT_EQ(reader_.Await(2 * Message("m").size()), Message("m") + Message("n"));
}

TEST_F(DurableTest, AClientThatPublishesToItselfHearsTheMessageBeforeTheReply) {
  writer_.Send("HELLO 3\r\nSUBSCRIBE c\r\nECHO here\r\n");
  std::string text;
  AwaitThat(
      [&] {
        text += writer_.Received();
        return text.ends_with("$4\r\nhere\r\n");
      },
      "ECHO");
  WriteAndHold("SET k v\r\nPUBLISH c m\r\n");
  ExpectHeld(writer_, "PUBLISH");
  files_.ReleaseSyncs();
  const std::string push = ">" + Message("m").substr(1);
  EXPECT_EQ(writer_.Await(5 + push.size() + 4), "+OK\r\n" + push + ":1\r\n");
}

TEST_F(DurableTest, AMonitorIsToldWhenTheChangeIsOnTheDisk) {
  reader_.Exchange("MONITOR\r\n", "+OK\r\n");
  WriteAndHold("SET k v\r\n");
  ExpectHeld(reader_, "MONITOR");
  files_.ReleaseSyncs();
  EXPECT_NE(reader_.Await(10).find("\"SET\" \"k\" \"v\""), std::string::npos);
}

// ---- pushes from one loop to another

constexpr size_t kHard = 1 << 20;

class PushTest : private Disk, public LoopTest {
 protected:
  PushTest()
      : LoopTest(Disk::files, {"--save", "", "--client-output-buffer-limit", "pubsub 1mb 0 0"}) {
    for (Peer* peer : {&slow_, &quick_}) peer->Exchange("SUBSCRIBE c\r\n", kSubscribed);
  }
  int64_t Disconnections() { return server_.thread(1).stats.output_limit_disconnections; }

  Peer& slow_ = Connect(loop(1));
  Peer& quick_ = Connect(loop(0));
  Peer& publisher_ = Connect(loop(0));
};

TEST_F(PushTest, ASubscriberOfABusyLoopIsDroppedAtTheLimitAndOthersGetAll) {
  const std::string text(64 * 1024, 'x');
  const std::string request = "*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$65536\r\n" + text + "\r\n";
  Occupy(loop(1));
  constexpr int kMessages = 128;
  int64_t most = 0;
  size_t dropped_at = 0;
  for (size_t i = 0; i < kMessages; ++i) {
    publisher_.Send(request);
    const std::string reply = publisher_.Await(4);
    if (reply == ":1\r\n" && dropped_at == 0) dropped_at = i;
    EXPECT_EQ(quick_.Await(Message(text).size()), Message(text));
    most = std::max<int64_t>(most, slow_.client().pushed_bytes);
  }
  EXPECT_LT(most, static_cast<int64_t>(kHard + request.size()));
  EXPECT_GE(dropped_at, 15U) << "it may have as much as the limit says";
  EXPECT_LE(dropped_at, 17U);
  EXPECT_EQ(slow_.client().pushed_bytes, 0) << "what it was to get is given up at once";
  Free();
  slow_.Await(SIZE_MAX);
  EXPECT_TRUE(slow_.closed());
  EXPECT_EQ(Disconnections(), 1);
}

TEST_F(PushTest, WhatIsOnItsWayCountsAsTheClientsOutput) {
  Occupy(loop(1));
  publisher_.Exchange("PUBLISH c " + std::string(1000, 'x') + "\r\n", ":2\r\n");
  EXPECT_GE(slow_.client().pushed_bytes, 1000);
  const std::string line = Run({"CLIENT", "LIST", "ID", std::to_string(slow_.client().id)});
  EXPECT_NE(line.find(" omem=" + std::to_string(slow_.client().pushed_bytes + 0)),
            std::string::npos)
      << line;
  Free();
  EXPECT_EQ(slow_.Await(1).substr(0, 12), Message("").substr(0, 12));
  AwaitThat([&] { return slow_.client().pushed_bytes == 0; }, "all is handed on");
}

TEST_F(PushTest, TheSoftLimitCountsWhatIsOnItsWay) {
  publisher_.Exchange("CONFIG SET client-output-buffer-limit \"pubsub 0 1kb 10\"\r\n", "+OK\r\n");
  Occupy(loop(1));
  const std::string request = "PUBLISH c " + std::string(2000, 'x') + "\r\n";
  publisher_.Exchange(request, ":2\r\n");
  Advance(10'000);
  publisher_.Exchange(request, ":2\r\n");
  EXPECT_FALSE(slow_.client().killed);
  Advance(1);
  publisher_.Exchange(request, ":2\r\n");
  EXPECT_TRUE(slow_.client().killed);
  publisher_.Exchange(request, ":1\r\n");
}

TEST_F(PushTest, MessagesKeepTheirOrderAcrossLoops) {
  Peer& near = Connect(loop(1));
  Occupy(loop(1));
  near.Send("PUBLISH c near\r\n");
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    publisher_.Exchange("PUBLISH c " + std::to_string(i) + "\r\n", ":2\r\n");
    expected += Message(std::to_string(i));
  }
  Free();
  // A message from the slow client's own loop does not overtake earlier messages.
  near.Await(4);
  const std::string all = slow_.Await(expected.size() + Message("near").size());
  EXPECT_EQ(all, expected + Message("near"));
}

TEST_F(PushTest, WhatIsUnsubscribedMeanwhileIsNotHeard) {
  Occupy(loop(1));
  slow_.Send("UNSUBSCRIBE c\r\nPING\r\n");
  publisher_.Exchange("PUBLISH c m\r\n", ":2\r\n");
  Free();
  const std::string end = "+PONG\r\n";
  std::string text;
  AwaitThat(
      [&] {
        text += slow_.Received();
        return text.ends_with(end);
      },
      "PONG");
  EXPECT_EQ(text.find(Message("m"), text.find("unsubscribe")), std::string::npos);
}

TEST_F(PushTest, AMonitorOfABusyLoopIsDroppedAtItsLimit) {
  publisher_.Exchange("CONFIG SET client-output-buffer-limit \"normal 1kb 0 0\"\r\n", "+OK\r\n");
  Peer& monitor = Connect(loop(1));
  monitor.Exchange("MONITOR\r\n", "+OK\r\n");
  Occupy(loop(1));
  for (int i = 0; i < 100; ++i) publisher_.Exchange("ECHO 0123456789\r\n", "$10\r\n0123456789\r\n");
  EXPECT_TRUE(monitor.client().killed);
  EXPECT_EQ(monitor.client().pushed_bytes, 0);
  Free();
  monitor.Await(SIZE_MAX);
  EXPECT_TRUE(monitor.closed());
}

TEST_F(PushTest, PushesToOneWhoExecutesAreBounded) {
  // Its replies wait for the script's end, and so do the script's messages.
  publisher_.Send("HELLO 3\r\nSUBSCRIBE c\r\n");
  AwaitThat([&] { return publisher_.client().subscription_count > 0; }, "subscribed");
  publisher_.Send(
      "EVAL \"for i = 1, 100 do redis.call('publish', 'c', string.rep('x', 65536)) end\" 0\r\n");
  publisher_.Await(SIZE_MAX);
  EXPECT_TRUE(publisher_.closed());
  AwaitThat([&] { return server_.thread(0).stats.output_limit_disconnections == 2; },
            "the other one of that loop does not read either");
}

TEST_F(PushTest, ThePushesOfARoundLeaveTogetherAndWakeTheirLoopOnce) {
  constexpr int kMessages = 100;
  std::string requests;
  std::string messages;
  std::string replies;
  for (int i = 0; i < kMessages; ++i) {
    requests += "*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$1\r\nm\r\n";
    messages += Message("m");
    replies += ":2\r\n";
  }
  const int64_t here = server_.thread(0).stats.writes;
  const int64_t there = server_.thread(1).stats.writes;
  publisher_.Exchange(requests, replies);
  EXPECT_EQ(quick_.Await(messages.size()), messages);
  EXPECT_EQ(slow_.Await(messages.size()), messages);
  AwaitThat([&] { return server_.thread(1).stats.writes > there; }, "the write is counted");
  EXPECT_EQ(server_.thread(0).stats.writes - here, 2) << "the replies, and the near subscriber";
  EXPECT_EQ(server_.thread(1).stats.writes - there, 1);
}

TEST_F(PushTest, WhatAFlushTellsItsOwnClientComesBehindTheReply) {
  Peer& reader = Connect(loop(1));
  reader.Send("HELLO 3\r\nCLIENT TRACKING ON\r\n");
  AwaitThat([&] { return reader.client().tracking.on + 0; }, "it tracks");
  reader.Await(1);
  const std::string told = ">2\r\n$10\r\ninvalidate\r\n_\r\n";
  for (const char* request : {"FLUSHALL\r\n", "FLUSHALL ASYNC\r\n", "FLUSHDB\r\n"}) {
    reader.Exchange(request, "+OK\r\n" + told);
  }
}

}  // namespace
}  // namespace cloakroom
