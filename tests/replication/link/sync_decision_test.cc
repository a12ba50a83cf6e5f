#include "replication/link/sync_decision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

namespace cloakroom {
namespace {

using Kind = SyncDecision::Kind;
using Reason = SyncDecision::Reason;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kName[] = "10.0.0.2:6380";

/// A primary whose id1 is b…, with id2 a… up to offset 149, and bytes 101 to 200 in its backlog.
class SyncDecisionTest : public testing::Test {
 protected:
  SyncDecisionTest() {
    EXPECT_TRUE(history_.TakeOver({Id('a'), 100}, 0));
    EXPECT_TRUE(history_.Continue(Id('b'), 49));
    request_.id = ids_[1];
    request_.offset = "201";
    request_.options.listening_port = 6380;
    request_.options.capa_psync2 = true;
    request_.peer_ip = "10.0.0.2";
    request_.client = "id=7 addr=10.0.0.2:1";
    server_.stream.tail = 100;
    server_.backlog_size = 1000;
  }
  static ReplicationId Id(char digit) { return *ReplicationId::Parse(std::string(40, digit)); }

  SyncDecision Decide() { return DecideSync(history_, request_, server_); }
  /// Asks for `offset` under the id of so many `digit`s.
  SyncDecision Ask(char digit, std::string offset) {
    id_ = std::string(40, digit);
    offset_ = std::move(offset);
    request_.id = id_;
    request_.offset = offset_;
    return Decide();
  }
  std::string Error() { return Decide().error; }
  static LinkLine Asks() {
    return LinkLine::Notice(std::string("Replica ") + kName + " asks for synchronization");
  }
  static LinkLine Lacks(const std::string& offset) {
    return LinkLine::Notice(std::string("Unable to partial resync with replica ") + kName +
                            " for lack of backlog (Replica request was: " + offset + ").");
  }

  const std::string ids_[2] = {std::string(40, 'a'), std::string(40, 'b')};
  std::string id_;
  std::string offset_;
  std::mt19937_64 random_{3};
  ReplicationHistory history_{random_};
  SyncRequest request_;
  SyncServer server_;
};

// The rows of the decision, in their order; each test also sets what later rows would refuse.

TEST_F(SyncDecisionTest, AReplicaGetsNoReply) {
  request_.is_replica = true;
  request_.failover = true;
  server_.failing_over = true;
  const SyncDecision decision = Decide();
  EXPECT_EQ(decision.kind, Kind::kNothing);
  EXPECT_THAT(decision.lines, IsEmpty());
  EXPECT_FALSE(decision.sync_full);
}

TEST_F(SyncDecisionTest, FailoverIsForReplicasOnly) {
  request_.failover = true;
  server_.failing_over = true;
  const SyncDecision decision = Decide();
  EXPECT_EQ(decision.error, "ERR PSYNC FAILOVER can't be sent to a master.");
  EXPECT_THAT(
      decision.lines,
      ElementsAre(LinkLine::Warning("Failover request received for replid " + ids_[1] + ".")));
}

TEST_F(SyncDecisionTest, FailoverNeedsTheFirstId) {
  request_.failover = true;
  request_.id = ids_[0];
  server_.is_replica = true;
  EXPECT_EQ(Error(), "ERR PSYNC FAILOVER replid must match my replid.");
}

TEST_F(SyncDecisionTest, FailoverPromotesEvenWhenTheLinkIsDown) {
  request_.failover = true;
  server_.is_replica = true;
  server_.link_up = false;
  const SyncDecision decision = Decide();
  EXPECT_EQ(decision.kind, Kind::kPromote);
  EXPECT_EQ(decision.error, "");
  EXPECT_EQ(decision.promoted,
            LinkLine::Notice("MASTER MODE enabled (failover request from 'id=7 addr=10.0.0.2:1')"));
}

TEST_F(SyncDecisionTest, AfterThePromotionTheSameRequestIsContinued) {
  history_.Promote(100, random_);
  EXPECT_EQ(Decide().reply, "+CONTINUE " + std::string(history_.id1().text()) + "\r\n");
}

TEST_F(SyncDecisionTest, SyncKnowsNoFailover) {
  request_.psync = false;
  request_.failover = true;
  EXPECT_EQ(Decide().kind, Kind::kFull);
}

TEST_F(SyncDecisionTest, NobodySynchronisesDuringAFailover) {
  server_.failing_over = true;
  server_.is_replica = true;
  EXPECT_EQ(Error(), "NOMASTERLINK Can't SYNC while failing over");
  EXPECT_THAT(Decide().lines, IsEmpty());
}

TEST_F(SyncDecisionTest, AReplicaServesOnlyWhileItsLinkIsUp) {
  server_.is_replica = true;
  request_.pending_output = true;
  EXPECT_EQ(Error(), "NOMASTERLINK Can't SYNC while not connected with my master");
  request_.pending_output = false;
  server_.link_up = true;
  EXPECT_EQ(Decide().kind, Kind::kContinue);
}

TEST_F(SyncDecisionTest, UnsentRepliesRefuse) {
  request_.pending_output = true;
  request_.options.exclude_data = true;
  EXPECT_EQ(Error(), "ERR SYNC and PSYNC are invalid with pending output");
}

TEST_F(SyncDecisionTest, AFilteredReplicaNeedsTheEndMark) {
  request_.options.exclude_data = true;
  request_.offset = "x";
  EXPECT_EQ(Error(), "ERR Filtered replica requires EOF capability");
  request_.options.capa_eof = true;
  request_.offset = "201";
  EXPECT_EQ(Decide().kind, Kind::kContinue);
}

TEST_F(SyncDecisionTest, AWrongOffsetIsAnErrorAndCountsNothing) {
  for (const char* offset : {"", "x", "1x", " 1", "01", "99999999999999999999"}) {
    request_.offset = offset;
    const SyncDecision decision = Decide();
    EXPECT_EQ(decision.error, "ERR value is not an integer or out of range") << offset;
    EXPECT_THAT(decision.lines,
                ElementsAre(Asks(), LinkLine::Warning(std::string("Replica ") + kName +
                                                      " asks for synchronization but with a wrong "
                                                      "offset")));
    EXPECT_FALSE(decision.sync_full || decision.sync_partial_err || decision.sync_partial_ok);
  }
}

TEST_F(SyncDecisionTest, TheFirstIdIsContinuedFromTheOffset) {
  const SyncDecision decision = Ask('b', "151");
  EXPECT_EQ(decision.kind, Kind::kContinue);
  EXPECT_EQ(decision.reason, Reason::kNone);
  EXPECT_EQ(decision.reply, "+CONTINUE " + ids_[1] + "\r\n");
  EXPECT_EQ(decision.position, 50);
  EXPECT_TRUE(decision.sync_partial_ok);
  EXPECT_FALSE(decision.sync_full || decision.sync_partial_err);
  EXPECT_THAT(
      decision.lines,
      ElementsAre(Asks(),
                  LinkLine::Notice(std::string("Partial resynchronization request from ") + kName +
                                   " accepted. Sending 50 bytes of backlog starting from offset "
                                   "151.")));
}

TEST_F(SyncDecisionTest, AReplicaWithoutPsync2GetsNoId) {
  request_.options.capa_psync2 = false;
  EXPECT_EQ(Decide().reply, "+CONTINUE\r\n");
}

TEST_F(SyncDecisionTest, IdsCompareWithoutCase) {
  EXPECT_EQ(Ask('B', "201").kind, Kind::kContinue);
  EXPECT_EQ(Ask('A', "150").kind, Kind::kContinue);
}

TEST_F(SyncDecisionTest, GrantsFromTheFirstByteToTheOneBehindTheTail) {
  EXPECT_EQ(Ask('b', "101").position, 0);
  EXPECT_EQ(Ask('b', "101").kind, Kind::kContinue);
  EXPECT_EQ(Ask('b', "201").position, 100);
  EXPECT_EQ(Ask('b', "201").kind, Kind::kContinue);
  EXPECT_EQ(Ask('b', "100").reason, Reason::kBeforeBacklog);
  EXPECT_EQ(Ask('b', "202").reason, Reason::kBehindTail);
}

TEST_F(SyncDecisionTest, TheSecondIdIsContinuedUpToItsLimit) {
  EXPECT_EQ(Ask('a', "150").kind, Kind::kContinue);
  EXPECT_EQ(Ask('a', "150").reply, "+CONTINUE " + ids_[1] + "\r\n");
  const SyncDecision decision = Ask('a', "151");
  EXPECT_EQ(decision.kind, Kind::kFull);
  EXPECT_EQ(decision.reason, Reason::kBeyondId2);
  EXPECT_TRUE(decision.sync_full && decision.sync_partial_err);
  EXPECT_THAT(decision.lines,
              ElementsAre(Asks(), LinkLine::Notice("Partial resynchronization not accepted: "
                                                   "Requested offset for second ID was 151, but I "
                                                   "can reply up to 150")));
}

TEST_F(SyncDecisionTest, AnotherIdGetsAFullSync) {
  const SyncDecision decision = Ask('c', "150");
  EXPECT_EQ(decision.kind, Kind::kFull);
  EXPECT_EQ(decision.reason, Reason::kOtherId);
  EXPECT_TRUE(decision.sync_full && decision.sync_partial_err);
  EXPECT_THAT(
      decision.lines,
      ElementsAre(Asks(), LinkLine::Notice("Partial resynchronization not accepted: Replication ID "
                                           "mismatch (Replica asked for '" +
                                           std::string(40, 'c') + "', my replication IDs are '" +
                                           ids_[1] + "' and '" + ids_[0] + "')")));
}

TEST_F(SyncDecisionTest, TheLogShowsAnIdUpToItsFirstNul) {
  id_ = std::string("x\0y", 3);
  request_.id = id_;
  EXPECT_THAT(Decide().lines[1].text, testing::HasSubstr("asked for 'x', my"));
}

TEST_F(SyncDecisionTest, AQuestionMarkWantsAFullSyncAndIsNoFailure) {
  request_.id = "?";
  request_.offset = "-1";
  const SyncDecision decision = Decide();
  EXPECT_EQ(decision.kind, Kind::kFull);
  EXPECT_EQ(decision.reason, Reason::kWanted);
  EXPECT_TRUE(decision.sync_full);
  EXPECT_FALSE(decision.sync_partial_err);
  EXPECT_THAT(decision.lines,
              ElementsAre(Asks(), LinkLine::Notice(
                                      std::string("Full resync requested by replica ") + kName)));
}

TEST_F(SyncDecisionTest, SyncGetsAFullSyncWithoutFurtherWords) {
  request_.psync = false;
  const SyncDecision decision = Decide();
  EXPECT_EQ(decision.kind, Kind::kFull);
  EXPECT_TRUE(decision.sync_full);
  EXPECT_FALSE(decision.sync_partial_err);
  EXPECT_THAT(decision.lines, ElementsAre(Asks()));
}

TEST_F(SyncDecisionTest, WithoutABacklogNothingIsContinued) {
  history_ = ReplicationHistory(random_);
  id_ = std::string(history_.id1().text());
  request_.id = id_;
  request_.offset = "51";
  const SyncDecision decision = Decide();
  EXPECT_EQ(decision.reason, Reason::kNoBacklog);
  EXPECT_TRUE(decision.sync_full && decision.sync_partial_err);
  EXPECT_THAT(decision.lines, ElementsAre(Asks(), Lacks("51")));
}

TEST_F(SyncDecisionTest, TheLogSaysHowMuchTheBacklogLacks) {
  EXPECT_THAT(Ask('b', "61").lines,
              ElementsAre(Asks(), Lacks("61"),
                          LinkLine::Notice(std::string("The backlog begins 40 bytes behind what "
                                                       "replica ") +
                                           kName + " asked for (see repl-backlog-size)")));
}

TEST_F(SyncDecisionTest, TheLogWarnsOfAnOffsetThatWeDoNotHave) {
  EXPECT_THAT(Ask('b', "202").lines,
              ElementsAre(Asks(), Lacks("202"),
                          LinkLine::Warning(std::string("Warning: replica ") + kName +
                                            " tried to PSYNC with an offset that is greater than "
                                            "the master replication offset.")));
}

TEST_F(SyncDecisionTest, ExtremeOffsetsGetAFullSync) {
  EXPECT_EQ(Ask('b', "-9223372036854775808").reason, Reason::kBeforeBacklog);
  EXPECT_EQ(Ask('b', "9223372036854775807").reason, Reason::kBehindTail);
  EXPECT_EQ(Ask('a', "-9223372036854775808").reason, Reason::kBeforeBacklog);
}

TEST_F(SyncDecisionTest, FortyZerosNameNoHistory) {
  ASSERT_TRUE(history_.TakeOver({Id('a'), 100}, 0));
  EXPECT_EQ(Ask('0', "1").lines[1].text,
            "Partial resynchronization not accepted: Requested offset for second ID was 1, but I "
            "can reply up to -1");
  EXPECT_THAT(Ask('0', "-1").lines, ElementsAre(Asks(), Lacks("-1")));
  EXPECT_EQ(Ask('0', "-1").kind, Kind::kFull);
}

}  // namespace
}  // namespace cloakroom
