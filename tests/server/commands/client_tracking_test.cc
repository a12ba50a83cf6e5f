#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

class ClientTrackingTest : public ServerTest {
 protected:
  ClientTrackingTest() { ClientNamed("").resp = 3; }
  std::string Told() { return std::exchange(LinkOf("").pushed, ""); }
};

TEST_F(ClientTrackingTest, OptionsThatDoNotGoTogetherChangeNothing) {
  EXPECT_TRUE(Run("CLIENT TRACKING ON OPTIN OPTOUT").starts_with("-ERR You can't specify both"));
  EXPECT_TRUE(Run("CLIENT TRACKING ON BCAST OPTIN").starts_with("-ERR OPTIN and OPTOUT are not"));
  EXPECT_TRUE(Run("CLIENT TRACKING ON PREFIX a").starts_with("-ERR PREFIX option requires"));
  EXPECT_TRUE(Run("CLIENT TRACKING ON REDIRECT 4711").starts_with("-ERR The client ID you want"));
  EXPECT_EQ(Run("CLIENT GETREDIR"), ":-1\r\n");
}

TEST_F(ClientTrackingTest, OptinRemembersWhatFollowsCachingYes) {
  Run("CLIENT TRACKING ON OPTIN");
  Run("GET a");
  Run("CLIENT CACHING YES");
  Run("GET b");
  Run("GET c");
  for (const char* key : {"a", "b", "c"}) RunAs("other", std::string("SET ") + key + " 1");
  EXPECT_EQ(Told(), ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nb\r\n");
}

TEST_F(ClientTrackingTest, OptoutForgetsWhatFollowsCachingNo) {
  Run("CLIENT TRACKING ON OPTOUT");
  Run("CLIENT CACHING NO");
  Run("GET a");
  Run("GET b");
  for (const char* key : {"a", "b"}) RunAs("other", std::string("SET ") + key + " 1");
  EXPECT_EQ(Told(), ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nb\r\n");
}

TEST_F(ClientTrackingTest, CachingLastsForAWholeTransaction) {
  Run("CLIENT TRACKING ON OPTIN");
  Run("CLIENT CACHING YES");
  Run("MULTI");
  Run("GET a");
  Run("GET b");
  Run("EXEC");
  Run("GET c");
  for (const char* key : {"a", "b", "c"}) RunAs("other", std::string("SET ") + key + " 1");
  EXPECT_EQ(
      Told(),
      ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nb\r\n");
}

TEST_F(ClientTrackingTest, AScriptReadsForItsClient) {
  Run("CLIENT TRACKING ON");
  Run({"EVAL", "return redis.call('GET', KEYS[1])", "1", "k"});
  RunAs("other", "SET k 1");
  EXPECT_EQ(Told(), ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n");
}

TEST_F(ClientTrackingTest, NoloopSparesAClientItsOwnChanges) {
  Run("CLIENT TRACKING ON NOLOOP");
  Run("GET k");
  Run("SET k 1");
  Run("GET k");
  EXPECT_EQ(Told(), "");
  RunAs("other", "SET k 2");
  EXPECT_EQ(Told(), ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n");
}

TEST_F(ClientTrackingTest, CachingEndsWithTheNextRequestWhateverBecomesOfIt) {
  Run("CLIENT TRACKING ON OPTOUT");
  for (const char* next : {"NOSUCH", "GET", "CLIENT NOSUCH", "CLIENT", "SET x 1"}) {
    Run("CLIENT CACHING NO");
    Run(next);
    Run("GET k");
    RunAs("other", "SET k 1");
    EXPECT_EQ(Told(), ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n") << next;
  }
}

TEST_F(ClientTrackingTest, CachingOutlastsCommandsOfClient) {
  Run("CLIENT TRACKING ON OPTOUT");
  for (const char* next : {"CLIENT GETNAME", "CLIENT TRACKINGINFO", "CLIENT GETNAME 1"}) {
    Run("CLIENT CACHING NO");
    Run(next);
    Run("GET k");
    RunAs("other", "SET k 1");
    EXPECT_EQ(Told(), "") << next;
  }
}

TEST_F(ClientTrackingTest, CachingInATransactionEndsWithIt) {
  Run("CLIENT TRACKING ON OPTIN");
  for (const char* request : {"MULTI", "CLIENT CACHING YES", "GET a", "EXEC", "GET b"})
    Run(request);
  for (const char* key : {"a", "b"}) RunAs("other", std::string("SET ") + key + " 1");
  EXPECT_EQ(Told(), ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n");
}

TEST_F(ClientTrackingTest, CachingEndsWithATransactionThatIsDiscarded) {
  Run("CLIENT TRACKING ON OPTIN");
  for (const char* request : {"CLIENT CACHING YES", "MULTI", "NOSUCH", "EXEC", "GET b"}) {
    Run(request);
  }
  RunAs("other", "SET b 1");
  EXPECT_EQ(Told(), "");
}

}  // namespace
}  // namespace cloakroom
