#include "replication/link/failover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace cloakroom {
namespace {

using Kind = FailoverAction::Kind;
using State = Failover::State;
using testing::IsEmpty;

constexpr int64_t kNow = 1'000'000;
constexpr int64_t kTail = 500;

FailoverRequest Read(std::vector<std::string_view> words) {
  const absl::StatusOr<FailoverRequest> request = FailoverRequest::Read(words);
  EXPECT_TRUE(request.ok()) << request.status();
  return request.value_or(FailoverRequest());
}
/// The reply to wrong words.
std::string ReadError(std::vector<std::string_view> words) {
  const absl::StatusOr<FailoverRequest> request = FailoverRequest::Read(words);
  EXPECT_TRUE(absl::IsInvalidArgument(request.status()));
  return std::string(request.status().message());
}

std::vector<Kind> Kinds(const std::vector<FailoverAction>& actions) {
  std::vector<Kind> kinds;
  kinds.reserve(actions.size());
  for (const FailoverAction& action : actions) kinds.push_back(action.kind);
  return kinds;
}
std::string FirstLine(const std::vector<FailoverAction>& actions) {
  for (const FailoverAction& action : actions)
    if (action.kind == Kind::kLog) return action.line.text;
  return "no line";
}
FailoverTarget TargetOf(const std::vector<FailoverAction>& actions) {
  for (const FailoverAction& action : actions)
    if (action.kind == Kind::kReplicaOf) return action.target;
  return {};
}

class FailoverTest : public testing::Test {
 protected:
  std::vector<FailoverAction> Start(std::vector<std::string_view> words, bool is_replica = false) {
    auto actions = failover_.Start(Read(std::move(words)), is_replica, replicas_, kTail, kNow);
    EXPECT_TRUE(actions.ok()) << actions.status();
    return actions.value_or(std::vector<FailoverAction>());
  }
  std::string Error(std::vector<std::string_view> words, bool is_replica = false) {
    const auto actions =
        failover_.Start(Read(std::move(words)), is_replica, replicas_, kTail, kNow);
    EXPECT_TRUE(absl::IsFailedPrecondition(actions.status()));
    return std::string(actions.status().message());
  }
  std::vector<FailoverAction> Check(int64_t now_ms = kNow) {
    return failover_.Check(replicas_, kTail, now_ms);
  }

  std::vector<FailoverReplica> replicas_ = {{"10.0.0.2", 6380, true, 400},
                                            {"10.0.0.3", 6381, true, 300}};
  Failover failover_;
};

// Words. The errors are those of redis-server 7.0.15.

TEST_F(FailoverTest, WordsInAnyOrderAndCase) {
  const FailoverRequest request = Read({"timeout", "50", "FORCE", "To", "host", "7"});
  EXPECT_EQ(request.target, (FailoverTarget{"host", 7}));
  EXPECT_TRUE(request.force);
  EXPECT_EQ(request.timeout_ms, 50);
  EXPECT_FALSE(request.abort);
  EXPECT_TRUE(Read({"ABORT"}).abort);
  EXPECT_FALSE(Read({}).abort);
  EXPECT_EQ(Read({"to", "force", "1"}).target, (FailoverTarget{"force", 1}));
}

TEST_F(FailoverTest, WrongWordsAreSyntaxErrors) {
  using Words = std::vector<std::string_view>;
  for (const Words& words : {Words{"abort", "x"}, Words{"to", "h"}, Words{"timeout"}, Words{"x"},
                             Words{"force", "force"}, Words{"timeout", "5", "timeout", "6"},
                             Words{"to", "a", "1", "to", "b", "2"}, Words{"force", "abort"}})
    EXPECT_EQ(ReadError(words), "ERR syntax error") << words.front();
}

TEST_F(FailoverTest, NumbersMustBeNumbers) {
  EXPECT_EQ(ReadError({"to", "h", "x"}), "ERR value is not an integer or out of range");
  EXPECT_EQ(ReadError({"timeout", "x"}), "ERR value is not an integer or out of range");
  EXPECT_EQ(ReadError({"timeout", "0"}), "ERR FAILOVER timeout must be greater than 0");
  EXPECT_EQ(ReadError({"timeout", "-5"}), "ERR FAILOVER timeout must be greater than 0");
  EXPECT_EQ(Read({"to", "h", "70000"}).target->port, 70000) << "as in Redis";
}

// Refusals, in Redis' order.

TEST_F(FailoverTest, AReplicaRefuses) {
  replicas_.clear();
  EXPECT_EQ(Error({}, true), "ERR FAILOVER is not valid when server is a replica.");
  EXPECT_EQ(failover_.state(), State::kNone);
}

TEST_F(FailoverTest, NeedsReplicas) {
  replicas_.clear();
  EXPECT_EQ(Error({"force"}), "ERR FAILOVER requires connected replicas.");
}

TEST_F(FailoverTest, ForceNeedsATargetAndATimeout) {
  const std::string error =
      "ERR FAILOVER with force option requires both a timeout and target HOST and IP.";
  EXPECT_EQ(Error({"force"}), error);
  EXPECT_EQ(Error({"force", "timeout", "5"}), error);
  EXPECT_EQ(Error({"to", "10.0.0.9", "1", "force"}), error);
}

TEST_F(FailoverTest, TheTargetMustBeAnOnlineReplica) {
  EXPECT_EQ(Error({"to", "10.0.0.2", "6381"}),
            "ERR FAILOVER target HOST and PORT is not a replica.");
  replicas_[0].online = false;
  EXPECT_EQ(Error({"to", "10.0.0.2", "6380"}), "ERR FAILOVER target replica is not online.");
}

TEST_F(FailoverTest, OneAtATime) {
  Start({});
  EXPECT_EQ(Error({}), "ERR FAILOVER already in progress.");
  EXPECT_EQ(Error({}, true), "ERR FAILOVER already in progress.");
}

TEST_F(FailoverTest, NothingToAbort) {
  EXPECT_EQ(Error({"abort"}), "ERR No failover in progress.");
  EXPECT_EQ(Error({"abort"}, true), "ERR No failover in progress.");
}

// The way through.

TEST_F(FailoverTest, PausesWritesAndAsksForAcks) {
  const auto actions = Start({"to", "10.0.0.3", "6381"});
  EXPECT_EQ(Kinds(actions), (std::vector{Kind::kLog, Kind::kPauseWrites, Kind::kAskForAcks}));
  EXPECT_EQ(FirstLine(actions), "FAILOVER requested to 10.0.0.3:6381.");
  EXPECT_EQ(actions[0].line.level, LinkLevel::kNotice);
  EXPECT_EQ(failover_.state_name(), "waiting-for-sync");
  EXPECT_THAT(Check(), IsEmpty());
}

TEST_F(FailoverTest, GoesOnWhenTheTargetHasTheWholeStream) {
  Start({"to", "10.0.0.3", "6381"});
  replicas_[0].ack = kTail;
  EXPECT_THAT(Check(), IsEmpty()) << "that is another replica";
  replicas_[1].ack = kTail;
  const auto actions = Check();
  EXPECT_EQ(Kinds(actions), (std::vector{Kind::kLog, Kind::kReplicaOf}));
  EXPECT_EQ(FirstLine(actions), "Failover target 10.0.0.3:6381 is synced, failing over.");
  EXPECT_EQ(TargetOf(actions), (FailoverTarget{"10.0.0.3", 6381}));
  EXPECT_EQ(failover_.state_name(), "failover-in-progress");
}

TEST_F(FailoverTest, WithoutATargetTheFirstSyncedReplicaIsIt) {
  EXPECT_EQ(FirstLine(Start({})), "FAILOVER requested to any replica.");
  replicas_[1].ack = kTail;
  EXPECT_EQ(TargetOf(Check()), (FailoverTarget{"10.0.0.3", 6381}));
}

TEST_F(FailoverTest, ASyncedReplicaIsTakenAtOnce) {
  replicas_[0].ack = kTail;
  const auto actions = Start({});
  EXPECT_EQ(Kinds(actions),
            (std::vector{Kind::kLog, Kind::kPauseWrites, Kind::kLog, Kind::kReplicaOf}));
  EXPECT_EQ(failover_.state(), State::kInProgress);
}

TEST_F(FailoverTest, WhatComesAfterThePauseNeedNotBeAcknowledged) {
  Start({});
  replicas_[0].ack = kTail;
  EXPECT_EQ(Kinds(failover_.Check(replicas_, kTail + 37, kNow)).back(), Kind::kReplicaOf)
      << "GETACK makes the stream longer";
}

TEST_F(FailoverTest, OnlyOnlineReplicasAndPossibleAcksCount) {
  Start({});
  replicas_[0] = {"10.0.0.2", 6380, false, kTail};
  replicas_[1].ack = kTail + 1;
  EXPECT_THAT(Check(), IsEmpty());
}

TEST_F(FailoverTest, ATargetThatIsGoneIsWaitedFor) {
  Start({"to", "10.0.0.2", "6380"});
  replicas_.clear();
  EXPECT_THAT(Check(), IsEmpty());
  EXPECT_EQ(failover_.state(), State::kWaitingForSync);
}

TEST_F(FailoverTest, EndsWhenTheTargetAccepts) {
  replicas_[0].ack = kTail;
  Start({});
  EXPECT_EQ(Kinds(failover_.PsyncAccepted()), std::vector{Kind::kResume});
  EXPECT_EQ(failover_.state_name(), "no-failover");
  EXPECT_THAT(failover_.PsyncAccepted(), IsEmpty());
}

TEST_F(FailoverTest, BecomesAPrimaryAgainWhenTheTargetRefuses) {
  replicas_[0].ack = kTail;
  Start({});
  const auto actions = failover_.PsyncRejected();
  EXPECT_EQ(Kinds(actions), (std::vector{Kind::kLog, Kind::kPromote, Kind::kResume}));
  EXPECT_EQ(FirstLine(actions),
            "FAILOVER to 10.0.0.2:6380 aborted: Failover target rejected psync request");
  EXPECT_EQ(failover_.state(), State::kNone);
}

TEST_F(FailoverTest, BecomesAPrimaryAgainWhenPsyncCannotBeSent) {
  replicas_[0].ack = kTail;
  Start({});
  EXPECT_EQ(FirstLine(failover_.PsyncNotSent()),
            "FAILOVER to 10.0.0.2:6380 aborted: Write error to failover target");
}

TEST_F(FailoverTest, AnswersOutsideOfItMeanNothing) {
  EXPECT_THAT(failover_.PsyncAccepted(), IsEmpty());
  EXPECT_THAT(failover_.PsyncRejected(), IsEmpty());
  EXPECT_THAT(failover_.PsyncNotSent(), IsEmpty());
  EXPECT_THAT(Check(), IsEmpty());
  Start({});
  EXPECT_THAT(failover_.PsyncRejected(), IsEmpty());
  EXPECT_EQ(failover_.state(), State::kWaitingForSync);
}

// Ends before its time.

TEST_F(FailoverTest, AbortWhileWaitingEndsThePause) {
  Start({"timeout", "5"});
  const auto actions = Start({"abort"});
  EXPECT_EQ(Kinds(actions), (std::vector{Kind::kLog, Kind::kResume}));
  EXPECT_EQ(FirstLine(actions), "FAILOVER to any replica aborted: Failover manually aborted");
  EXPECT_EQ(failover_.state(), State::kNone);
  EXPECT_EQ(failover_.deadline_ms(), kNever);
}

TEST_F(FailoverTest, AbortInProgressMakesItAPrimaryAgain) {
  replicas_[0].ack = kTail;
  Start({});
  const auto actions = Start({"abort"}, true);
  EXPECT_EQ(Kinds(actions), (std::vector{Kind::kLog, Kind::kPromote, Kind::kResume}));
}

TEST_F(FailoverTest, ATimeoutEndsIt) {
  Start({"to", "10.0.0.2", "6380", "timeout", "50"});
  EXPECT_EQ(failover_.deadline_ms(), kNow + 50);
  EXPECT_THAT(Check(kNow + 49), IsEmpty());
  const auto actions = Check(kNow + 50);
  EXPECT_EQ(Kinds(actions), (std::vector{Kind::kLog, Kind::kResume}));
  EXPECT_EQ(FirstLine(actions),
            "FAILOVER to 10.0.0.2:6380 aborted: Replica never caught up before timeout");
}

TEST_F(FailoverTest, ATimeoutWithForceGoesOn) {
  Start({"to", "10.0.0.2", "6380", "timeout", "50", "force"});
  const auto actions = Check(kNow + 50);
  EXPECT_EQ(Kinds(actions), (std::vector{Kind::kLog, Kind::kReplicaOf}));
  EXPECT_EQ(FirstLine(actions), "FAILOVER to 10.0.0.2:6380 time out exceeded, failing over.");
  EXPECT_EQ(failover_.deadline_ms(), kNever);
}

TEST_F(FailoverTest, InProgressNoTimeoutEndsIt) {
  replicas_[0].ack = kTail;
  Start({"timeout", "50"});
  EXPECT_THAT(Check(kNow + 1000), IsEmpty());
  EXPECT_EQ(failover_.state(), State::kInProgress);
}

TEST_F(FailoverTest, TheLongestTimeoutIsForEver) {
  Start({"timeout", "9223372036854775807"});
  EXPECT_THAT(Check(kNever - 1), IsEmpty());
}

TEST_F(FailoverTest, WithoutATimeoutItWaits) {
  Start({});
  EXPECT_EQ(failover_.deadline_ms(), kNever);
  EXPECT_THAT(Check(kNever - 1), IsEmpty());
}

TEST_F(FailoverTest, ASecondOneForgetsTheFirst) {
  Start({"to", "10.0.0.3", "6381", "timeout", "50"});
  Start({"abort"});
  Start({});
  replicas_[0].ack = kTail;
  EXPECT_EQ(TargetOf(Check(kNow + 100)), (FailoverTarget{"10.0.0.2", 6380}));
}

}  // namespace
}  // namespace cloakroom
