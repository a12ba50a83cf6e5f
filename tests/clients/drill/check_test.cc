#include "clients/drill/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cloakroom::drill {
namespace {

using ::testing::HasSubstr;

const std::vector<Finding> kFindings = {{Verdict::kOk, "link", "a:1: link up", ""},
                                        {Verdict::kWarning, "backlog", "38 s", "set more"}};

TEST(CheckTest, TextHasALineForEachFindingAndForItsAdvice) {
  EXPECT_EQ(FindingsText(kFindings),
            "ok       link         a:1: link up\n"
            "warning  backlog      38 s\n"
            "                      -> set more\n"
            "1 ok, 1 warning, 0 failed\n");
}

TEST(CheckTest, JsonHasServersAndFindings) {
  Topology topology;
  topology.primary.address = {"a", 1};
  topology.primary.is_primary = true;
  topology.replicas.resize(1);
  topology.replicas[0].error = "b:1: timed out";
  const std::string json = FindingsJson({.primary = {"a", 1}}, topology, kFindings);
  EXPECT_THAT(json, HasSubstr(R"({"result":"warning","name":"a:1")"));
  EXPECT_THAT(json, HasSubstr(R"("away_s":null)"));
  EXPECT_THAT(json, HasSubstr(R"("error":"b:1: timed out")"));
  EXPECT_THAT(
      json,
      HasSubstr(R"({"verdict":"warning","about":"backlog","text":"38 s","advice":"set more"})"));
}

}  // namespace
}  // namespace cloakroom::drill
