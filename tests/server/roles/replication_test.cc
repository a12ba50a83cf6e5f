#include "server/roles/replication.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "server/persistence/persistence.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/keyspace.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class ReplicationTest : public ServerTest {
 protected:
  ReplicationTest() : ServerTest(SystemFiles(), {"--save", "", "--repl-backlog-size", "16384"}) {}

  Replication& replication() { return server_.replication(); }
  ChangeStream& stream() { return server_.stream(); }
  Replication::FullSyncPoint FullSync() {
    Hold hold(server_.keyspace().background_slot());
    hold.WaitAndCloseAll(server_.keyspace());
    return replication().BeginFullSync();
  }
  SyncDecision Ask(std::string_view id, int64_t offset) {
    const std::string text = std::to_string(offset);
    return replication().Decide(
        {.id = id, .offset = text, .options = {.capa_psync2 = true}, .client = ""});
  }
  std::string Stream(int64_t begin) {
    std::string text;
    stream().Read(begin, stream().Published(), [&](std::string_view piece) { text += piece; });
    return text;
  }
};

TEST_F(ReplicationTest, NothingIsKeptBeforeTheFirstFullSync) {
  Run("SET k v");
  EXPECT_EQ(stream().tail(), 0);
  EXPECT_FALSE(replication().figures().backlog);
  EXPECT_THAT(Run("INFO replication"),
              AllOf(HasSubstr("role:master\r\nconnected_slaves:0\r\n"),
                    HasSubstr("master_repl_offset:0\r\n"), HasSubstr("repl_backlog_active:0\r\n")));
}

TEST_F(ReplicationTest, FromAFullSyncOnChangesAreInTheStream) {
  Run("SET k v");
  const Replication::FullSyncPoint begin = FullSync();
  EXPECT_EQ(begin.point.id, replication().figures().id1);
  Run("SET k w");
  EXPECT_THAT(Stream(begin.position),
              AllOf(StartsWith("*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"), HasSubstr("$1\r\nw\r\n")));
  FullSync();
  const int64_t second = stream().tail();
  Run("SET k x");
  EXPECT_THAT(Stream(second), StartsWith("*2\r\n$6\r\nSELECT")) << "another one begins there";
  EXPECT_EQ(replication().figures().offset, replication().OffsetAt(stream().tail()));
}

TEST_F(ReplicationTest, AReplicaMayContinueFromTheBacklog) {
  const Replication::FullSyncPoint begin = FullSync();
  const std::string id(begin.point.id.text());
  Run("SET k v");
  const SyncDecision decision = Ask(id, begin.point.offset + 1);
  EXPECT_EQ(decision.kind, SyncDecision::Kind::kContinue);
  EXPECT_EQ(decision.position, begin.position);
  EXPECT_EQ(Ask(std::string(40, 'a'), 1).kind, SyncDecision::Kind::kFull);
  const Replication::Figures figures = replication().figures();
  EXPECT_EQ(figures.partial_syncs, 1);
  EXPECT_EQ(figures.full_syncs, 1);
  EXPECT_EQ(figures.refused_partial_syncs, 1);
  replication().ForgetHistory();
  EXPECT_EQ(Ask(id, begin.point.offset + 1).kind, SyncDecision::Kind::kFull);
}

TEST_F(ReplicationTest, WhatNobodyMayAskForIsFreed) {
  const Replication::FullSyncPoint begin = FullSync();
  for (int i = 0; i < 1000; ++i) Run({"SET", "k", std::string(1000, 'v')});
  EXPECT_GT(stream().memory(), 1'000'000);
  replication().KeepFrom(INT64_MAX);
  EXPECT_GT(stream().memory(), 1'000'000) << "the full sync's replicas will read from there";
  replication().EndPin();
  replication().KeepFrom(begin.position + 500'000);
  EXPECT_GT(stream().memory(), 500'000) << "a replica is there";
  replication().KeepFrom(INT64_MAX);
  EXPECT_LT(stream().memory(), 700'000) << "the spare chunks, and the backlog";
  const Replication::Figures figures = replication().figures();
  EXPECT_EQ(figures.offset - figures.first_byte + 1, 16384);
}

TEST_F(ReplicationTest, AnIdleBacklogGoes) {
  const Replication::FullSyncPoint begin = FullSync();
  replication().EndPin();
  replication().DropIdleBacklog(3'599'000, 0);
  EXPECT_TRUE(replication().figures().backlog);
  replication().DropIdleBacklog(3'601'000, 0);
  EXPECT_FALSE(replication().figures().backlog);
  EXPECT_FALSE(replication().figures().id1 == begin.point.id);
  const int64_t tail = stream().tail();
  Run("SET k v");
  EXPECT_EQ(stream().tail(), tail);
}

TEST_F(ReplicationTest, DataThatHasDivergedWantsAFullSyncOnceAMinute) {
  EXPECT_FALSE(replication().WantsFullSync(0));
  replication().NoteDiverged();
  EXPECT_FALSE(replication().WantsFullSync(1000));
  EXPECT_FALSE(replication().WantsFullSync(60'999));
  EXPECT_TRUE(replication().WantsFullSync(61'000));
  EXPECT_FALSE(replication().WantsFullSync(120'999));
  EXPECT_TRUE(replication().WantsFullSync(121'000));
}

TEST_F(ReplicationTest, WritesNeedEnoughReplicas) {
  EXPECT_EQ(Run("CONFIG SET min-replicas-to-write 2"), "+OK\r\n");
  EXPECT_THAT(Run("SET k v"), StartsWith("-NOREPLICAS "));
  EXPECT_EQ(Run("GET k"), "$-1\r\n");
  for (const uint64_t replica : {1, 2}) {
    replication().board().Join(replica, "host:1", 0, 0, clock_.MonotonicUs() / 1000);
  }
  replication().CountReplicas();
  EXPECT_EQ(Run("SET k v"), "+OK\r\n");
  Advance(11'000);
  replication().CountReplicas();
  EXPECT_THAT(Run("SET k v"), StartsWith("-NOREPLICAS ")) << "both have been silent";
}

TEST_F(ReplicationTest, WaitEndsWhenEnoughHaveAcknowledgedTheClientsLastChange) {
  FullSync();
  replication().board().Join(7, "host:7", 0, 0, 0);
  Run("SET k v");
  const int64_t offset = replication().figures().offset;
  EXPECT_EQ(Run("WAIT 0 0"), ":0\r\n");
  EXPECT_EQ(Run("WAIT 1 100"), "(blocked)");
  EXPECT_EQ(replication().board().waiters(), 1U);
  replication().board().Acked(7, offset - 1, 0, 0);
  EXPECT_EQ(Run("WAIT 0 0"), ":0\r\n");
  replication().board().Acked(7, offset, 0, 0);
  EXPECT_EQ(Run("WAIT 1 0"), ":1\r\n");
  EXPECT_EQ(RunAs("other", "WAIT 0 0"), ":1\r\n") << "it has changed nothing";
  EXPECT_EQ(replication().board().waiters(), 0U) << "the request that was parked is woken";
  blocked_.reset();  // it leaves the board, so it goes before the server
}

}  // namespace
}  // namespace cloakroom
