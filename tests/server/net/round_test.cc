#include "server/net/round.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "server/script/running_scripts.h"
#include "tests/server/support/loop_fixture.h"

namespace cloakroom {
namespace {

/// The first base of the fixture, so that the files outlive the server.
struct Disk {
  FaultyFiles files;
};

constexpr std::string_view kIncrN = "*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n";

/// Requests that are sent while the loop is occupied belong to one round.
class RoundTest : private Disk, public LoopTest {
 protected:
  RoundTest() : LoopTest(Disk::files, {"--save", ""}) {}

  std::vector<Peer*> ConnectMany(int count) {
    std::vector<Peer*> peers;
    for (int i = 0; i < count; ++i) peers.push_back(&Connect(loop(0)));
    for (Peer* peer : peers) peer->Exchange("PING\r\n", "+PONG\r\n");
    return peers;
  }
};

TEST_F(RoundTest, AllWhoAreReadyAreServedInTheOrderInWhichTheyCame) {
  const std::vector<Peer*> peers = ConnectMany(50);
  Occupy(loop(0));
  for (Peer* peer : peers) peer->Send(kIncrN);
  Free();
  for (size_t i = 0; i < peers.size(); ++i) {
    const std::string reply = ":" + std::to_string(i + 1) + "\r\n";
    EXPECT_EQ(peers[i]->Await(reply.size()), reply);
  }
}

TEST_F(RoundTest, PipelinesOfManyClientsAreServedWhole) {
  constexpr int kRequests = 100;
  const std::vector<Peer*> peers = ConnectMany(5);
  Occupy(loop(0));
  for (int i = 0; i < kRequests; ++i) {
    for (Peer* peer : peers) peer->Send(kIncrN);
  }
  Free();
  for (size_t i = 0; i < peers.size(); ++i) {
    std::string expected;
    for (int n = 1; n <= kRequests; ++n) {
      expected += ":" + std::to_string(static_cast<int>(i) * kRequests + n) + "\r\n";
    }
    EXPECT_EQ(peers[i]->Await(expected.size()), expected);
  }
}

TEST_F(RoundTest, MoreThanTheBufferHoldsIsServedAsWell) {
  const std::vector<Peer*> peers = ConnectMany(20);
  const std::string value(50'000, 'x');
  const std::string request = "*3\r\n$6\r\nAPPEND\r\n$1\r\nk\r\n$50000\r\n" + value + "\r\n";
  Occupy(loop(0));
  for (Peer* peer : peers) peer->Send(request);
  Free();
  for (size_t i = 0; i < peers.size(); ++i) {
    const std::string reply = ":" + std::to_string(50'000 * (i + 1)) + "\r\n";
    EXPECT_EQ(peers[i]->Await(reply.size()), reply);
  }
}

TEST_F(RoundTest, ARequestLargerThanOneReadIsReadToItsEnd) {
  Peer& peer = Connect(loop(0));
  const std::string value(1'000'000, 'x');
  peer.Send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\n" + value + "\r\n");
  EXPECT_EQ(peer.Await(5), "+OK\r\n");
  peer.Exchange("STRLEN k\r\n", ":1000000\r\n");
}

TEST_F(RoundTest, ManyMoreClientsThanAPollTellsAreAllServed) {
  const std::vector<Peer*> peers = ConnectMany(300);
  Occupy(loop(0));
  for (Peer* peer : peers) peer->Send("PING\r\n");
  Free();
  for (Peer* peer : peers) EXPECT_EQ(peer->Await(7), "+PONG\r\n");
}

TEST_F(RoundTest, WhatComesWhileAClientWaitsForWorkIsReadAfterwards) {
  Peer& peer = Connect(loop(0));
  Occupy(loop(0));
  peer.Send("MEMORY PURGE\r\n");
  Free();
  peer.Send("PING\r\n");
  peer.Send("PING\r\n");
  EXPECT_EQ(peer.Await(19), "+OK\r\n+PONG\r\n+PONG\r\n");
}

TEST_F(RoundTest, AScriptThatTakesLongHasTheRestOfItsRoundServed) {
  ASSERT_EQ(Run("CONFIG SET busy-reply-threshold 1"), "+OK\r\n");
  const std::vector<Peer*> peers = ConnectMany(40);
  Peer& script = *peers[0];
  clock_.step_us = 1000;
  Occupy(loop(0));
  script.Send("*3\r\n$4\r\nEVAL\r\n$17\r\nwhile true do end\r\n$1\r\n0\r\n");
  for (size_t i = 1; i + 1 < peers.size(); ++i) {
    // One request that is parsed ahead and parsed again, and one that is incomplete.
    peers[i]->Send("*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$2\r\n");
  }
  peers.back()->Send("SCRIPT KILL\r\n");
  Free();
  EXPECT_EQ(peers.back()->Await(5), "+OK\r\n");
  EXPECT_EQ(script.Await(1)[0], '-');
  for (size_t i = 1; i + 1 < peers.size(); ++i) {
    EXPECT_EQ(peers[i]->Await(7), "+PONG\r\n");
    peers[i]->Send("ab\r\n");
    EXPECT_EQ(peers[i]->Await(8), "$2\r\nab\r\n");
  }
  script.Exchange("PING\r\n", "+PONG\r\n");
}

TEST_F(RoundTest, WhatAClientSendsWhileItsScriptHasOthersServedComesAfterTheScript) {
  ASSERT_EQ(Run("CONFIG SET busy-reply-threshold 1"), "+OK\r\n");
  Peer& script = Connect(loop(0));
  Peer& other = Connect(loop(0));
  other.Exchange("PING\r\n", "+PONG\r\n");
  clock_.step_us = 1000;
  script.Send("EVAL \"while true do end\" 0\r\n");
  const auto is_busy = [&] { return server_.running_scripts().AnyBusy(); };
  AwaitThat(is_busy, "the script is busy");
  script.Send("PING\r\n");
  other.Exchange("PING\r\n", "+PONG\r\n");
  EXPECT_EQ(script.Received(), "");
  other.Exchange("SCRIPT KILL\r\n", "+OK\r\n");
  std::string replies;
  AwaitThat([&] { return (replies += script.Received()).ends_with("+PONG\r\n"); }, "PONG");
  EXPECT_EQ(replies[0], '-');
}

}  // namespace
}  // namespace cloakroom
