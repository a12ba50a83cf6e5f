#include "clients/drill/findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace cloakroom::drill {
namespace {

using ::testing::HasSubstr;

constexpr double kMegabyte = 1024 * 1024;

/// A primary, a replica and three Sentinels that are as they should be.
Topology Healthy() {
  Topology topology;
  Server& primary = topology.primary;
  primary.address = {"10.0.0.1", 6379};
  primary.product = "Redis";
  primary.version = "7.0.15";
  primary.run_id = "r1";
  primary.replication_id = "id1";
  primary.is_primary = true;
  primary.offset = 1000;
  primary.memory_bytes = 1024 * 1024;
  primary.backlog_bytes = 64 * 1024 * 1024;
  primary.replicas = {{.address = {"10.0.0.2", 6379}, .state = "online", .offset = 1000}};
  primary.settings = {{"client-output-buffer-limit",
                       "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"},
                      {"repl-timeout", "60"},
                      {"repl-ping-replica-period", "10"},
                      {"min-replicas-to-write", "0"}};
  Server replica = primary;
  replica.address = {"10.0.0.2", 6379};
  replica.run_id = "r2";
  replica.is_primary = false;
  replica.primary = primary.address;
  replica.link_up = true;
  replica.replicas.clear();
  topology.replicas = {replica};
  for (const char* host : {"10.0.0.1", "10.0.0.2", "10.0.0.3"}) {
    Sentinel sentinel;
    sentinel.address = {host, 26379};
    sentinel.has_quorum = true;
    sentinel.quorum_text = "OK 3 usable Sentinels.";
    sentinel.primary = {.address = primary.address, .flags = "master"};
    sentinel.replicas = {{.address = replica.address, .flags = "slave"}};
    sentinel.other_sentinels = 2;
    sentinel.quorum = 2;
    sentinel.down_after_ms = 5000;
    topology.sentinels.push_back(sentinel);
  }
  topology.measured_s = 5;
  topology.write_bytes_per_s = 100 * 1024;
  return topology;
}

/// The worst finding about a thing; a verdict of ok and no text when there is none.
Finding About(const Topology& topology, std::string_view about, int64_t away_s = 60) {
  Finding worst;
  for (const Finding& finding : Judge(topology, {.away_s = away_s})) {
    if (finding.about != about) continue;
    if (worst.text.empty() || finding.verdict > worst.verdict) worst = finding;
  }
  return worst;
}

MATCHER_P2(Is, verdict, words, "") {
  *result_listener << ToText(arg.verdict) << ": " << arg.text << " -> " << arg.advice;
  return arg.verdict == verdict && (arg.text + arg.advice).find(words) != std::string::npos &&
         arg.advice.empty() == (verdict == Verdict::kOk);
}

TEST(FindingsTest, AHealthyTopologyHasNothingButOk) {
  const std::vector<Finding> findings = Judge(Healthy(), {});
  EXPECT_GT(findings.size(), 8u);
  for (const Finding& finding : findings) {
    EXPECT_EQ(finding.verdict, Verdict::kOk) << finding.text;
    EXPECT_EQ(finding.advice, "") << finding.text;
  }
  EXPECT_EQ(Worst(findings), Verdict::kOk);
  EXPECT_EQ(Worst({}), Verdict::kOk);
}

// ---- Sentinels ---------------------------------------------------------------------------------

TEST(FindingsTest, ASentinelThatDoesNotAnswerFails) {
  Topology topology = Healthy();
  topology.sentinels[1].error = "10.0.0.2:26379: cannot connect";
  EXPECT_THAT(About(topology, "sentinel"), Is(Verdict::kFailed, "cannot connect"));
}

TEST(FindingsTest, TwoSentinelsAreAWarning) {
  Topology topology = Healthy();
  topology.sentinels[0].other_sentinels = 1;
  EXPECT_THAT(About(topology, "sentinel"), Is(Verdict::kWarning, "2 Sentinels"));
}

TEST(FindingsTest, AMissingQuorumFailsInTheSentinelsWords) {
  Topology topology = Healthy();
  topology.sentinels[2].has_quorum = false;
  topology.sentinels[2].quorum_text = "NOQUORUM 1 usable Sentinels.";
  EXPECT_THAT(About(topology, "quorum"), Is(Verdict::kFailed, "NOQUORUM 1 usable"));
}

TEST(FindingsTest, SentinelsThatDisagreeFail) {
  Topology topology = Healthy();
  topology.sentinels[2].primary.address = {"10.0.0.2", 6379};
  EXPECT_THAT(About(topology, "agreement"), Is(Verdict::kFailed, "different primaries"));
}

TEST(FindingsTest, WhatASentinelSeesAsDownIsSaid) {
  Topology topology = Healthy();
  topology.sentinels[0].replicas[0].flags = "s_down,slave";
  EXPECT_THAT(About(topology, "down"), Is(Verdict::kWarning, "10.0.0.2:6379, a replica"));
  topology.sentinels[1].primary.flags = "master,o_down";
  EXPECT_THAT(About(topology, "down"), Is(Verdict::kFailed, "the primary, as down"));
}

TEST(FindingsTest, TheSentinelsPatienceIsJudged) {
  Topology topology = Healthy();
  EXPECT_THAT(About(topology, "time-outs"), Is(Verdict::kOk, "5.00 s after"));
  for (Sentinel& sentinel : topology.sentinels) sentinel.down_after_ms = 500;
  EXPECT_THAT(About(topology, "time-outs"), Is(Verdict::kWarning, "busy moment"));
  for (Sentinel& sentinel : topology.sentinels) sentinel.down_after_ms = 60'000;
  EXPECT_THAT(About(topology, "time-outs"), Is(Verdict::kWarning, "waits 60 s"));
  topology.sentinels[0].down_after_ms = 5000;
  EXPECT_THAT(About(topology, "time-outs"), Is(Verdict::kWarning, "different"));
}

// ---- servers -----------------------------------------------------------------------------------

TEST(FindingsTest, APrimaryThatDoesNotAnswerFailsAndNothingElseIsKnown) {
  Topology topology = Healthy();
  topology.primary.error = "10.0.0.1:6379: timed out";
  EXPECT_THAT(About(topology, "primary"), Is(Verdict::kFailed, "timed out"));
  EXPECT_EQ(About(topology, "backlog").text, "");
}

TEST(FindingsTest, AReplicaInThePrimarysPlaceFails) {
  Topology topology = Healthy();
  topology.primary.is_primary = false;
  topology.primary.primary = {"10.0.0.9", 6379};
  EXPECT_THAT(About(topology, "primary"), Is(Verdict::kFailed, "replica of 10.0.0.9:6379"));
  EXPECT_EQ(About(topology, "backlog").text, "");
}

TEST(FindingsTest, NoReplicaFails) {
  Topology topology = Healthy();
  topology.replicas.clear();
  EXPECT_THAT(About(topology, "replica"), Is(Verdict::kFailed, "no replica"));
}

TEST(FindingsTest, AnAnnouncedAddressThatDoesNotAnswerFails) {
  Topology topology = Healthy();
  topology.replicas[0].error = "10.0.0.2:6379: timed out";
  EXPECT_THAT(About(topology, "address"), Is(Verdict::kFailed, "replica-announce-ip"));
}

TEST(FindingsTest, ALoopbackAddressAmongOthersFails) {
  Topology topology = Healthy();
  topology.replicas[0].address = {"127.0.0.1", 6380};
  EXPECT_THAT(About(topology, "address"), Is(Verdict::kFailed, "127.0.0.1:6380"));
}

TEST(FindingsTest, OneMachineMayUseLoopbackForAll) {
  Topology topology = Healthy();
  topology.primary.address.host = topology.replicas[0].address.host = "127.0.0.1";
  for (Sentinel& sentinel : topology.sentinels) {
    sentinel.address.host = sentinel.primary.address.host = "127.0.0.1";
  }
  EXPECT_EQ(About(topology, "address").text, "");
}

TEST(FindingsTest, AReplicaWithoutItsLinkFails) {
  Topology topology = Healthy();
  topology.replicas[0].link_up = false;
  topology.replicas[0].link_down_s = 12;
  EXPECT_THAT(About(topology, "link"), Is(Verdict::kFailed, "for 12 s"));
  topology.replicas[0].link_down_s = -1;
  EXPECT_THAT(About(topology, "link"), Is(Verdict::kFailed, "10.0.0.1:6379; it may not"));
}

TEST(FindingsTest, AnotherPrimaryInAReplicasPlaceFails) {
  Topology topology = Healthy();
  topology.replicas[0].is_primary = true;
  EXPECT_THAT(About(topology, "link"), Is(Verdict::kFailed, "is a primary"));
}

TEST(FindingsTest, AReplicaOfAnotherHistoryFails) {
  Topology topology = Healthy();
  topology.replicas[0].replication_id = "id2";
  EXPECT_THAT(About(topology, "id"), Is(Verdict::kFailed, "another history"));
}

TEST(FindingsTest, TwoServersWithOneRunIdFail) {
  Topology topology = Healthy();
  topology.replicas[0].run_id = "r1";
  EXPECT_THAT(About(topology, "id"), Is(Verdict::kFailed, "one run_id"));
}

TEST(FindingsTest, LagIsJudgedBySeconds) {
  Topology topology = Healthy();
  topology.primary.replicas[0].lag_s = 5;
  topology.replicas[0].offset = 0;
  EXPECT_THAT(About(topology, "lag"), Is(Verdict::kWarning, "5 s ago, 1000 B behind"));
  topology.primary.replicas[0].lag_s = 11;
  EXPECT_THAT(About(topology, "lag"), Is(Verdict::kFailed, "11 s ago"));
}

TEST(FindingsTest, PriorityZeroFailsWhenNobodyElseMayBePromoted) {
  Topology topology = Healthy();
  topology.replicas[0].priority = 0;
  EXPECT_THAT(About(topology, "priority"), Is(Verdict::kFailed, "replica-priority 100"));
  topology.replicas.push_back(Healthy().replicas[0]);
  topology.replicas[1].address = {"10.0.0.3", 6379};
  EXPECT_THAT(About(topology, "priority"), Is(Verdict::kOk, "10.0.0.2:6379 has 0"));
}

TEST(FindingsTest, AServerThatForgetsAllInARestartIsAWarning) {
  Topology topology = Healthy();
  EXPECT_THAT(About(topology, "persistence"), Is(Verdict::kOk, ""));
  topology.primary.settings["save"] = "";
  topology.primary.settings["appendonly"] = "no";
  EXPECT_THAT(About(topology, "persistence"),
              Is(Verdict::kWarning, "10.0.0.1:6379: keeps nothing on its disk"));
  topology.primary.settings["appendonly"] = "yes";
  EXPECT_THAT(About(topology, "persistence"), Is(Verdict::kOk, ""));
  topology.replicas[0].settings["save"] = "";
  topology.replicas[0].settings["appendonly"] = "no";
  EXPECT_THAT(About(topology, "persistence"), Is(Verdict::kWarning, "10.0.0.2:6379"));
  topology.replicas[0].settings["save"] = "3600 1";
  EXPECT_THAT(About(topology, "persistence"), Is(Verdict::kOk, ""));
}

TEST(FindingsTest, DifferentVersionsAreAWarning) {
  Topology topology = Healthy();
  topology.replicas[0].version = "6.2.1";
  EXPECT_THAT(About(topology, "version"), Is(Verdict::kWarning, "Redis 6.2.1"));
}

TEST(FindingsTest, AShopMayMoveBetweenRedis7AndCloakroom) {
  Topology topology = Healthy();
  topology.replicas[0].product = "Cloakroom";
  topology.replicas[0].version = "0.1.0";
  EXPECT_THAT(About(topology, "version"), Is(Verdict::kOk, "the primary is Redis 7.0.15"));
  topology.primary.version = "6.2.1";
  EXPECT_THAT(About(topology, "version"), Is(Verdict::kWarning, "the primary is Redis 6.2.1"));
  topology.replicas[0].version = "0.2.0";
  topology.primary.product = "Cloakroom";
  EXPECT_THAT(About(topology, "version"), Is(Verdict::kWarning, "keep all at one version"));
}

TEST(FindingsTest, AReplicaThatWritesOrErredIsSaid) {
  Topology topology = Healthy();
  topology.replicas[0].read_only = false;
  topology.replicas[0].errors = 1;
  EXPECT_THAT(About(topology, "read-only"), Is(Verdict::kWarning, "replica-read-only yes"));
  EXPECT_THAT(About(topology, "errors"), Is(Verdict::kFailed, "1 command "));
}

// ---- capacity ----------------------------------------------------------------------------------

TEST(FindingsTest, TheBacklogSaysHowLongAReplicaMayBeAway) {
  Topology topology = Healthy();
  topology.write_bytes_per_s = 64 * kMegabyte / 38;
  EXPECT_THAT(About(topology, "backlog", 30), Is(Verdict::kOk, "may be away 38 s"));
  EXPECT_THAT(About(topology, "backlog", 60), Is(Verdict::kWarning, "repl-backlog-size 128mb"));
}

TEST(FindingsTest, ARateThatWasNotMeasuredIsAWarning) {
  Topology topology = Healthy();
  topology.measured_s = 0;
  EXPECT_FALSE(AwaySeconds(topology));
  EXPECT_FALSE(FullSyncSeconds(topology));
  EXPECT_THAT(About(topology, "backlog"), Is(Verdict::kWarning, "could not be measured"));
}

TEST(FindingsTest, WithoutWritesAReplicaMayBeAwayForEver) {
  Topology topology = Healthy();
  topology.write_bytes_per_s = 0;
  EXPECT_TRUE(std::isinf(*AwaySeconds(topology)));
  EXPECT_TRUE(std::isinf(*FullSyncSeconds(topology)));
}

TEST(FindingsTest, TheOutputLimitEndsAFullSync) {
  Topology topology = Healthy();
  topology.write_bytes_per_s = 1 * kMegabyte;
  EXPECT_NEAR(*FullSyncSeconds(topology), 64 + 60, 0.1);  // the soft limit comes first
  topology.write_bytes_per_s = 16 * kMegabyte;
  EXPECT_NEAR(*FullSyncSeconds(topology), 16, 0.1);  // the hard limit
  topology.primary.memory_bytes = int64_t{10} << 30;
  EXPECT_THAT(About(topology, "limit"),
              Is(Verdict::kWarning, "client-output-buffer-limit replica"));
  topology.primary.settings["repl-spool-size"] = std::to_string(int64_t{16} << 30);
  EXPECT_NEAR(*FullSyncSeconds(topology), 16 + 1024, 0.1);
  EXPECT_EQ(About(topology, "limit").verdict, Verdict::kOk);
}

TEST(FindingsTest, NoLimitIsNoEnd) {
  Topology topology = Healthy();
  topology.primary.settings["client-output-buffer-limit"] = "normal 0 0 0 replica 0 0 0";
  EXPECT_TRUE(std::isinf(*FullSyncSeconds(topology)));
}

TEST(FindingsTest, SettingsThatAServerDoesNotTellAreNotJudged) {
  Topology topology = Healthy();
  topology.primary.settings.clear();
  topology.replicas[0].settings.clear();
  EXPECT_EQ(About(topology, "limit").text, "");
  EXPECT_EQ(Worst(Judge(topology, {})), Verdict::kOk);
}

TEST(FindingsTest, ALinkNeedsSeveralPingsWithinItsTimeout) {
  Topology topology = Healthy();
  topology.replicas[0].settings["repl-timeout"] = "15";
  EXPECT_THAT(About(topology, "time-outs"),
              Is(Verdict::kWarning, "10.0.0.2:6379: repl-timeout is 15"));
  topology.replicas[0].settings["repl-timeout"] = "10";
  EXPECT_THAT(About(topology, "time-outs"), Is(Verdict::kFailed, "repl-timeout is 10"));
}

TEST(FindingsTest, MinReplicasAreJudgedByThoseThatAreThere) {
  Topology topology = Healthy();
  std::string& wanted = topology.primary.settings["min-replicas-to-write"];
  wanted = "2";
  EXPECT_THAT(About(topology, "min-replicas"), Is(Verdict::kFailed, "refuses all writes"));
  wanted = "1";
  EXPECT_THAT(About(topology, "min-replicas"), Is(Verdict::kWarning, "loss of one"));
  topology.primary.replicas.push_back(topology.primary.replicas[0]);
  EXPECT_EQ(About(topology, "min-replicas").text, "");
  wanted = "0";
  EXPECT_THAT(About(topology, "min-replicas"), Is(Verdict::kWarning, "cut off"));
}

}  // namespace
}  // namespace cloakroom::drill
