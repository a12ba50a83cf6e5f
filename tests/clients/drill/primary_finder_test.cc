#include "clients/drill/primary_finder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/clients/support/scripted_server.h"
#include "tests/support/status_matchers.h"

namespace cloakroom::drill {
namespace {

using ::testing::HasSubstr;

/// A server that says it is a primary, or not.
ScriptedServer::Script WithRole(const std::string& role) {
  return [role](const std::string& request) -> std::string {
    if (request != "ROLE") return ScriptedServer::kOk;
    return ScriptedServer::Array({ScriptedServer::Bulk(role), ScriptedServer::Bulk("h"), ":1\r\n",
                                  ScriptedServer::Bulk("connected")});
  };
}

ScriptedServer::Script Naming(const Address& primary) {
  return [primary](const std::string& request) -> std::string {
    if (!request.starts_with("SENTINEL GET-MASTER-ADDR-BY-NAME shop")) return ScriptedServer::kOk;
    return ScriptedServer::Array(
        {ScriptedServer::Bulk(primary.host), ScriptedServer::Bulk(std::to_string(primary.port))});
  };
}

/// An address where nobody listens.
const Address kNobody = {"127.0.0.1", 1};

Where By(std::vector<Address> sentinels) {
  return {.sentinels = std::move(sentinels), .master = "shop"};
}

TEST(PrimaryFinderTest, AsksTheNextSentinelWhenOneIsGoneAndStaysWithIt) {
  ScriptedServer primary(WithRole("master"));
  ScriptedServer sentinel(Naming(primary.address()));
  PrimaryFinder finder({.where = By({kNobody, sentinel.address()})});
  EXPECT_EQ(*finder.Find(), primary.address());
  EXPECT_OK(finder.Connect());
  EXPECT_EQ(sentinel.CountOf("SENTINEL"), 2);
  EXPECT_EQ(primary.CountOf("ROLE"), 1);
}

TEST(PrimaryFinderTest, DoesNotTrustASentinelThatIsBehind) {
  ScriptedServer former(WithRole("slave"));
  ScriptedServer sentinel(Naming(former.address()));
  PrimaryFinder finder({.where = By({sentinel.address()})});
  EXPECT_EQ(*finder.Find(), former.address());
  EXPECT_THAT(finder.Connect(), FailsWith(HasSubstr("is no primary")));
}

TEST(PrimaryFinderTest, ANameThatNoSentinelKnowsIsNotFound) {
  ScriptedServer sentinel([](const std::string& request) -> std::string {
    return request.starts_with("SENTINEL") ? "*-1\r\n" : ScriptedServer::kOk;
  });
  PrimaryFinder finder({.where = By({sentinel.address()})});
  EXPECT_TRUE(absl::IsNotFound(finder.Find().status()));
}

TEST(PrimaryFinderTest, WithoutSentinelsAsksEachServerForItsRole) {
  ScriptedServer replica(WithRole("slave"));
  ScriptedServer primary(WithRole("master"));
  PrimaryFinder finder({.servers = {replica.address(), primary.address()}});
  EXPECT_EQ(*finder.Find(), primary.address());
  EXPECT_OK(finder.Connect());
  EXPECT_EQ(replica.CountOf("ROLE"), 1) << "the one that was the primary is asked first";
}

TEST(PrimaryFinderTest, AServerThatIsGoneSaysMoreThanAReplica) {
  ScriptedServer replica(WithRole("slave"));
  PrimaryFinder finder({.servers = {replica.address(), kNobody}});
  EXPECT_TRUE(absl::IsUnavailable(finder.Connect().status()));
  PrimaryFinder other({.servers = {kNobody, replica.address()}});
  EXPECT_TRUE(absl::IsUnavailable(other.Connect().status()));
}

TEST(PrimaryFinderTest, AFixedAddressIsNotAskedForItsRole) {
  ScriptedServer proxy(WithRole("slave"));
  PrimaryFinder finder({.servers = {kNobody}, .at = proxy.address()});
  EXPECT_OK(finder.Connect());
  EXPECT_EQ(proxy.CountOf("ROLE"), 0);
}

TEST(PrimaryFinderTest, LogsInWhereItConnects) {
  ScriptedServer primary(WithRole("master"));
  ScriptedServer sentinel(Naming(primary.address()));
  Where where = By({sentinel.address()});
  where.login = {.user = "u", .password = "p"};
  where.sentinel_login.password = "s";
  EXPECT_OK(PrimaryFinder({.where = where}).Connect());
  EXPECT_EQ(primary.requests().front(), "AUTH u p");
  EXPECT_EQ(sentinel.requests().front(), "AUTH s");
}

}  // namespace
}  // namespace cloakroom::drill
