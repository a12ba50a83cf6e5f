#include "server/config/list_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "server/config/directive.h"

namespace cloakroom::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kLimits =
    "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60";

// The value after CONFIG SET name word, where it was `current`.
std::string Set(std::string_view name, const std::string& word, std::string_view current = "") {
  absl::StatusOr<Value> value =
      ParseWords(*FindDirective(name), {word}, current, Origin::kConfigSet);
  return value.ok() ? value->text : absl::StrCat("error: ", value.status().message());
}

std::string Line(std::string_view name, const std::vector<std::string>& words,
                 std::string_view current) {
  absl::StatusOr<Value> value = ParseWords(*FindDirective(name), words, current, Origin::kFile);
  return value.ok() ? value->text : absl::StrCat("error: ", value.status().message());
}

std::vector<std::string> Lines(std::string_view name, const std::string& text) {
  return FileLines(*FindDirective(name), Value{text});
}

TEST(SaveRule, AddsLinesOfAFileButReplacesByConfigSet) {
  EXPECT_EQ(Line("save", {"300", "10"}, "900 1"), "900 1 300 10");
  EXPECT_EQ(Set("save", "300 10", "900 1"), "300 10");
  EXPECT_EQ(Line("save", {""}, "900 1"), "");
  EXPECT_EQ(Set("save", "", "900 1"), "");
}

TEST(SaveRule, RefusesWhatIsNotPairs) {
  for (const char* text : {"900", "900 1 300", "900 x", "0 1", "900 1 ", " 900 1", "1 -1"}) {
    EXPECT_EQ(Set("save", text), "error: Invalid save parameters") << text;
  }
}

TEST(SaveRule, WritesALineForEachPair) {
  EXPECT_THAT(Lines("save", "900 1 300 10"), ElementsAre("save 900 1", "save 300 10"));
  EXPECT_THAT(Lines("save", ""), ElementsAre("save \"\""));
}

TEST(BindRule, TakesUpToSixteenAddresses) {
  EXPECT_EQ(Set("bind", "127.0.0.1 -::1"), "127.0.0.1 -::1");
  EXPECT_EQ(Set("bind", ""), "");
  std::vector<std::string> many(17, "127.0.0.1");
  EXPECT_EQ(Line("bind", many, ""), "error: Too many bind addresses specified.");
  many.pop_back();
  EXPECT_EQ(Line("bind", many, "").substr(0, 9), "127.0.0.1");
}

TEST(OutputLimitRule, ChangesOnlyTheClassesThatAreNamed) {
  EXPECT_EQ(Set("client-output-buffer-limit", "normal 1mb 2mb 60", kLimits),
            "normal 1048576 2097152 60 slave 268435456 67108864 60 pubsub 33554432 8388608 60");
  EXPECT_EQ(Set("client-output-buffer-limit", "replica 1gb 0 0 pubsub 1 2 3", kLimits),
            "normal 0 0 0 slave 1073741824 0 0 pubsub 1 2 3");
  EXPECT_EQ(Set("client-output-buffer-limit", "", kLimits), kLimits);
}

TEST(OutputLimitRule, SaysWhatIsWrong) {
  const std::string name = "client-output-buffer-limit";
  EXPECT_EQ(Set(name, "slave 1 2"),
            "error: Wrong number of arguments in buffer limit configuration.");
  EXPECT_EQ(Set(name, "master 1 2 3"),
            "error: Invalid client class specified in buffer limit configuration.");
  for (const char* text : {"normal a 2 3", "normal 1 z 3", "normal 1 2 -3", "normal 1 2 x"}) {
    EXPECT_EQ(Set(name, text),
              "error: Error in hard, soft or soft_seconds setting in buffer limit configuration.");
  }
}

TEST(OutputLimitRule, ReachesTheLiveFields) {
  Config config;
  EXPECT_EQ(config.output_limit(ClientClass::kReplica).hard_bytes, 256 << 20);
  PublishOutputLimits(config, "normal 1 2 3 slave 4 5 6 pubsub 7 8 9");
  EXPECT_EQ(config.output_limit(ClientClass::kNormal).soft_seconds, 3);
  EXPECT_EQ(config.output_limit(ClientClass::kReplica).soft_bytes, 5);
  EXPECT_EQ(config.output_limit(ClientClass::kPubsub).hard_bytes, 7);
}

TEST(OomScoreRule, TakesThreeNumbersInRange) {
  EXPECT_EQ(Set("oom-score-adj-values", "-2000 0 2000"), "-2000 0 2000");
  EXPECT_EQ(Set("oom-score-adj-values", "1 2"), "error: wrong number of arguments");
  EXPECT_EQ(Set("oom-score-adj-values", "1 2 3000"),
            "error: Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
}

TEST(PercentilesRule, PrintsTheShortestForm) {
  const std::string name = "latency-tracking-info-percentiles";
  EXPECT_EQ(Set(name, "50.0 99.99 100"), "50 99.99 100");
  EXPECT_EQ(Set(name, ""), "");
  EXPECT_EQ(Set(name, "x"), "error: Invalid latency-tracking-info-percentiles parameters");
  for (const char* text : {"101", "-1", "nan"}) {
    EXPECT_EQ(Set(name, text),
              "error: latency-tracking-info-percentiles parameters should sit between "
              "[0.0,100.0]");
  }
}

TEST(ReplicaOfRule, TakesAHostAndAPortOrNoOne) {
  EXPECT_EQ(Line("replicaof", {"10.0.0.1", "6379"}, ""), "10.0.0.1 6379");
  EXPECT_EQ(Line("slaveof", {"NO", "one"}, "10.0.0.1 6379"), "");
  EXPECT_EQ(Line("replicaof", {"a"}, ""), "error: wrong number of arguments");
  EXPECT_EQ(Line("replicaof", {"a", "b"}, ""), "error: Invalid master port");
  EXPECT_THAT(Lines("replicaof", ""), IsEmpty());
}

TEST(ShutdownRule, TakesSeveralOfItsWords) {
  EXPECT_EQ(Set("shutdown-on-sigterm", "Save now"), "save now");
  EXPECT_EQ(Set("shutdown-on-sigterm", "save zz"),
            "error: argument(s) must be one of the following: default, save, nosave, now, force");
}

TEST(NotifyRule, AnswersLettersInRedisOrder) {
  EXPECT_EQ(Set("notify-keyspace-events", "KEA"), "AKE");
  EXPECT_EQ(Set("notify-keyspace-events", "KEx$lgn"), "g$lxnKE");
  EXPECT_EQ(Set("notify-keyspace-events", "AKEm"), "AKEm");
  EXPECT_EQ(Set("notify-keyspace-events", "g$lshzxetdKE"), "AKE");
  EXPECT_EQ(Set("notify-keyspace-events", ""), "");
  EXPECT_EQ(Set("notify-keyspace-events", "K E"),
            "error: Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
  EXPECT_EQ(Set("notify-keyspace-events", "K!"),
            "error: Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
}

}  // namespace
}  // namespace cloakroom::config
