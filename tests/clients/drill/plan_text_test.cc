#include "clients/drill/plan_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cloakroom::drill {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(PlanTextTest, SaysWhatWillHappen) {
  Topology topology;
  topology.primary.address = {"a", 1};
  topology.replicas.resize(1);
  topology.replicas[0].address = {"b", 1};
  RunOptions options = {.how = How::kFreeze, .back = true, .hold_s = 7};
  const std::string text = PlanText({.primary = {"a", 1}}, options, topology, "r");
  EXPECT_THAT(text, HasSubstr("primary a:1, replicas b:1\n"));
  EXPECT_THAT(text, HasSubstr("drill:r:N in database 2"));
  EXPECT_THAT(text, HasSubstr("2. the primary answers nobody for 7 s\n"));
  EXPECT_THAT(text, HasSubstr("5. a:1 becomes the primary again\n"));
}

TEST(PlanTextTest, EachActHasItsWords) {
  EXPECT_EQ(ActText({.how = How::kKill}), "the primary ends without saving");
  EXPECT_EQ(ActText({.how = How::kKill, .hold_s = 3, .kill_command = "k", .heal_command = "h"}),
            "the kill-command runs, and the heal-command runs after 3 s");
  EXPECT_EQ(ActText({.how = How::kSentinel}), "SENTINEL FAILOVER");
}

TEST(PlanTextTest, ClientsFindThePrimaryAsTold) {
  EXPECT_EQ(FoundByText({.primary = {"a", 1}}, {}), "asking all servers for their role");
  EXPECT_EQ(FoundByText({.sentinels = {{"s", 1}}}, {}), "the Sentinels");
  EXPECT_EQ(FoundByText({.sentinels = {{"s", 1}}}, {.at = Address{"vip", 6379}}),
            "the fixed address vip:6379");
}

TEST(PlanTextTest, StateHasALineForEachServerAndSentinel) {
  Server primary;
  primary.address = {"a", 1};
  primary.is_primary = true;
  Server replica;
  replica.address = {"b", 1};
  replica.primary = {"a", 1};
  replica.link_up = true;
  Server gone;
  gone.error = "c:1: timed out";
  Sentinel sentinel;
  sentinel.address = {"s", 1};
  sentinel.primary.address = {"a", 1};
  EXPECT_THAT(StateTexts({primary, replica, gone}, {sentinel}),
              ElementsAre("a:1 is a primary", "b:1 is a replica of a:1, link up", "c:1: timed out",
                          "Sentinel s:1 names a:1 as primary"));
}

TEST(PlanTextTest, APrimaryThatNoSentinelNamesIsSaid) {
  Server former;
  former.address = {"a", 1};
  former.is_primary = true;
  Sentinel sentinel;
  sentinel.address = {"s", 1};
  sentinel.primary.address = {"b", 1};
  EXPECT_THAT(StateTexts({former}, {sentinel})[0], HasSubstr("that no Sentinel names"));
  EXPECT_EQ(StateTexts({former}, {})[0], "a:1 is a primary");
}

}  // namespace
}  // namespace cloakroom::drill
