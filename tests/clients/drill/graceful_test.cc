#include "clients/drill/graceful.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "tests/clients/support/scripted_server.h"
#include "tests/support/status_matchers.h"

namespace cloakroom::drill {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string PrimaryInfo(const std::string& state) {
  return ScriptedServer::Bulk(
      "role:master\r\nmaster_repl_offset:100\r\nmaster_failover_state:" + state + "\r\n");
}
std::string ReplicaInfo(int64_t offset) {
  return ScriptedServer::Bulk("role:slave\r\nmaster_link_status:up\r\nslave_repl_offset:" +
                              std::to_string(offset) + "\r\nmaster_failover_state:no-failover\r\n");
}

/// A primary, a replica and a Sentinel, scripted. Once asked for a failover, the Sentinel names the
/// replica.
class GracefulTest : public ::testing::Test {
 protected:
  GracefulTest()
      : primary_([this](const std::string& request) -> std::string {
          if (request.starts_with("FAILOVER")) begun_ = true;
          if (!request.starts_with("INFO")) return ScriptedServer::kOk;
          if (!begun_ || gives_up_) return PrimaryInfo("no-failover");
          return hands_over_ ? ReplicaInfo(100) : PrimaryInfo("waiting-for-sync");
        }),
        replica_([this](const std::string& request) -> std::string {
          if (request.starts_with("INFO")) return ReplicaInfo(replica_offset_);
          if (request == "ROLE") return ScriptedServer::Array({ScriptedServer::Bulk("master")});
          return ScriptedServer::kOk;
        }),
        sentinel_([this](const std::string& request) -> std::string {
          if (request.starts_with("SENTINEL FAILOVER")) {
            begun_ = !refuses_;
            return begun_ ? ScriptedServer::kOk : "-NOGOODSLAVE No suitable replica to promote\r\n";
          }
          if (!request.starts_with("SENTINEL")) return ScriptedServer::kOk;
          const Address named = begun_ ? replica_.address() : primary_.address();
          return ScriptedServer::Array(
              {ScriptedServer::Bulk(named.host), ScriptedServer::Bulk(std::to_string(named.port))});
        }) {
    context_.primary = primary_.address();
    context_.replicas = {replica_.address()};
    context_.interrupt = &interrupt_;
    context_.say = [](const std::string&) {};
  }

  void UseSentinel() {
    context_.where.sentinels = {sentinel_.address()};
    context_.where.master = "shop";
  }
  /// What the primary was told, without questions.
  std::vector<std::string> Told() const {
    std::vector<std::string> told;
    for (const std::string& request : primary_.requests()) {
      const bool asks = request.starts_with("INFO") || request.starts_with("CLIENT SETNAME");
      if (!asks) told.push_back(request);
    }
    return told;
  }

  std::atomic<bool> begun_ = false;
  std::atomic<int64_t> replica_offset_ = 100;
  std::atomic<bool> refuses_ = false;    // the Sentinel
  std::atomic<bool> gives_up_ = false;   // the primary, its FAILOVER
  std::atomic<bool> hands_over_ = true;  // the primary
  ScriptedServer primary_;
  ScriptedServer replica_;
  ScriptedServer sentinel_;
  Signal interrupt_;
  ActContext context_;
};

TEST_F(GracefulTest, WithSentinelsWritesArePausedUntilTheFormerPrimaryFollows) {
  UseSentinel();
  ASSERT_OK(HandOver(context_, std::nullopt));
  const std::string port = std::to_string(replica_.address().port);
  EXPECT_THAT(Told(), ElementsAre("CLIENT PAUSE 5000 WRITE", "REPLICAOF 127.0.0.1 " + port,
                                  "CONFIG REWRITE", "CLIENT UNPAUSE"));
  EXPECT_EQ(sentinel_.CountOf("SENTINEL FAILOVER shop"), 1);
}

TEST_F(GracefulTest, AReplicaThatDoesNotCatchUpEndsThePauseAndNothingElseHappens) {
  UseSentinel();
  replica_offset_ = 99;
  context_.catch_up_limit = std::chrono::milliseconds(0);
  EXPECT_THAT(HandOver(context_, std::nullopt),
              FailsWith(HasSubstr("the replicas have all writes")));
  EXPECT_EQ(Told().back(), "CLIENT UNPAUSE");
  EXPECT_EQ(primary_.CountOf("REPLICAOF"), 0);
  EXPECT_EQ(sentinel_.CountOf("SENTINEL FAILOVER"), 0);
}

TEST_F(GracefulTest, ARefusalOfTheSentinelEndsThePause) {
  UseSentinel();
  refuses_ = true;
  EXPECT_THAT(HandOver(context_, std::nullopt), FailsWith(HasSubstr("NOGOODSLAVE")));
  EXPECT_THAT(Told(), ElementsAre("CLIENT PAUSE 5000 WRITE", "CLIENT UNPAUSE"));
}

TEST_F(GracefulTest, AnInterruptEndsThePause) {
  UseSentinel();
  replica_offset_ = 99;
  interrupt_.Raise();
  EXPECT_TRUE(absl::IsCancelled(HandOver(context_, std::nullopt)));
  EXPECT_EQ(Told().back(), "CLIENT UNPAUSE");
}

TEST_F(GracefulTest, WhatTheSentinelsHaveBegunIsFinishedInSpiteOfAnInterrupt) {
  UseSentinel();
  context_.say = [this](const std::string& text) {
    if (text.starts_with("SENTINEL FAILOVER")) interrupt_.Raise();
  };
  EXPECT_OK(HandOver(context_, std::nullopt));
  EXPECT_EQ(primary_.CountOf("REPLICAOF"), 1);
  EXPECT_EQ(Told().back(), "CLIENT UNPAUSE");
}

TEST_F(GracefulTest, WithoutSentinelsFailoverCarriesATimeout) {
  ASSERT_OK(HandOver(context_, std::nullopt));
  EXPECT_THAT(Told(), ElementsAre("FAILOVER TIMEOUT 10000"));
}

TEST_F(GracefulTest, AFailoverMayHaveATarget) {
  ASSERT_OK(HandOver(context_, Address{"10.0.0.2", 6379}));
  EXPECT_THAT(Told(), ElementsAre("FAILOVER TO 10.0.0.2 6379 TIMEOUT 10000"));
}

TEST_F(GracefulTest, AFailoverThatThePrimaryGivesUpIsAnError) {
  gives_up_ = true;
  EXPECT_THAT(HandOver(context_, std::nullopt), FailsWith(HasSubstr("gave up FAILOVER")));
}

TEST_F(GracefulTest, AnInterruptAbortsAFailover) {
  hands_over_ = false;
  interrupt_.Raise();
  EXPECT_TRUE(absl::IsCancelled(HandOver(context_, std::nullopt)));
  EXPECT_EQ(Told().back(), "FAILOVER ABORT");
}

TEST_F(GracefulTest, ReplicasWithoutALinkAreNotWaitedForButOneMustHaveOne) {
  EXPECT_OK(AwaitReplicas(context_, std::chrono::milliseconds(0)));
  context_.replicas = {{"127.0.0.1", 1}};
  EXPECT_TRUE(absl::IsDeadlineExceeded(AwaitReplicas(context_, std::chrono::milliseconds(0))));
}

}  // namespace
}  // namespace cloakroom::drill
