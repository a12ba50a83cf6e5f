// Several threads on the same keys: stripes, gates and transactions must keep the promises that
// Redis keeps with a single thread. Run it under ThreadSanitizer.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "server/config/config_store.h"
#include "server/process/cron.h"
#include "storage/base/memory_meter.h"
#include "tests/stress/actor.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

constexpr int kThreads = 4;
constexpr int kRounds = 6000;
/// The databases of a test's own keys, and of everything else.
constexpr int kHome = 0;
constexpr int kFlushed = 1;
constexpr int kSwapped = 2;  // with kSwapped + 1
constexpr int kVolatile = 4;
constexpr int kPair = 5;  // with kPair + 1: a test flushes and swaps its own keys there

constexpr int kAccounts = 12;
constexpr int64_t kBalance = 1000;
constexpr int kMembers = 60;
constexpr int kTokens = 40;

using Deed = std::function<void(Actor&)>;

int64_t Sum(const ReplyValue& numbers) {
  return std::accumulate(
      numbers.items.begin(), numbers.items.end(), int64_t{0},
      [](int64_t sum, const ReplyValue& one) { return sum + std::stoll(one.text); });
}

std::vector<std::string> Request(std::string name, const std::string& prefix, int keys) {
  std::vector<std::string> args = {std::move(name)};
  for (int i = 0; i < keys; ++i) args.push_back(prefix + std::to_string(i));
  return args;
}

/// One of the pair, by its number.
std::string OneOfPair(Actor& actor) { return std::to_string(kPair + actor.Below(2)); }

void SwapPair(Actor& actor) {
  actor.Run({"SWAPDB", std::to_string(kPair), std::to_string(kPair + 1)});
}

class KeyspaceStressTest : public testing::Test {
 protected:
  KeyspaceStressTest() : server_(clock_, config_, kThreads + 1), cron_(server_) {
    MemoryMeter::RegisterThread();
  }

  /// Each thread does `kRounds` of these deeds, chosen at random, among commands on other databases
  /// that close gates, flush, swap, expire and evict, or are refused for lack of memory.
  void Storm(const std::vector<Deed>& deeds) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([this, &deeds, i] {
        MemoryMeter::RegisterThread();
        Actor home(server_, i, kHome);
        Actor flushed(server_, i, kFlushed);
        Actor swapped(server_, i, kSwapped + i % 2);
        Actor mortal(server_, i, kVolatile);
        for (int round = 0; round < kRounds; ++round) {
          deeds[static_cast<size_t>(home.Below(static_cast<int64_t>(deeds.size())))](home);
          if (round % 3 == 0) Disturb(flushed, swapped, mortal);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  Actor& judge() { return judge_; }
  Server& server() { return server_; }
  ConfigStore& config() { return config_; }

 private:
  static void Disturb(Actor& flushed, Actor& swapped, Actor& mortal) {
    switch (flushed.Below(8)) {
      case 0:
        flushed.Run({"FLUSHDB"});
        break;
      case 1:
        swapped.Run({"SWAPDB", std::to_string(kSwapped), std::to_string(kSwapped + 1)});
        break;
      case 2:
        flushed.RunOrRefused({"EVAL", "return redis.call('INCR', ARGV[1])", "0", "scripted"});
        break;
      case 3:
        flushed.RunOrRefused({"HSET", flushed.Name("h", 50), flushed.Name("f", 300), "v"});
        break;
      case 4:
        swapped.RunOrRefused({"SET", swapped.Name("s", 100), std::string(100, 's')});
        break;
      default:
        // Keys that expire while others read them.
        mortal.RunOrRefused({"SET", mortal.Name("m", 2000), std::string(2000, 'm'), "PX",
                             std::to_string(1 + mortal.Below(400))});
        mortal.Run({"GET", mortal.Name("m", 2000)});
    }
  }

  SystemClock clock_;
  ConfigStore config_;
  Server server_;
  Cron cron_;
  Actor judge_{server_, kThreads, kHome};
};

TEST_F(KeyspaceStressTest, ManyKeysAreWrittenAndReadAtOnce) {
  constexpr int kKeys = 8;
  Deed write = [](Actor& actor) {
    std::string value = std::to_string(actor.Below(1 << 30));
    std::vector<std::string> args = {"MSET"};
    for (int i = 0; i < kKeys; ++i) {
      args.push_back("k" + std::to_string(i));
      args.push_back(value);
    }
    actor.Run(args);
  };
  Deed read = [](Actor& actor) {
    ReplyValue values = actor.Run(Request("MGET", "k", kKeys));
    for (const ReplyValue& value : values.items) ASSERT_EQ(value, values.items[0]);
  };
  Deed read_in_transaction = [](Actor& actor) {
    actor.Run({"MULTI"});
    for (int i = kKeys - 1; i >= 0; --i) actor.Run({"GET", "k" + std::to_string(i)});
    ReplyValue values = actor.Run({"EXEC"});
    for (const ReplyValue& value : values.items) ASSERT_EQ(value, values.items[0]);
  };
  Storm({write, read, read_in_transaction});
}

TEST_F(KeyspaceStressTest, FlushesAndSwapsAreSeenWhole) {
  constexpr int kKeys = 8;
  Deed write = [](Actor& actor) {
    actor.Run({"SELECT", OneOfPair(actor)});
    std::vector<std::string> args = {"MSET"};
    std::string value = std::to_string(actor.Below(1 << 30));
    for (int i = 0; i < kKeys; ++i) args.insert(args.end(), {"k" + std::to_string(i), value});
    actor.Run(args);
  };
  Deed empty = [](Actor& actor) {
    actor.Run({"SELECT", OneOfPair(actor)});
    if (actor.Below(4) > 0) return SwapPair(actor);
    actor.Run({"FLUSHDB"});
  };
  Deed read = [](Actor& actor) {
    actor.Run({"SELECT", OneOfPair(actor)});
    ReplyValue values = actor.Run(Request("MGET", "k", kKeys));
    for (const ReplyValue& value : values.items) ASSERT_EQ(value, values.items[0]);
  };
  // EXEC finds the same data as after WATCH, or does nothing.
  Deed watch = [](Actor& actor) {
    actor.Run({"SELECT", OneOfPair(actor)});
    actor.Run({"WATCH", "k0"});
    ReplyValue before = actor.Run({"GET", "k0"});
    actor.Run({"MULTI"});
    actor.Run({"GET", "k0"});
    ReplyValue after = actor.Run({"EXEC"});
    if (!after.is_null()) ASSERT_EQ(after.items[0], before);
  };
  Storm({write, write, empty, read, watch, watch});
}

TEST_F(KeyspaceStressTest, MovesBetweenDatabasesThatSwapConserveTheKeys) {
  judge().Run({"SELECT", std::to_string(kPair)});
  for (int i = 0; i < kTokens; ++i) judge().Run({"SET", "token" + std::to_string(i), "1"});
  Deed move = [](Actor& actor) {
    actor.Run({"SELECT", std::to_string(kPair)});
    actor.Run({"MOVE", actor.Name("token", kTokens), std::to_string(kPair + 1)});
    actor.Run({"SELECT", std::to_string(kPair + 1)});
    actor.Run({"MOVE", actor.Name("token", kTokens), std::to_string(kPair)});
  };
  Deed count = [](Actor& actor) {
    actor.Run({"MULTI"});
    for (int db : {kPair, kPair + 1}) {
      actor.Run({"SELECT", std::to_string(db)});
      actor.Run({"DBSIZE"});
    }
    ReplyValue replies = actor.Run({"EXEC"});
    ASSERT_EQ(replies.items[1].integer + replies.items[3].integer, kTokens);
  };
  Storm({move, move, SwapPair, count});
}

TEST_F(KeyspaceStressTest, WatchedCountersLoseNothing) {
  std::atomic<int64_t> done = 0;
  std::atomic<int64_t> lost = 0;
  judge().Run({"SET", "counter", "0"});
  Deed optimistic = [&](Actor& actor) {
    actor.Run({"WATCH", "counter"});
    int64_t value = std::stoll(actor.Run({"GET", "counter"}).text);
    actor.Run({"MULTI"});
    actor.Run({"SET", "counter", std::to_string(value + 1)});
    actor.Run({"EXEC"}).is_null() ? ++lost : ++done;
  };
  Deed plain = [&](Actor& actor) {
    actor.Run({"INCR", "counter"});
    ++done;
  };
  Deed scripted = [&](Actor& actor) {
    actor.Run({"EVAL",
               "local v = redis.call('GET', ARGV[1]) redis.call('SET', ARGV[1], v + 1) return v",
               "0", "counter"});
    ++done;
  };
  Storm({optimistic, optimistic, plain, scripted});
  EXPECT_EQ(std::stoll(judge().Run({"GET", "counter"}).text), done.load());
  EXPECT_GT(done.load(), kRounds) << "nearly every transaction was lost";
}

TEST_F(KeyspaceStressTest, TransfersConserveTheSum) {
  std::string accounts = std::to_string(kAccounts);
  for (int i = 0; i < kAccounts; ++i) {
    judge().Run({"SET", "account" + std::to_string(i), std::to_string(kBalance)});
  }
  Deed by_transaction = [](Actor& actor) {
    std::string amount = std::to_string(actor.Below(50));
    actor.Run({"MULTI"});
    actor.Run({"DECRBY", actor.Name("account", kAccounts), amount});
    actor.Run({"INCRBY", actor.Name("account", kAccounts), amount});
    actor.Run({"EXEC"});
  };
  Deed by_script = [](Actor& actor) {
    actor.Run(
        {"EVAL",
         "redis.call('DECRBY', ARGV[1], ARGV[3]) return redis.call('INCRBY', ARGV[2], ARGV[3])",
         "0", actor.Name("account", kAccounts), actor.Name("account", kAccounts),
         std::to_string(actor.Below(50))});
  };
  Deed audit = [](Actor& actor) {
    ASSERT_EQ(Sum(actor.Run(Request("MGET", "account", kAccounts))), kAccounts * kBalance);
  };
  Deed audit_by_script = [accounts](Actor& actor) {
    int64_t sum = actor.RunInteger({"EVAL",
                                    "local sum = 0 for i = 0, ARGV[1] - 1 do "
                                    "sum = sum + redis.call('GET', 'account' .. i) end return sum",
                                    "0", accounts});
    ASSERT_EQ(sum, kAccounts * kBalance);
  };
  Storm({by_transaction, by_script, audit, audit_by_script});
  EXPECT_EQ(Sum(judge().Run(Request("MGET", "account", kAccounts))), kAccounts * kBalance);
}

TEST_F(KeyspaceStressTest, MovesConserveTheMembers) {
  constexpr int kSets = 6;
  for (int i = 0; i < kMembers; ++i) {
    judge().Run({"SADD", "set" + std::to_string(i % kSets), "member" + std::to_string(i)});
  }
  Deed move = [](Actor& actor) {
    actor.Run({"SMOVE", actor.Name("set", kSets), actor.Name("set", kSets),
               actor.Name("member", kMembers)});
  };
  Deed unite = [](Actor& actor) {
    std::vector<std::string> args = Request("SUNIONSTORE", "set", kSets);
    args.insert(args.begin() + 1, actor.Name("union", 4));
    ASSERT_EQ(actor.RunInteger(args), kMembers);
  };
  Deed read = [](Actor& actor) {
    ASSERT_EQ(actor.Run(Request("SUNION", "set", kSets)).items.size(), kMembers);
  };
  Deed count = [](Actor& actor) {
    actor.Run({"MULTI"});
    for (int i = 0; i < kSets; ++i) actor.Run({"SCARD", "set" + std::to_string(i)});
    int64_t members = 0;
    for (const ReplyValue& one : actor.Run({"EXEC"}).items) members += one.integer;
    ASSERT_EQ(members, kMembers);
  };
  Storm({move, move, unite, read, count});
}

TEST_F(KeyspaceStressTest, AStreamsGroupsDeliverEachEntryOnce) {
  const std::vector<std::string> groups = {"g0", "g1"};
  for (const std::string& group : groups) {
    judge().Run({"XGROUP", "CREATE", "stream", group, "0", "MKSTREAM"});
  }
  std::atomic<int> added = 0;
  std::vector<std::atomic<int>> delivered(groups.size() * kThreads * kRounds);
  // Counts the entries of a reply, which is null or has those of one stream, and acknowledges them.
  const auto take = [&](Actor& actor, size_t group, const ReplyValue& reply) {
    if (reply.is_null()) return size_t{0};
    const std::vector<ReplyValue>& entries = reply.items[0].items[1].items;
    std::vector<std::string> ack = {"XACK", "stream", groups[group]};
    for (const ReplyValue& entry : entries) {
      ack.push_back(entry.items[0].text);
      const auto number = static_cast<size_t>(std::stoi(entry.items[1].items[1].text));
      delivered[number * groups.size() + group].fetch_add(1);
    }
    EXPECT_EQ(actor.RunInteger(ack), static_cast<int64_t>(entries.size()));
    return entries.size();
  };
  const auto read = [&](Actor& actor, size_t group) {
    return take(actor, group,
                actor.Run({"XREADGROUP", "GROUP", groups[group], actor.Name("c", 5), "COUNT", "4",
                           "STREAMS", "stream", ">"}));
  };
  Deed add = [&](Actor& actor) {
    actor.Run({"XADD", "stream", "*", "number", std::to_string(added.fetch_add(1))});
  };
  Deed consume = [&](Actor& actor) { read(actor, static_cast<size_t>(actor.Below(2))); };
  Deed look = [](Actor& actor) { actor.Run({"XREVRANGE", "stream", "+", "-", "COUNT", "3"}); };
  Storm({add, add, consume, look});
  for (size_t group = 0; group < groups.size(); ++group) {
    while (read(judge(), group) > 0) {
    }
    EXPECT_EQ(judge().Run({"XPENDING", "stream", groups[group]}).items[0].integer, 0);
  }
  for (size_t i = 0; i < static_cast<size_t>(added) * groups.size(); ++i) {
    ASSERT_EQ(delivered[i].load(), 1) << i;
  }
  EXPECT_EQ(judge().RunInteger({"XLEN", "stream"}), added.load());
}

TEST_F(KeyspaceStressTest, QueuesThatMovesFeedLoseAndDoubleNothing) {
  // Few elements for many queues, so that most moves have to wait.
  constexpr int kQueues = 8;
  constexpr int kElements = 3;
  for (int i = 0; i < kElements; ++i) judge().Run({"RPUSH", "queue0", std::to_string(i)});
  std::atomic<int64_t> waited = 0;
  const auto end = [](Actor& actor) { return actor.Below(2) == 0 ? "LEFT" : "RIGHT"; };
  Deed move = [&](Actor& actor) {
    actor.Run({"LMOVE", actor.Name("queue", kQueues), actor.Name("queue", kQueues), end(actor),
               end(actor)});
  };
  Deed wait = [&](Actor& actor) {
    const ReplyValue moved =
        actor.Run({"BLMOVE", actor.Name("queue", kQueues), actor.Name("queue", kQueues), end(actor),
                   end(actor), "0.003"});
    waited += moved.is_null() ? 1 : 0;
  };
  Deed move_twice = [&](Actor& actor) {
    actor.Run({"MULTI"});
    for (int i = 0; i < 2; ++i) {
      actor.Run({"RPOPLPUSH", actor.Name("queue", kQueues), actor.Name("queue", kQueues)});
    }
    actor.Run({"EXEC"});
  };
  Deed move_by_script = [&](Actor& actor) {
    actor.Run({"EVAL", "return redis.call('LMOVE', KEYS[1], KEYS[2], 'LEFT', 'RIGHT')", "2",
               actor.Name("queue", kQueues), actor.Name("queue", kQueues)});
  };
  Deed read = [](Actor& actor) {
    actor.Run({"MULTI"});
    for (int i = 0; i < kQueues; ++i) {
      actor.Run({"LRANGE", "queue" + std::to_string(i), "0", "-1"});
    }
    std::multiset<std::string> elements;
    for (const ReplyValue& queue : actor.Run({"EXEC"}).items) {
      for (const ReplyValue& element : queue.items) elements.insert(element.text);
    }
    ASSERT_EQ(elements, (std::multiset<std::string>{"0", "1", "2"}));
  };
  Storm({move, wait, wait, wait, move_twice, move_by_script, read});
  read(judge());
  EXPECT_GT(waited.load(), 0);
}

/// The sum of the scores in a flat reply of members and scores.
int64_t SumOfScores(const ReplyValue& reply) {
  int64_t sum = 0;
  for (size_t i = 1; i < reply.items.size(); i += 2) sum += std::stoll(reply.items[i].text);
  return sum;
}

TEST_F(KeyspaceStressTest, ScoresSumUp) {
  constexpr int kBoards = 3;
  constexpr int kPlayers = 3000;  // so many that a union is long work
  constexpr int kAuditOneIn = 60;
  for (int i = 0; i < kPlayers; ++i) {
    judge().Run(
        {"ZADD", "board" + std::to_string(i % kBoards), "10", "player" + std::to_string(i)});
  }
  const std::string boards = std::to_string(kBoards);
  const Deed by_transaction = [](Actor& actor) {
    const std::string amount = std::to_string(actor.Below(9));
    actor.Run({"MULTI"});
    actor.Run(
        {"ZINCRBY", actor.Name("board", kBoards), "-" + amount, actor.Name("player", kPlayers)});
    actor.Run({"ZINCRBY", actor.Name("board", kBoards), amount, actor.Name("player", kPlayers)});
    actor.Run({"EXEC"});
  };
  const Deed by_pop = [](Actor& actor) {
    actor.Run({"EVAL",
               "local popped = redis.call(ARGV[3], ARGV[1]) "
               "if popped[1] then redis.call('ZINCRBY', ARGV[2], popped[2], popped[1]) end",
               "0", actor.Name("board", kBoards), actor.Name("board", kBoards),
               actor.Below(2) == 0 ? "ZPOPMIN" : "ZPOPMAX"});
  };
  const std::vector<std::string> all = Request(boards, "board", kBoards);
  const Deed audit = [&](Actor& actor) {
    if (actor.Below(kAuditOneIn) != 0) return;
    std::vector<std::string> args = {"ZUNION"};
    args.insert(args.end(), all.begin(), all.end());
    args.emplace_back("WITHSCORES");
    ASSERT_EQ(SumOfScores(actor.Run(args)), kPlayers * 10);
  };
  const Deed store = [&](Actor& actor) {
    if (actor.Below(kAuditOneIn) != 0) return;
    std::vector<std::string> args = {"ZUNIONSTORE", actor.Name("sum", 2)};
    args.insert(args.end(), all.begin(), all.end());
    actor.Run(args);
    ASSERT_EQ(SumOfScores(actor.Run({"ZRANGE", args[1], "0", "-1", "WITHSCORES"})), kPlayers * 10);
  };
  Storm({by_transaction, by_transaction, by_pop, audit, store});
}

TEST_F(KeyspaceStressTest, EvictionTakesOnlyWhatMayGo) {
  constexpr int64_t kRoom = 8 * 1024 * 1024;
  judge().Run({"SET", "kept0", "1"});
  std::string limit = std::to_string(MemoryMeter::UsedBytes() + kRoom);
  std::vector<std::string_view> words = {"maxmemory-policy", "volatile-lru", "maxmemory", limit};
  ASSERT_OK(config().Set(words));
  Deed fill = [](Actor& actor) {
    actor.RunOrRefused({"SET", actor.Name("fill", 5000), std::string(6000, 'f'), "PX", "60000"});
  };
  Deed keep = [](Actor& actor) { actor.RunOrRefused({"SET", actor.Name("kept", 50), "1"}); };
  Deed read = [](Actor& actor) { ASSERT_EQ(actor.Run({"GET", "kept0"}).text, "1"); };
  Storm({fill, fill, keep, read});
  EXPECT_GT(server().keyspace().counters().evicted.load(), 0);
}

}  // namespace
}  // namespace cloakroom
