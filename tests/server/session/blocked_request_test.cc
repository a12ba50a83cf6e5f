#include "server/session/blocked_request.h"

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "server/execution/call.h"
#include "server/execution/command.h"
#include "server/info/totals.h"
#include "server/persistence/persistence.h"
#include "tests/server/support/loop_fixture.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

/// Takes a string, deletes its key, and replies both.
Waiter::Verdict TakeFrom(const ReadyKey& ready) {
  WriteScope scope(ready.hold, ready.db, ready.key, ready.hash, ready.now_ms);
  if (!scope.exists()) return Waiter::Verdict::kNotReady;
  if (scope.type() != ValueType::kString) return Waiter::Verdict::kNotForMe;
  if (!ready.Take()) return Waiter::Verdict::kNotForMe;
  ready.reply.Array(2);
  ready.reply.Bulk(ready.key);
  ready.reply.Bulk(StringView(scope.encoding(), scope.entry()->payload()).bytes());
  scope.Delete();
  scope.Changed("del");
  return Waiter::Verdict::kServed;
}

/// AWAIT key [key ...] limit-ms: takes the first of the keys that is a string, or the first that
/// becomes one, as BLPOP does for lists.
void Await(Call& call) {
  BlockOn on;
  const std::optional<int64_t> limit_ms = call.Integer(call.argc() - 1);
  if (!limit_ms) return;
  for (size_t i = 1; i + 1 < call.argc(); ++i) {
    on.keys.emplace_back(call.arg(i));
    const Entry* entry = call.Find(call.arg(i));
    if (entry == nullptr || entry->type() != ValueType::kString) continue;
    call.reply().Array(2);
    call.reply().Bulk(call.arg(i));
    call.reply().Bulk(StringView(entry->encoding(), entry->payload()).bytes());
    WriteScope scope = call.Open(call.arg(i));
    scope.Delete();
    return scope.Changed("del");
  }
  if (!call.may_block()) return call.reply().NullArray();
  on.time_limit_ms = *limit_ms;
  on.serve = TakeFrom;
  on.time_out = [](ReplyWriter& reply) { reply.NullArray(); };
  call.Block(std::move(on));
}

constexpr CommandRow kRows[] = {{.name = "await",
                                 .run = Await,
                                 .arity = -3,
                                 .flags = kWrite | kBlocking,
                                 .keys = {KeyRange(1, -2, 1, kRW | kDelete)}}};

std::span<const CommandFamily> WithAwait() {
  static const std::vector<CommandFamily> families = [] {
    const auto all = CommandFamilies();
    std::vector<CommandFamily> some(all.begin(), all.end());
    some.push_back({.group = CommandGroup::kString, .rows = kRows});
    return some;
  }();
  return families;
}

/// The first base of the fixture, so that the files outlive the server.
struct Disk {
  FaultyFiles files;
};

class BlockedTest : private Disk, public LoopTest {
 protected:
  explicit BlockedTest(const std::vector<std::string>& options = {"--save", ""})
      : LoopTest(Disk::files, options, WithAwait()), files_(Disk::files) {}

  static std::shared_ptr<BlockedRequest> BlockedOf(Peer& peer) {
    MutexLock lock(peer.client().mutex);
    return peer.client().blocked_request;
  }
  int64_t blocked_clients() {
    return server_.thread(0).blocked_clients + server_.thread(1).blocked_clients;
  }
  void ExpectNobodyWaits() {
    AwaitThat([&] { return blocked_clients() == 0; }, "somebody is parked");
    AwaitThat([&] { return TablesAreEmpty(); }, "somebody stands in a queue");
  }
  static std::string Taken(std::string_view key, std::string_view value) {
    return "*2\r\n$" + std::to_string(key.size()) + "\r\n" + std::string(key) + "\r\n$" +
           std::to_string(value.size()) + "\r\n" + std::string(value) + "\r\n";
  }
  void ExpectTaken(Peer& peer, std::string_view key, std::string_view value) {
    const std::string reply = Taken(key, value);
    EXPECT_EQ(peer.Await(reply.size()), reply);
  }

  FaultyFiles& files_;
  Peer& one_ = Connect(loop(0));
  Peer& two_ = Connect(loop(1));
  Peer& three_ = Connect(loop(0));
  Peer& writer_ = Connect(loop(1));

 private:
  bool TablesAreEmpty() {
    for (Database* db : server_.keyspace().databases()) {
      for (uint32_t i = 0; i < Database::kStripes; ++i) {
        MutexLock lock(db->stripe(i).mutex);
        if (!db->stripe(i).interests.empty()) return false;
      }
    }
    return true;
  }
};

TEST_F(BlockedTest, WhatIsThereIsTakenAtOnce) {
  writer_.Exchange("SET b v\r\n", "+OK\r\n");
  one_.Exchange("AWAIT a b 0\r\n", Taken("b", "v"));
  writer_.Exchange("EXISTS b\r\n", ":0\r\n");
  ExpectNobodyWaits();
}

TEST_F(BlockedTest, WhoCameFirstIsServedFirstAndNobodyGetsBetween) {
  Park(one_, "AWAIT k 0\r\n");
  Park(two_, "AWAIT other k 0\r\n");
  Park(three_, "AWAIT k 0\r\n");
  // The writer itself comes too late, even with its very next request.
  writer_.Exchange("SET k 1\r\nGET k\r\nSET k 2\r\nSET k 3\r\nSET k 4\r\n",
                   "+OK\r\n$-1\r\n+OK\r\n+OK\r\n+OK\r\n");
  ExpectTaken(one_, "k", "1");
  ExpectTaken(two_, "k", "2");
  ExpectTaken(three_, "k", "3");
  writer_.Exchange("GET k\r\n", "$1\r\n4\r\n");
  ExpectNobodyWaits();
}

TEST_F(BlockedTest, TheNextRequestsOfOneWhoWaitsComeAfterIt) {
  Park(one_, "AWAIT k 0\r\nPING\r\nECHO hi\r\n");
  writer_.Exchange("SET k v\r\n", "+OK\r\n");
  const std::string reply = Taken("k", "v") + "+PONG\r\n$2\r\nhi\r\n";
  EXPECT_EQ(one_.Await(reply.size()), reply);
}

TEST_F(BlockedTest, ATransactionAndAScriptServeAtTheirEnd) {
  Park(one_, "AWAIT k 0\r\n");
  writer_.Exchange("MULTI\r\nSET k 1\r\nSET k 2\r\nGET k\r\nEXEC\r\n",
                   "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+OK\r\n+OK\r\n$1\r\n2\r\n");
  ExpectTaken(one_, "k", "2");
  Park(one_, "AWAIT k 0\r\n");
  writer_.Exchange("EVAL \"redis.call('SET', 'k', 'a') return redis.call('GET', 'k')\" 0\r\n",
                   "$1\r\na\r\n");
  ExpectTaken(one_, "k", "a");
  ExpectNobodyWaits();
}

TEST_F(BlockedTest, InsideATransactionNobodyWaits) {
  one_.Exchange("MULTI\r\nAWAIT k 0\r\nEXEC\r\n", "+OK\r\n+QUEUED\r\n*1\r\n*-1\r\n");
  ExpectNobodyWaits();
}

TEST_F(BlockedTest, AnotherTypeServesNobodyAndARenameDoes) {
  Park(one_, "AWAIT k 0\r\n");
  writer_.Exchange("SADD k m\r\nDEL k\r\nSET from v\r\nRENAME from k\r\n",
                   ":1\r\n:1\r\n+OK\r\n+OK\r\n");
  ExpectTaken(one_, "k", "v");
  writer_.Exchange("EXISTS k\r\n", ":0\r\n");
}

TEST_F(BlockedTest, ASwapOrAMoveMayBringTheKey) {
  Park(one_, "AWAIT k 0\r\n");
  writer_.Exchange("SELECT 1\r\nSET k 1\r\nSWAPDB 0 1\r\n", "+OK\r\n+OK\r\n+OK\r\n");
  ExpectTaken(one_, "k", "1");
  Park(one_, "AWAIT k 0\r\n");
  writer_.Exchange("SET k 2\r\nMOVE k 0\r\n", "+OK\r\n:1\r\n");
  ExpectTaken(one_, "k", "2");
}

TEST_F(BlockedTest, AFlushServesNobodyAndLosesNobody) {
  Park(one_, "AWAIT k 0\r\n");
  writer_.Exchange("FLUSHALL\r\nSET k v\r\n", "+OK\r\n+OK\r\n");
  ExpectTaken(one_, "k", "v");
}

TEST_F(BlockedTest, ATimeLimitEndsTheWait) {
  one_.Exchange("AWAIT k l 1\r\n", "*-1\r\n");
  ExpectNobodyWaits();
  writer_.Exchange("SET k v\r\n", "+OK\r\n");
  writer_.Exchange("GET k\r\n", "$1\r\nv\r\n");
}

TEST_F(BlockedTest, OneWhoHangsUpIsServedNothing) {
  {
    Peer gone(loop(0), std::make_shared<Client>(77, 0));
    gone.client().authenticated = true;
    Park(gone, "AWAIT k 0\r\n");
    Park(one_, "AWAIT k 0\r\n");
  }
  AwaitThat([&] { return blocked_clients() == 1; }, "the other one is still parked");
  writer_.Exchange("SET k v\r\n", "+OK\r\n");
  ExpectTaken(one_, "k", "v");
  ExpectNobodyWaits();
}

TEST_F(BlockedTest, OneWhoIsKilledIsServedNothing) {
  Park(one_, "AWAIT k 0\r\n");
  one_.link().Kill();
  AwaitThat([&] { return blocked_clients() == 0; }, "still parked");
  writer_.Exchange("SET k v\r\nGET k\r\n", "+OK\r\n$1\r\nv\r\n");
  ExpectNobodyWaits();
}

TEST_F(BlockedTest, ClientUnblockEndsTheWaitOnce) {
  const std::string id = std::to_string(one_.client().id);
  writer_.Exchange("CLIENT UNBLOCK " + id + "\r\n", ":0\r\n");
  Park(one_, "AWAIT k 0\r\n");
  writer_.Exchange("CLIENT UNBLOCK " + id + "\r\nCLIENT UNBLOCK " + id + " ERROR\r\n",
                   ":1\r\n:0\r\n");
  EXPECT_EQ(one_.Await(5), "*-1\r\n");
  Park(one_, "AWAIT k 0\r\n");
  writer_.Exchange("CLIENT UNBLOCK " + id + " ERROR\r\n", ":1\r\n");
  const std::string error = "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n";
  EXPECT_EQ(one_.Await(error.size()), error);
  ExpectNobodyWaits();
  const Command& await = *server_.commands().FindName("await");
  EXPECT_EQ(SumOf(server_, await.index).failed, 1);
  EXPECT_EQ(SumOf(server_).errors, 1);
}

TEST_F(BlockedTest, InfoAndClientListCountThoseWhoWait) {
  Park(one_, "AWAIT k 0\r\n");
  Park(two_, "AWAIT k l 60000\r\n");
  writer_.Send("INFO clients\r\n");
  std::string info;
  AwaitThat(
      [&] {
        info += writer_.Received();
        return info.ends_with("\r\n\r\n");
      },
      "the whole of INFO");
  EXPECT_NE(info.find("blocked_clients:2\r\n"), std::string::npos) << info;
  EXPECT_NE(info.find("clients_in_timeout_table:1\r\n"), std::string::npos) << info;
  EXPECT_NE(info.find("total_blocking_keys:2\r\n"), std::string::npos) << info;
  EXPECT_NE(info.find("total_blocking_keys_on_nokey:0\r\n"), std::string::npos) << info;
  EXPECT_TRUE(one_.client().blocked);
  writer_.Exchange("SET k 1\r\nSET k 2\r\n", "+OK\r\n+OK\r\n");
  ExpectNobodyWaits();
  EXPECT_FALSE(two_.client().blocked);
}

TEST_F(BlockedTest, BehindAClosedGateOneWhoLeavesIsForgottenLater) {
  Park(one_, "AWAIT k 0\r\n");
  {
    Hold hold(server_.keyspace().background_slot());
    hold.WaitAndClose(server_.keyspace().db(0));
    writer_.Exchange("CLIENT UNBLOCK " + std::to_string(one_.client().id) + "\r\n", ":1\r\n");
    EXPECT_EQ(one_.Await(5), "*-1\r\n");
  }
  ExpectNobodyWaits();
}

TEST_F(BlockedTest, ThousandsWhoComeAndGoLoseNothing) {
  // Each value that the writer sets is taken once; some clients stop waiting at their time limit.
  constexpr int kValues = 3000;
  std::vector<Peer*> takers;
  for (size_t i = 0; i < 8; ++i) takers.push_back(&Connect(loop(i % 2)));
  for (size_t i = 0; i < takers.size(); ++i) takers[i]->Send("AWAIT k l 2\r\n");
  std::vector<std::string> received(takers.size());
  int taken = 0;
  int set = 0;
  bool pending = false;
  std::string replies;
  AwaitThat(
      [&] {
        // Sets the next value only when the last one is gone, so that none replaces another.
        if (!pending && set < kValues) {
          writer_.Send("SET " + std::string(set % 3 == 0 ? "l" : "k") + " v NX\r\n");
          pending = true;
        }
        replies += writer_.Received();
        if (replies == "+OK\r\n" || replies == "$-1\r\n") {
          set += replies == "+OK\r\n" ? 1 : 0;
          replies.clear();
          pending = false;
        }
        for (size_t i = 0; i < takers.size(); ++i) {
          received[i] += takers[i]->Received();
          const bool timed_out = received[i] == "*-1\r\n";
          if (!timed_out && received[i].size() < Taken("k", "v").size()) continue;
          taken += timed_out ? 0 : 1;
          received[i].clear();
          takers[i]->Send("AWAIT k l 2\r\n");
        }
        return set == kValues && taken == kValues;
      },
      "a value is lost");
  EXPECT_EQ(taken, set);
}

class DurableBlockedTest : public BlockedTest {
 protected:
  DurableBlockedTest()
      : BlockedTest({"--appendonly", "yes", "--appendfsync", "always", "--save", ""}) {}
};

TEST_F(DurableBlockedTest, WhoIsServedHearsOfItWhenItIsOnTheDisk) {
  Park(one_, "AWAIT k 0\r\n");
  files_.HoldSyncs();
  writer_.Send("SET k v\r\n");
  files_.AwaitHeldSync();
  AwaitThat([&] { return blocked_clients() == 0; }, "still parked");
  three_.Exchange("PING\r\n", "+PONG\r\n");
  EXPECT_EQ(one_.Received(), "");
  files_.ReleaseSyncs();
  ExpectTaken(one_, "k", "v");
  EXPECT_OK(server_.persistence().journal().file().Flush());
  const std::string log = files_.Content("appendonlydir/appendonly.aof.1.incr.aof").value_or("");
  EXPECT_NE(log.find("MULTI"), std::string::npos) << "both changes or none: " << log;
  EXPECT_NE(log.find("DEL"), std::string::npos) << log;
}

}  // namespace
}  // namespace cloakroom
