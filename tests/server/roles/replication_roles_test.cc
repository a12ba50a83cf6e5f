// What Replication is to a primary.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/persistence/persistence.h"
#include "server/roles/replication.h"
#include "server/session/client_registry.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/keyspace.h"
#include "tests/replication/support/faulty_files.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

class FakeTransport final : public Replication::Transport {
 public:
  void Adopt(NewReplica) override {}
  void StreamMoved() override {}
  void RequestAcks() override {}
  void WatchLog() override {}
  void Dismiss() override { ++dismissed; }
  void Follow(Replication::Following its_following) override { following = its_following; }
  void Unfollow() override { following.reset(); }
  void AnswerAck(int64_t) override {}
  void ReadPrimary() override {}
  void StreamBroken(absl::Status) override {}

  std::optional<Replication::Following> following;
  int dismissed = 0;
};

/// For what a demoted primary keeps of its commands.
struct RolesDisk {
  FaultyFiles files;
};

class ReplicationRolesTest : private RolesDisk, public ServerTest {
 protected:
  ReplicationRolesTest() : ServerTest(RolesDisk::files, {"--save", ""}) {
    replication().set_transport(&transport_);
  }
  ~ReplicationRolesTest() override {
    replication().set_transport(nullptr);
    replication().StopApplier();
  }

  Replication& replication() { return server_.replication(); }
  /// Calls `act` with all gates closed.
  template <typename Act>
  void Alone(Act act) {
    Hold hold(server_.keyspace().background_slot());
    hold.WaitAndCloseAll(server_.keyspace());
    act(hold);
  }
  ReplicationId Id(char digit) { return *ReplicationId::Parse(std::string(40, digit)); }
  RdbAuxFields Fields() {
    RdbAuxFields fields;
    Alone([&](Hold&) { replication().AddFields(&fields); });
    return fields;
  }

  FakeTransport transport_;
};

TEST_F(ReplicationRolesTest, AReplicaRefusesWritesAndSaysSo) {
  EXPECT_EQ(Run("REPLICAOF 10.0.0.1 6380"), "+OK\r\n");
  EXPECT_EQ(Run("SET k v"), "-READONLY You can't write against a read only replica.\r\n");
  EXPECT_THAT(Run({"EVAL", "return redis.call('set', 'k', 'v')", "0"}), HasSubstr("READONLY"));
  EXPECT_EQ(Run("GET k"), "$-1\r\n");
  EXPECT_EQ(Run("ROLE"),
            "*5\r\n$5\r\nslave\r\n$8\r\n10.0.0.1\r\n:6380\r\n$7\r\nconnect\r\n:-1\r\n");
  EXPECT_THAT(Run("INFO replication"),
              AllOf(HasSubstr("role:slave\r\nmaster_host:10.0.0.1\r\nmaster_port:6380\r\n"
                              "master_link_status:down\r\n"),
                    HasSubstr("slave_read_only:1\r\n")));
  EXPECT_EQ(Run("CONFIG GET replicaof"), "*2\r\n$9\r\nreplicaof\r\n$13\r\n10.0.0.1 6380\r\n");
  EXPECT_EQ(Run("REPLICAOF 10.0.0.1 6380"), "+OK Already connected to specified master\r\n");
  EXPECT_THAT(Run("WAIT 0 0"), HasSubstr("-ERR WAIT cannot be used with replica instances."));
  ASSERT_TRUE(transport_.following);
  EXPECT_EQ(transport_.following->primary.port, 6380);
}

TEST_F(ReplicationRolesTest, KnowsWhichClientsCameToAPrimary) {
  const uint64_t early = server_.clients().NextId();
  EXPECT_FALSE(replication().demoted_since(early));
  Run("REPLICAOF 10.0.0.1 6380");
  EXPECT_TRUE(replication().demoted_since(early));
  const uint64_t late = server_.clients().NextId();
  EXPECT_FALSE(replication().demoted_since(late));
  Run("REPLICAOF 10.0.0.2 6380");
  EXPECT_TRUE(replication().demoted_since(early));
  EXPECT_FALSE(replication().demoted_since(late));
  Run("REPLICAOF NO ONE");
  EXPECT_FALSE(replication().demoted_since(early));
  Run("REPLICAOF 10.0.0.1 6380");
  EXPECT_TRUE(replication().demoted_since(late));
}

TEST_F(ReplicationRolesTest, AReplicaMayBeWritable) {
  Run("CONFIG SET replica-read-only no");
  Run("REPLICAOF 10.0.0.1 6380");
  EXPECT_EQ(Run("SET k v"), "+OK\r\n");
  EXPECT_EQ(server_.stream().tail(), 0) << "which is nobody else's business";
}

TEST_F(ReplicationRolesTest, OldDataIsServedUnlessItIsForbidden) {
  Run("REPLICAOF 10.0.0.1 6380");
  EXPECT_EQ(Run("GET k"), "$-1\r\n");
  Run("CONFIG SET replica-serve-stale-data no");
  EXPECT_THAT(Run("GET k"), HasSubstr("-MASTERDOWN Link with MASTER is down"));
  EXPECT_THAT(Run("INFO replication"), HasSubstr("role:slave"));
  replication().SetLink({.info = {.up = true}, .role_state = "connected"});
  EXPECT_EQ(Run("GET k"), "$-1\r\n");
}

TEST_F(ReplicationRolesTest, WrongPrimariesAreRefused) {
  EXPECT_EQ(Run("REPLICAOF host port"), "-ERR Invalid master port\r\n");
  EXPECT_EQ(Run("REPLICAOF host 65536"), "-ERR Invalid master port\r\n");
  EXPECT_EQ(Run("REPLICAOF NO ONE"), "+OK\r\n");
  EXPECT_THAT(Run("ROLE"), HasSubstr("master"));
}

TEST_F(ReplicationRolesTest, BlockedClientsAreSentAway) {
  RunAs("waiter", "BLPOP list 0");
  ASSERT_NE(blocked_, nullptr);
  Run("REPLICAOF 10.0.0.1 6380");
  EXPECT_TRUE(blocked_->closes_client());
}

TEST_F(ReplicationRolesTest, APromotedReplicaGoesOnUnderANewId) {
  Run("REPLICAOF 10.0.0.1 6380");
  Alone([&](Hold&) { replication().TakeOver(HistoryPoint{Id('a'), 1000}); });
  EXPECT_EQ(replication().figures().id1, Id('a'));
  EXPECT_EQ(replication().figures().offset, 1000);
  EXPECT_THAT(Fields(), UnorderedElementsAre(Pair("repl-stream-db", "0"),
                                             Pair("repl-id", std::string(40, 'a')),
                                             Pair("repl-offset", "1000")));
  EXPECT_EQ(Run("REPLICAOF NO ONE"), "+OK\r\n");
  EXPECT_FALSE(transport_.following);
  EXPECT_EQ(Run("CONFIG GET replicaof"), "*2\r\n$9\r\nreplicaof\r\n$0\r\n\r\n");
  const Replication::Figures figures = replication().figures();
  EXPECT_FALSE(figures.id1 == Id('a'));
  EXPECT_EQ(figures.id2, Id('a'));
  EXPECT_EQ(figures.second_offset, 1001);
  EXPECT_EQ(Run("SET k v"), "+OK\r\n");
  EXPECT_GT(replication().figures().offset, 1000) << "its own changes follow";
}

TEST_F(ReplicationRolesTest, WhatAnOldLinkReportsChangesNothing) {
  Run("REPLICAOF 10.0.0.1 6380");
  const Replication::Turn turn = transport_.following->turn;
  Run("REPLICAOF 10.0.0.2 6380");
  EXPECT_FALSE(replication().IsTurn(turn));
  EXPECT_FALSE(replication().Continue(turn, Id('b')));
  EXPECT_FALSE(replication().BeginStream(turn));
  Alone([&](Hold&) { EXPECT_FALSE(replication().BeginLoad(turn)); });
  EXPECT_TRUE(replication().BeginStream(transport_.following->turn));
  Run("REPLICAOF NO ONE");
  EXPECT_FALSE(replication().Continue(transport_.following ? 0 : turn, Id('b')));
}

TEST_F(ReplicationRolesTest, ANewIdOfThePrimaryIsForOurReplicasToo) {
  Run("REPLICAOF 10.0.0.1 6380");
  const Replication::Turn turn = transport_.following->turn;
  Alone([&](Hold&) { replication().TakeOver(HistoryPoint{Id('a'), 1000}); });
  const int before = transport_.dismissed;
  EXPECT_TRUE(replication().Continue(turn, Id('a')));
  EXPECT_EQ(transport_.dismissed, before);
  EXPECT_TRUE(replication().Continue(turn, Id('b')));
  EXPECT_EQ(transport_.dismissed, before + 1);
  EXPECT_EQ(replication().figures().id2, Id('a'));
}

TEST_F(ReplicationRolesTest, AfterAFailedLoadNothingIsContinued) {
  Run("REPLICAOF 10.0.0.1 6380");
  Alone([&](Hold&) { replication().LoseData(); });
  EXPECT_THAT(Fields(), UnorderedElementsAre());
  Run("REPLICAOF 10.0.0.2 6380");
  EXPECT_FALSE(transport_.following->cached);
}

TEST_F(ReplicationRolesTest, ARestartedPrimaryNamesItsPast) {
  Alone([&](Hold& hold) {
    replication().NoteField("repl-id", std::string(40, 'c'));
    replication().NoteField("repl-offset", "500");
    replication().NoteField("ctime", "1");
    replication().TakeUpFields();
    replication().BeginRole(hold);
  });
  const Replication::Figures figures = replication().figures();
  EXPECT_EQ(figures.id2, Id('c'));
  EXPECT_EQ(figures.second_offset, 501);
  EXPECT_EQ(figures.offset, 500);
}

TEST_F(ReplicationRolesTest, ARestartedPrimaryHasItsLastBytesAsBacklog) {
  server_.stream().Append("0123456789");
  Alone([&](Hold& hold) {
    replication().TakeUp(AofPlace{.id = std::string(40, 'c'), .offset = 500, .begin = 4, .db = 3});
    replication().BeginRole(hold);
  });
  EXPECT_EQ(replication().figures().first_byte, 495);
  const auto ask = [&](std::string id, std::string offset) {
    return replication().Foresee({.psync = true, .id = std::move(id), .offset = std::move(offset)});
  };
  EXPECT_TRUE(ask(std::string(40, 'c'), "495").sync_partial_ok);
  EXPECT_TRUE(ask(std::string(40, 'c'), "501").sync_partial_ok);
  EXPECT_FALSE(ask(std::string(40, 'c'), "494").sync_partial_ok) << "it is not there any more";
  EXPECT_FALSE(ask(std::string(40, 'c'), "502").sync_partial_ok) << "the log did not have it";
  Run("SET k v");
  const std::string select = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n";
  std::string text;
  server_.stream().Read(10, 10 + static_cast<int64_t>(select.size()),
                        [&](std::string_view piece) { text += piece; });
  EXPECT_EQ(text, select) << "whatever the log had selected";
}

TEST_F(ReplicationRolesTest, ARestartedPrimaryThatIsDemotedGoesOnInTheOldDatabase) {
  Alone([&](Hold& hold) {
    replication().TakeUp(AofPlace{.id = std::string(40, 'c'), .offset = 500, .begin = 0, .db = 3});
    replication().BeginRole(hold);
  });
  EXPECT_THAT(Fields(), testing::Contains(Pair("repl-stream-db", "3")));
  Run("REPLICAOF 10.0.0.1 6380");
  EXPECT_EQ(transport_.following->cached, (HistoryPoint{Id('c'), 500}));
  EXPECT_THAT(Fields(), testing::Contains(Pair("repl-stream-db", "3")))
      << "the primary need not select it again";
  EXPECT_EQ(server_.stream().selected_db(), 3) << "for files of the log";
}

TEST_F(ReplicationRolesTest, ARestartedPrimaryThatHasWrittenGoesOnInItsOwnDatabase) {
  Alone([&](Hold& hold) {
    replication().TakeUp(AofPlace{.id = std::string(40, 'c'), .offset = 500, .begin = 0, .db = 3});
    replication().BeginRole(hold);
  });
  Run("SELECT 2");
  Run("SET k v");
  Run("REPLICAOF 10.0.0.1 6380");
  EXPECT_FALSE(transport_.following->cached->id == Id('c'));
  EXPECT_THAT(Fields(), testing::Contains(Pair("repl-stream-db", "2")));
}

TEST_F(ReplicationRolesTest, AFailoverRightAfterARestartNamesWhatTheReplicaKnows) {
  Alone([&](Hold& hold) {
    replication().TakeUp(AofPlace{.id = std::string(40, 'c'), .offset = 500, .begin = 0, .db = 0});
    replication().BeginRole(hold);
  });
  const ReplicationId id = replication().figures().id1;
  replication().SetFacts({{.ip = "10.0.0.2", .port = 6380, .acked = 500, .online = true}}, 0);
  EXPECT_EQ(Run("FAILOVER"), "+OK\r\n");
  ASSERT_TRUE(transport_.following);
  EXPECT_TRUE(transport_.following->failover);
  EXPECT_EQ(transport_.following->cached, (HistoryPoint{id, 500})) << "not its past, as to others";
}

TEST_F(ReplicationRolesTest, APlaceThatMakesNoSenseIsNone) {
  Alone([&](Hold&) { replication().TakeUp(AofPlace{.id = "c", .offset = 500}); });
  EXPECT_FALSE(replication().figures().backlog);
}

TEST_F(ReplicationRolesTest, WhatIsNotThePrimarysExpiresByItsClock) {
  Run("SET k v PX 100");
  Run("REPLICAOF 10.0.0.1 6380");
  Advance(1000);
  EXPECT_EQ(Run("GET k"), "$-1\r\n");
  EXPECT_EQ(Run("DBSIZE"), ":1\r\n") << "it is hidden, and kept";
  Run("REPLICAOF NO ONE");
  EXPECT_EQ(Run("GET k"), "$-1\r\n");
  EXPECT_EQ(Run("DBSIZE"), ":0\r\n");
}

class RestartedReplicaTest : public ReplicationRolesTest {
 protected:
  RestartedReplicaTest() { config_.Note("replicaof", "10.0.0.1 6380"); }
};

TEST_F(RestartedReplicaTest, AsksForWhatItsFileLacks) {
  Alone([&](Hold& hold) {
    replication().NoteField("repl-id", std::string(40, 'c'));
    replication().NoteField("repl-offset", "500");
    replication().NoteField("repl-stream-db", "3");
    replication().TakeUpFields();
    replication().BeginRole(hold);
  });
  ASSERT_TRUE(transport_.following);
  EXPECT_EQ(transport_.following->cached, (HistoryPoint{Id('c'), 500}));
  EXPECT_THAT(Fields(), testing::Contains(Pair("repl-stream-db", "3")));
}

TEST_F(RestartedReplicaTest, AsksForWhatItsLogLacks) {
  server_.stream().Append("0123456789");
  Alone([&](Hold& hold) {
    replication().TakeUp(AofPlace{.id = std::string(40, 'c'), .offset = 500, .begin = 4, .db = 3});
    replication().BeginRole(hold);
  });
  ASSERT_TRUE(transport_.following);
  EXPECT_EQ(transport_.following->cached, (HistoryPoint{Id('c'), 500}));
  EXPECT_THAT(Fields(), testing::Contains(Pair("repl-stream-db", "3")));
  EXPECT_EQ(replication().figures().first_byte, 495) << "for replicas of its own";
}

TEST_F(RestartedReplicaTest, WithoutAFileItAsksForEverything) {
  Alone([&](Hold& hold) {
    replication().TakeUp(std::nullopt);
    replication().BeginRole(hold);
  });
  ASSERT_TRUE(transport_.following);
  EXPECT_FALSE(transport_.following->cached);
}

}  // namespace
}  // namespace cloakroom
