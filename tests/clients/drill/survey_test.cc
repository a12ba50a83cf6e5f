#include "clients/drill/survey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "tests/clients/support/scripted_server.h"
#include "tests/support/status_matchers.h"

namespace cloakroom::drill {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Address kNobody = {"127.0.0.1", 1};

std::string Words(std::initializer_list<std::string> words) {
  std::vector<std::string> bulks;
  for (const std::string& word : words) bulks.push_back(ScriptedServer::Bulk(word));
  return ScriptedServer::Array(bulks);
}

std::string Port(const Address& address) { return std::to_string(address.port); }

/// A primary with one replica, and a Sentinel that also knows a replica that is gone.
class SurveyTest : public ::testing::Test {
 protected:
  SurveyTest()
      : replica_([](const std::string& request) -> std::string {
          if (request.starts_with("INFO")) {
            return ScriptedServer::Bulk("role:slave\r\nmaster_link_status:up\r\n");
          }
          return request.starts_with("CONFIG") ? "-NOPERM no\r\n" : ScriptedServer::kOk;
        }),
        primary_([this](const std::string& request) -> std::string {
          if (request.starts_with("INFO")) return Info();
          if (request == "CONFIG GET repl-timeout") return Words({"repl-timeout", "60"});
          return request.starts_with("CONFIG") ? "*0\r\n" : ScriptedServer::kOk;
        }),
        sentinel_([this](const std::string& request) -> std::string {
          if (request == "SENTINEL MASTER shop") {
            return Words({"ip", "127.0.0.1", "port", Port(primary_.address()), "flags", "master"});
          }
          if (request == "SENTINEL REPLICAS shop") {
            return ScriptedServer::Array(
                {Words({"ip", "127.0.0.1", "port", Port(replica_.address())}),
                 Words({"ip", kNobody.host, "port", Port(kNobody)})});
          }
          if (request.starts_with("SENTINEL CKQUORUM")) return "-NOQUORUM 1 usable\r\n";
          return ScriptedServer::kOk;
        }) {}

  std::string Info() {
    return ScriptedServer::Bulk(
        "role:master\r\nmaster_replid:" + std::string(failed_over_ ? "id2" : "id1") +
        "\r\nconnected_slaves:1\r\nslave0:ip=127.0.0.1,port=" + Port(replica_.address()) +
        ",state=online,offset=0,lag=0\r\nmaster_repl_offset:" + std::to_string(offset_) + "\r\n");
  }

  std::atomic<int64_t> offset_ = 100;
  std::atomic<bool> failed_over_ = false;
  ScriptedServer replica_;
  ScriptedServer primary_;
  ScriptedServer sentinel_;
};

TEST_F(SurveyTest, APrimaryNamesItsReplicas) {
  const auto topology = Survey({.primary = primary_.address()});
  ASSERT_OK(topology);
  EXPECT_THAT(topology->servers(), ElementsAre(primary_.address(), replica_.address()));
  EXPECT_EQ(topology->primary.settings.at("repl-timeout"), "60");
  EXPECT_TRUE(topology->replicas[0].settings.empty());
  EXPECT_EQ(topology->measured_s, 0);
}

TEST_F(SurveyTest, SentinelsNameThePrimaryAndReplicasThatAreGone) {
  const auto topology = Survey({.sentinels = {kNobody, sentinel_.address()}, .master = "shop"});
  ASSERT_OK(topology);
  EXPECT_FALSE(topology->sentinels[0].answers());
  EXPECT_EQ(topology->sentinels[1].quorum_text, "NOQUORUM 1 usable");
  EXPECT_THAT(topology->servers(), ElementsAre(primary_.address(), kNobody, replica_.address()));
  EXPECT_FALSE(topology->replicas[0].answers());
}

TEST_F(SurveyTest, TheRateIsThatOfTwoOffsets) {
  const auto topology = Survey({.primary = primary_.address()}, [&] { offset_ = 5100; });
  ASSERT_OK(topology);
  EXPECT_GT(topology->measured_s, 0);
  EXPECT_NEAR(topology->write_bytes_per_s * topology->measured_s, 5000, 0.001);
}

TEST_F(SurveyTest, OffsetsOfTwoHistoriesAreNotCompared) {
  const auto topology = Survey({.primary = primary_.address()}, [&] { failed_over_ = true; });
  ASSERT_OK(topology);
  EXPECT_EQ(topology->measured_s, 0);
}

TEST_F(SurveyTest, WhenNobodyNamesAPrimaryTheReasonsAreSaid) {
  EXPECT_THAT(Survey({.sentinels = {kNobody, replica_.address()}, .master = "shop"}),
              FailsWith(testing::AllOf(HasSubstr("refused"), HasSubstr("is no Sentinel"))));
}

}  // namespace
}  // namespace cloakroom::drill
