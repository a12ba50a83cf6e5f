#include "server/tracking/tracking_table.h"

#include "storage/keyspace/keyspace.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

class TrackingTableTest : public ServerTest {
 protected:
  TrackingTableTest() { ClientNamed("reader").resp = 3; }
  /// What the client was told since the last call.
  std::string Told(const std::string& client = "reader") {
    return std::exchange(LinkOf(client).pushed, "");
  }
  /// How many messages these are.
  size_t CountTold() {
    size_t count = 0;
    const std::string text = Told();
    for (size_t at = 0; (at = text.find("invalidate", at)) != text.npos; ++at) ++count;
    return count;
  }
  static std::string Invalidate(const std::string& key) {
    return ">2\r\n$10\r\ninvalidate\r\n*1\r\n$" + std::to_string(key.size()) + "\r\n" + key +
           "\r\n";
  }
  TrackingTable& table() { return server_.tracking(); }
};

TEST_F(TrackingTableTest, NothingIsPaidWhileNobodyTracks) {
  RunAs("reader", "GET k");
  EXPECT_EQ(server_.keyspace().feed().wants(), ChangeConsumer::kNothing);
  RunAs("reader", "CLIENT TRACKING ON");
  EXPECT_EQ(server_.keyspace().feed().wants(), ChangeConsumer::kEvents);
  RunAs("reader", "CLIENT TRACKING OFF");
  EXPECT_EQ(server_.keyspace().feed().wants(), ChangeConsumer::kNothing);
  EXPECT_EQ(table().keys(), 0u);
}

TEST_F(TrackingTableTest, AChangeTellsEveryReaderOnce) {
  ClientNamed("other").resp = 3;
  for (const char* name : {"reader", "other"}) {
    RunAs(name, "CLIENT TRACKING ON");
    RunAs(name, "GET k");
  }
  EXPECT_EQ(table().keys(), 1u);
  EXPECT_EQ(table().items(), 2u);
  Run("SET k 1");
  Run("SET k 2");
  EXPECT_EQ(Told(), Invalidate("k"));
  EXPECT_EQ(Told("other"), Invalidate("k"));
  EXPECT_EQ(table().keys(), 0u);
  EXPECT_EQ(table().items(), 0u);
}

TEST_F(TrackingTableTest, AReadBehindAChangeUnderTheSameHoldIsRemembered) {
  RunAs("reader", "CLIENT TRACKING ON");
  const auto transact = [&](std::initializer_list<const char*> requests) {
    RunAs("reader", "MULTI");
    for (const char* request : requests) RunAs("reader", request);
    RunAs("reader", "EXEC");
    return CountTold();
  };
  EXPECT_EQ(transact({"SET k 1", "GET k"}), 0u);
  EXPECT_EQ(table().items(), 1u);
  EXPECT_EQ(transact({"SET k 2", "GET k", "SET k 3"}), 2u);
  EXPECT_EQ(table().items(), 0u);
  EXPECT_EQ(transact({"GET k", "SET j 1", "GET j", "GET k"}), 0u);
  EXPECT_EQ(table().items(), 2u);
  Run("SET k 4");
  EXPECT_EQ(Told(), Invalidate("k"));
}

TEST_F(TrackingTableTest, WritingIsNotReading) {
  RunAs("reader", "CLIENT TRACKING ON");
  RunAs("reader", "SET k 1");
  RunAs("reader", "GETDEL k");
  Run("SET k 2");
  EXPECT_EQ(Told(), "");
}

TEST_F(TrackingTableTest, WhatExpiresIsReportedEvenToTheOneWhoNotices) {
  Run("SET k v PX 10");
  RunAs("reader", "CLIENT TRACKING ON NOLOOP");
  RunAs("reader", "GET k");
  Advance(20);
  RunAs("reader", "GET k");
  EXPECT_EQ(Told(), Invalidate("k"));
}

TEST_F(TrackingTableTest, OneKeyTooManyMakesItsReadersForgetAnother) {
  Run("CONFIG SET tracking-table-max-keys 10");
  RunAs("reader", "CLIENT TRACKING ON");
  for (int i = 0; i < 25; ++i) RunAs("reader", "GET key:" + std::to_string(i));
  EXPECT_EQ(table().keys(), 10u);
  EXPECT_EQ(CountTold(), 15u);
}

TEST_F(TrackingTableTest, ManyKeysAtOnceDoNotExceedTheLimit) {
  Run("CONFIG SET tracking-table-max-keys 10");
  RunAs("reader", "CLIENT TRACKING ON");
  std::vector<std::string> mget = {"MGET"};
  for (int i = 0; i < 1000; ++i) mget.push_back("key:" + std::to_string(i));
  RunAs("reader", mget);
  EXPECT_EQ(table().keys(), 10u);
}

TEST_F(TrackingTableTest, AFlushOrASwapTellsAllThatTrackToForgetEverything) {
  RunAs("reader", "CLIENT TRACKING ON");
  for (const char* command : {"FLUSHDB", "FLUSHALL", "SWAPDB 0 1"}) {
    RunAs("reader", "GET k");
    Run(command);
    EXPECT_EQ(Told(), ">2\r\n$10\r\ninvalidate\r\n_\r\n") << command;
    EXPECT_EQ(table().keys(), 0u);
    EXPECT_EQ(table().items(), 0u);
  }
}

TEST_F(TrackingTableTest, ABroadcastNamesAllKeysOfATransactionOnce) {
  RunAs("reader", "CLIENT TRACKING ON BCAST PREFIX a PREFIX b");
  EXPECT_EQ(table().prefixes(), 2u);
  Run("MULTI");
  for (const char* command : {"SET a1 1", "SET b1 1", "SET c1 1", "SET a1 2"}) Run(command);
  Run("EXEC");
  EXPECT_EQ(Told(), ">2\r\n$10\r\ninvalidate\r\n*2\r\n$2\r\na1\r\n$2\r\nb1\r\n");
  EXPECT_EQ(table().keys(), 0u);
  RunAs("reader", "RESET");
  EXPECT_EQ(table().prefixes(), 0u);
}

TEST_F(TrackingTableTest, AClientThatIsGoneIsForgotten) {
  RunAs("reader", "CLIENT TRACKING ON BCAST");
  server_.Disconnected(ClientNamed("reader"), nullptr);
  EXPECT_EQ(table().clients(), 0u);
  EXPECT_EQ(table().prefixes(), 0u);
  Run("SET k 1");
  EXPECT_EQ(Told(), "");
}

TEST_F(TrackingTableTest, ABrokenRedirectionIsReported) {
  const uint64_t id = ClientNamed("target").id;
  RunAs("reader", "CLIENT TRACKING ON REDIRECT " + std::to_string(id));
  RunAs("reader", "GET k");
  server_.Disconnected(ClientNamed("target"), nullptr);
  Run("SET k 1");
  EXPECT_EQ(Told(), ">2\r\n$21\r\ntracking-redir-broken\r\n:" + std::to_string(id) + "\r\n");
  EXPECT_NE(RunAs("reader", "CLIENT TRACKINGINFO").find("broken_redirect"), std::string::npos);
  EXPECT_NE(RunAs("reader", "CLIENT INFO").find(" flags=tR "), std::string::npos);
}

TEST_F(TrackingTableTest, ABroadcastNamesAllKeysOfALargeTransactionOnce) {
  RunAs("reader", "CLIENT TRACKING ON BCAST");
  std::vector<std::string> mset = {"MSET"};
  for (int i = 0; i < 1000; ++i) mset.insert(mset.end(), {"key:" + std::to_string(i), "v"});
  Run(mset);
  EXPECT_TRUE(Told().starts_with(">2\r\n$10\r\ninvalidate\r\n*1000\r\n"));
  Run("MULTI");
  for (int i = 0; i < 1000; ++i) Run("SET key:" + std::to_string(i) + " 1");
  Run("EXEC");
  EXPECT_TRUE(Told().starts_with(">2\r\n$10\r\ninvalidate\r\n*1000\r\n"));
}

TEST_F(TrackingTableTest, WhatOneCommandEntailsIsOnePush) {
  RunAs("reader", "CLIENT TRACKING ON");
  RunAs("reader", "MGET a b");
  Run("MSET a 1 b 1");
  EXPECT_EQ(LinkOf("reader").pushes, 1);
  EXPECT_EQ(Told(), Invalidate("a") + Invalidate("b"));
}

TEST_F(TrackingTableTest, ALowerLimitHoldsWithoutAnyoneReading) {
  RunAs("reader", "CLIENT TRACKING ON");
  for (int i = 0; i < 25; ++i) RunAs("reader", "GET key:" + std::to_string(i));
  Run("CONFIG SET tracking-table-max-keys 10");
  EXPECT_EQ(Told(), "");
  table().Trim();
  EXPECT_EQ(table().keys(), 10u);
  EXPECT_EQ(CountTold(), 15u);
}

TEST_F(TrackingTableTest, DataThatIsReplacedAsAWholeIsForgotten) {
  RunAs("reader", "CLIENT TRACKING ON");
  RunAs("reader", "GET k");
  table().ForgetAll();
  table().AfterHold();
  EXPECT_EQ(Told(), ">2\r\n$10\r\ninvalidate\r\n_\r\n");
  EXPECT_EQ(table().keys(), 0u);
}

}  // namespace
}  // namespace cloakroom
